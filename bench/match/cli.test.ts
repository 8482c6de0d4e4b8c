/** The command line of the main job, and `--serve`, as programs. */
import { spawn } from 'node:child_process';
import t from 'tap';
import { ended, isListening, job, readyLine, skip, start, TIMEOUT_MS } from './test-job.js';

const KEY = 'cd'.repeat(32);

t.setTimeout(TIMEOUT_MS);

t.test('bad arguments: one line, exit 2, nothing on stdout', { skip }, async (t) => {
  for (const args of [['--bogus'], ['--players', '0'], ['--serve', '--private-key', 'x']]) {
    const { code, stdout, stderr } = await ended(start(t, args));
    t.same({ code, stdout }, { code: 2, stdout: '' });
    t.match(stderr, /^error: [^\n]+\n$/);
  }
});

t.test('an interrupted match cleans up and says so', { skip }, async (t) => {
  const child = start(t, ['--duration', '600', '--players', '4']);
  const end = ended(child);
  child.stdout?.once('data', () => child.kill('SIGINT'));
  const { code, stderr } = await end;
  t.equal(code, 130);
  t.equal(stderr, 'error: SIGINT\n');
});

t.test('--serve says where it listens, once, and ends by signal', { skip }, async (t) => {
  const child = start(t, ['--serve', '--protocol-id', '7'], { GGSCALE_PRIVATE_KEY: KEY });
  const end = ended(child);
  const ready = await readyLine(child);
  t.match(ready, { ready: true, host: '127.0.0.1', protocolId: '0x7', echoForeign: false });
  t.ok(await isListening(ready.wsPort));
  t.type(ready.udpPort, 'number');
  const taken = await ended(start(t, ['--serve', '--ws-port', String(ready.wsPort)]));
  t.equal(taken.code, 1);
  t.match(taken.stderr, /^error: [^\n]*address-in-use[^\n]*\n$/);
  child.kill('SIGTERM');
  const { code, stdout, stderr } = await end;
  // A machine that does other things as well skips ticks, and that is said.
  const errors = stderr.replace(/^ticks skipped: [^\n]*\n/gm, '');
  t.same({ code, errors }, { code: 0, errors: '' });
  t.equal(stdout.split('\n').filter((line) => line.startsWith('{')).length, 1);
  t.notOk(stdout.includes(KEY));
  t.notOk(await isListening(ready.wsPort));
});

t.test('--serve ends when whoever started it is gone', { skip }, async (t) => {
  // A parent that is killed at once when its child is ready, without a chance to pass anything on.
  const code = `require('child_process').spawn(process.execPath,
    [${JSON.stringify(job)}, '--serve'], { stdio: ['ignore', 1, 2] })`;
  const parent = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = new Promise((resolve) => parent.stdout.on('end', resolve));
  const ready = await readyLine(parent);
  t.ok(await isListening(ready.wsPort));
  parent.kill('SIGKILL');
  await closed;
  t.notOk(await isListening(ready.wsPort), 'the end of its output is the end of the server');
});
