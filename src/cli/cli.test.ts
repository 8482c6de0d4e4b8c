import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { openPrivateToken } from '../server/index.js';
import type { Report } from './report.js';
import { packageVersion, run } from './run.js';

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';

interface Outcome {
  code: number | string | null | undefined;
  out: string;
  err: string;
}

/** The compiled program as a user starts it, in a process of its own. */
function spawn(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    // Without the runner's own preload.
    const options = { env: { ...process.env, NODE_OPTIONS: '', ...env } };
    execFile(process.execPath, [PROGRAM, ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

/** The same in this process, for the many that end before they do anything. */
async function call(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const outcome = { code: 0, out: '', err: '' };
  outcome.code = await run(args, {
    env,
    out: (text) => {
      outcome.out += text;
    },
    err: (text) => {
      outcome.err += text;
    },
  });
  return outcome;
}

t.test('doctor says that this machine can play on both wires', async (t) => {
  const { code, out, err } = await spawn(['doctor', '--json', '--flows', '100']);
  t.equal(code, 0, err);
  const report: Report = JSON.parse(out);
  t.equal(report.version, packageVersion());
  t.not(report.status, 'failure');
  const status = new Map(report.checks.map((check) => [check.name, check.status]));
  for (const name of ['addon', 'UDP', 'WebSocket']) t.equal(status.get(name), 'ok', name);
  for (const name of ['batches', 'trains out', 'trains in', 'timestamps', 'steering', 'buffers']) {
    t.ok(status.has(name), name);
  }
  for (const { name, status, advice } of report.checks) {
    t.equal(status === 'ok', advice.length === 0, `${name}: advice where it is not well`);
  }
});

t.test('doctor without the addon says what to do, and that WebSocket works', async (t) => {
  const broken = join(t.testdir({ 'broken.node': 'not an addon' }), 'broken.node');
  for (const [path, why] of [
    ['/nonexistent/addon.node', /is not there$/m],
    [broken, /does not load: .*(ELF|file too short|invalid)/],
  ] as const) {
    const { code, out } = await spawn(['doctor'], { GGSCALE_TRANSPORT_ADDON: path });
    t.equal(code, 1);
    t.match(out, why);
    t.match(out, /→ unset GGSCALE_TRANSPORT_ADDON/);
    t.match(out, /→ npm install --include=optional/);
    t.match(out, /→ npm rebuild @ggscale\/transport/);
    t.match(out, /ok +WebSocket +\d+ messages there and back/);
    t.match(out, /Does not work: addon\.\n$/);
  }
});

t.test('keygen writes a key that only its owner can read, and never over another', async (t) => {
  const file = join(t.testdir(), 'key');
  t.match(await spawn(['keygen', file]), { code: 0, out: '' });
  const key = readFileSync(file, 'utf8');
  t.match(key, /^[0-9a-f]{64}\n$/);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const again = await call(['keygen', file]);
  t.match(again, { code: 2, out: '', err: /it exists/ });
  t.equal(readFileSync(file, 'utf8'), key);
  const [first, second] = [await call(['keygen']), await call(['keygen'])];
  t.match(first.out, /^[0-9a-f]{64}\n$/);
  t.not(first.out, second.out);
});

t.test('token mints what a server with the same key opens', async (t) => {
  const file = join(t.testdir({ key: `${KEY}\n` }), 'key');
  chmodSync(file, 0o600);
  const where = ['--address', '192.0.2.1:7777', '--address', '[2001:db8::1]:7'];
  const rest = ['--client-id', '0xff', '--timeout', '9', '--user-data', 'abcd', '--json'];
  for (const outcome of [
    await spawn(['token', ...where, ...rest, '--key-file', file]),
    await call(['token', ...where, ...rest], { GGSCALE_PRIVATE_KEY: KEY }),
  ]) {
    t.match(outcome, { code: 0, err: '' });
    const shown = JSON.parse(outcome.out);
    t.match(shown, {
      protocolId: '0x67677363616c6501',
      clientId: '255',
      serverAddresses: ['192.0.2.1:7777', '[2001:db8::1]:7'],
      timeoutSeconds: 9,
    });
    t.equal(Date.parse(shown.expires) - Date.parse(shown.created), 30_000);
    const token = Buffer.from(shown.token, 'base64');
    const opened = openPrivateToken(token, Buffer.from(KEY, 'hex'));
    t.match(opened, { clientId: 255n, timeoutSeconds: 9 });
    t.same([...opened.userData.subarray(0, 3)], [0xab, 0xcd, 0]);
    // What both ends encrypt with is in the token, and nowhere else.
    const keys = [opened.clientToServerKey, opened.serverToClientKey, Buffer.from(KEY, 'hex')];
    for (const key of keys) t.notOk(outcome.out.includes(Buffer.from(key).toString('hex')));
  }
  const text = await call(['token', ...where, '--key-file', file]);
  t.match(text.out, /^protocol id +0x67677363616c6501\n/);
  t.match(text.out, /\ntoken +[A-Za-z0-9+/]{2731}=\n$/);
});

t.test('a key that others can read is used with a warning', async (t) => {
  const file = join(t.testdir(), 'key');
  writeFileSync(file, KEY);
  chmodSync(file, 0o644);
  const outcome = await call(['token', '--address', '127.0.0.1:1', '--key-file', file]);
  t.match(outcome, { code: 0, err: /chmod 600/ });
});

t.test('what makes no sense is refused in one line, with exit code 2', async (t) => {
  const folder = t.testdir({ short: 'abc', key: KEY });
  const key = ['--key-file', join(folder, 'key')];
  const token = (...args: string[]) => ['token', '--address', '127.0.0.1:1', ...key, ...args];
  const cases: [string[], RegExp][] = [
    [['dokter'], /unknown command 'dokter'/],
    [['--loud'], /unknown option '--loud'/],
    [['doctor', 'now'], /too many arguments/],
    [['doctor', '--flows', '0'], /--flows.*'0'.*from 1 to 1048576/],
    [['doctor', '--flows', '1e9'], /'1e9'/],
    [['doctor', '--threads', '17'], /from 0 to 16/],
    [['doctor', '--threads'], /argument missing/],
    [['keygen', 'a', 'b'], /too many arguments/],
    [['keygen', folder], /cannot be written/],
    [['keygen', join(folder, 'no/such/folder')], /no such file or folder/],
    [['token', ...key], /--address/],
    [['token', '--address', '127.0.0.1'], /'127\.0\.0\.1'.*Expected/],
    [['token', '--address', 'example:7777'], /'example:7777'/],
    [['token', '--address', '127.0.0.1:0'], /Expected/],
    [['token', '--address', '127.0.0.1:1'], /no key: .*--key-file.*GGSCALE_PRIVATE_KEY/],
    [['token', '--address', '127.0.0.1:1', '--key-file', folder], /it is a folder/],
    [['token', '--address', '127.0.0.1:1', '--key-file', `${folder}/none`], /no such file/],
    [['token', '--address', '127.0.0.1:1', '--key-file', `${folder}/short`], /64 hex digits/],
    [token('--client-id', '-1'), /--client-id/],
    [token('--client-id', '18446744073709551616'), /unsigned 64-bit/],
    [token('--protocol-id', '0xg'), /unsigned 64-bit/],
    [token('--expires', '0'), /from 1 to 86400/],
    [token('--timeout', '3601'), /from 1 to 3600/],
    [token('--user-data', 'abc'), /hex digits/],
    [token('--user-data', '00'.repeat(257)), /up to 256 bytes/],
    [token(...Array(32).fill(['--address', '127.0.0.1:1']).flat()), /at most 32/],
  ];
  for (const [args, why] of cases) {
    const outcome = await call(args);
    const what = args.join(' ').slice(0, 60);
    t.match(outcome, { code: 2, out: '' }, what);
    t.match(outcome.err, /^ggscale-transport: [^\n]+\n$/, what);
    t.match(outcome.err, why, what);
  }
  t.match(await spawn(['doctor', '--flows', 'many']), { code: 2, out: '', err: /'many'/ });
});

t.test('a key on the command line is refused and not repeated', async (t) => {
  for (const args of [
    ['token', '--address', '127.0.0.1:1', '--key', KEY],
    ['token', '--address', '127.0.0.1:1', `--private-key=${KEY}`],
    ['token', '--address', KEY],
    ['token', `--secret=${KEY}`, '--address', '127.0.0.1:1'],
    ['keygen', `--key=${KEY}`],
    [KEY],
  ]) {
    const outcome = await call(args);
    t.equal(outcome.code, 2);
    t.notOk((outcome.out + outcome.err).includes(KEY), outcome.err);
  }
  const wrong = await call(['token', '--address', '127.0.0.1:1'], { GGSCALE_PRIVATE_KEY: 'abc1' });
  t.match(wrong, { code: 2, err: /GGSCALE_PRIVATE_KEY does not hold 64 hex digits/ });
  t.notMatch(wrong.err, /abc1/);
});

t.test('help and version are no errors; nothing asked for is one', async (t) => {
  t.match(await call(['--version']), { code: 0, out: `${packageVersion()}\n`, err: '' });
  for (const args of [['--help'], ['doctor', '--help'], ['token', '-h'], ['help', 'keygen']]) {
    t.match(await call(args), { code: 0, out: /^Usage: ggscale-transport/, err: '' });
  }
  t.match(await call([]), { code: 2, out: '', err: /^Usage:/ });
});
