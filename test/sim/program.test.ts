/** `npm run sim` as a program: replays are the same in every process, farms on any number of cores. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Level, runSeed } from '../../src/sim/index.js';

t.setTimeout(280_000);

const program = fileURLToPath(new URL('../../dist/bench/sim/main.js', import.meta.url));

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function sim(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

for (const level of ['core', 'native'] satisfies Level[]) {
  t.test(`a seed of the ${level} level replays bit for bit in another process`, async (t) => {
    const args = ['--seed=17', `--level=${level}`, '--trace'];
    const [one, two] = await Promise.all([sim(...args), sim(...args)]);
    t.equal(one.code, 0);
    t.equal(one.stdout === two.stdout, true, 'the same trace');
    const hashes = [17, 18].map((seed) => runSeed({ seed, level, profile: null }).hash);
    t.match(one.stdout, `hash ${hashes[0]}`);
    t.match(one.stdout, /^ +\d+\.\d{3} c0[.0-9]*>s +/m, 'a readable trace');
    t.not(hashes[0], hashes[1], 'another seed, another hash');
  });
}

t.test('a farm finds the same on one core and on two', async (t) => {
  const ended = await Promise.all(
    ['1', '2'].map((workers) =>
      sim('--seeds=1..60', '--level=core', `--workers=${workers}`, '--no-record'),
    ),
  );
  const hashes = ended.map(({ stdout }) => /hash ([0-9a-f]{8}), 0 failed/.exec(stdout)?.[1]);
  t.same(
    ended.map(({ code }) => code),
    [0, 0],
  );
  t.ok(hashes[0] !== undefined && hashes[0] === hashes[1], hashes.join(' '));
  t.match(ended[0].stdout, /^60 worlds, /m);
});

t.test('a sweep measures each of its corners, the worst first', async (t) => {
  const { code, stdout } = await sim('--sweep', '--quick', '--workers=2');
  t.equal(code, 0);
  const shares = [...stdout.matchAll(/^.*?(\d+\.\d) % of ideal/gm)].map(([, share]) =>
    Number(share),
  );
  t.equal(shares.length, 12);
  t.same(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  t.ok(shares[0] > 0 && shares[11] <= 100, shares.join(' '));
});

t.test('bad arguments are one clear line', async (t) => {
  const { code, stderr } = await sim('--scenarios=T99');
  t.equal(code, 2);
  t.match(stderr, /^error: [^\n]+\n$/);
});
