/** The soak of docs/TESTING.md in a few seconds, and that it notices what is planted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { buildNative } from '../native/build.js';
import { ROOT } from '../suite/root.js';
import { grown, notEmpty, SLOPE_MAX, uncounted, wrongAtRest } from './checks.js';
import type { ServerSample } from './messages.js';
import { reportOf } from './report.js';
import { slopeOfSecondHalf } from './slope.js';
import { runSoak, type SoakSetup } from './soak.js';

const short = (change: Partial<SoakSetup>): SoakSetup => ({
  seed: 8,
  minutes: 0,
  loadMs: 5000,
  perWire: 4,
  residents: 2,
  resumeWindowMs: 10_000, // a busy machine takes its time to resume
  graceMs: 60_000,
  churnPerS: 20,
  path: { rebinds: 2, cuts: 1, blackouts: 0, lossRatio: 0.01 },
  strangers: { datagrams: 300, requests: 10, players: 4 },
  flood: null,
  plant: 'none',
  onProgress() {},
  signal: new AbortController().signal,
  ...change,
});

const NO_MEMORY = { heapUsed: 0, external: 0, arrayBuffers: 0, rss: 0, nativeHeap: 0 };
const EMPTY_SAMPLE: ServerSample = {
  kind: 'sample',
  atMs: 0,
  joins: 0,
  resumes: 0,
  cpuUs: 0,
  ticksSkipped: 0,
  memory: NO_MEMORY,
  rl1: { given: 0, refused: 0 },
  pools: {},
  drops: {},
  state: {
    players: 0,
    suspended: 0,
    flows: 0,
    pending: 0,
    tokens: 0,
    fds: 0,
    handles: {},
    objects: {},
  },
  counters: { 'socket-datagrams-in': 0, 'payloads-in': 0, consumed: 0 },
  refused: {},
  events: { heard: 0, astray: 0 },
  errors: {},
  warnings: {},
};

t.test('everything at once: nothing is wrong, and nothing is left', async (t) => {
  const flood = { binary: await buildNative({ release: false }), perS: 500 };
  const { findings, ...result } = await runSoak(short({ flood }));
  t.same(findings, []);
  t.equal(result.rounds, 1);
  t.equal(result.players.lived, result.players.opened, 'every session lived');
  t.ok(result.path.rebinds > 0);
  for (const kind of ['forged', 'stolen', 'expired', 'version', 'short', 'stray']) {
    t.ok(result.guests.floods[kind] > 0, kind);
  }
  const { drops } = result.final;
  for (const name of ['token-open-failed', 'token-expired', 'frame-malformed', 'bad-prefix']) {
    t.ok(drops[name] > 0, name);
  }
  t.match(reportOf({ ...result, findings }), /Nothing is wrong\./);
});

t.test('a leak and a lost message are noticed', async (t) => {
  const { findings } = await runSoak(
    short({
      plant: 'both',
      graceMs: 1000,
      churnPerS: 0,
      strangers: null,
      perWire: 1,
    }),
  );
  const isFound = (expected: RegExp) => findings.some((finding) => expected.test(finding));
  t.ok(isFound(/^objects: PlayerEntry: 0 before, \d+ left$/), findings.join('\n'));
  t.ok(isFound(/^objects: Timeout: \d+ before, \d+ left$/));
  t.ok(isFound(/^players: \d+ × a tally is missing$/));
});

t.test('a slope is told from noise', async (t) => {
  const noise = (n: number) => ((n * 7919) % 5) * 20_000;
  const points = (kibPerMinute: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({
      atMs: n * 60_000,
      // The first half is a warm-up that ends.
      bytes: 20e6 + Math.min(n, count / 2) * 1e6 + n * kibPerMinute * 1024 + noise(n),
    }));
  const leak = slopeOfSecondHalf(points(100, 60));
  t.ok(leak !== null && Math.abs(leak.kibPerMinute - 100) < 3 * leak.error);
  const none = slopeOfSecondHalf(points(0, 60));
  t.ok(none !== null && Math.abs(none.kibPerMinute) < 3 * none.error);
  t.equal(slopeOfSecondHalf(points(0, 8)), null, 'too few');
});

t.test('a datagram without a name and a block that nobody owns are noticed', async (t) => {
  const counters = { 'socket-datagrams-in': 10, 'payloads-in': 4, consumed: 3 };
  const refused = { 'too-short': 3, 'tx-stale-generation': 5, 'rx-overflow': 7 };
  t.same(uncounted({ counters, refused }), []);
  const lost = { ...refused, 'too-short': 2 };
  t.same(uncounted({ counters, refused: lost }), ['10 datagrams came in, the counters know of 9']);
  const rl1 = { given: 4, refused: 0 };
  t.same(notEmpty({ counters, rl1, pools: { messages: 0 } }), []);
  t.same(notEmpty({ counters, rl1: { given: 3, refused: 0 }, pools: { messages: 1 } }), [
    '4 payloads came in, RL1 was given 3',
    'pool messages: 1 used by nobody',
  ]);
});

t.test(
  'growth, errors, warnings and events astray are noticed, a late process is not',
  async (t) => {
    const none = {
      heapUsed: null,
      external: null,
      arrayBuffers: null,
      rss: null,
      nativeHeap: null,
    };
    const sample = (change: Partial<ServerSample>) => ({ ...EMPTY_SAMPLE, ...change });
    const late = 'ticks skipped: the process was late';
    t.same(wrongAtRest(sample({}), sample({ warnings: { [late]: 3 } })), []);
    const wrong = { errors: { oops: 1 }, warnings: { hm: 2 }, events: { heard: 9, astray: 4 } };
    t.same(wrongAtRest(sample({}), sample(wrong)), [
      '4 events came out of order',
      '1 × oops',
      '2 × warned: hm',
    ]);
    const slope = (kibPerMinute: number) => ({ ...none, heapUsed: { kibPerMinute, error: 2 } });
    t.same(grown(slope(SLOPE_MAX.heapUsed + 3), sample({}), sample({})), []);
    const steep = grown(slope(SLOPE_MAX.heapUsed + 5), sample({}), sample({}));
    t.same(steep, ['heapUsed grows by 29.0 KiB a minute, above 24']);
    const large = sample({ memory: { ...NO_MEMORY, heapUsed: 13 * 2 ** 20 } });
    t.same(grown(none, sample({}), large), ['heapUsed is 13.0 MiB above the start']);
  },
);

const skip = existsSync('/proc/self/stat') ? false : 'processes are looked up in /proc';

t.test('an interrupted run ends all that it started', { skip }, async (t) => {
  const program = join(ROOT, 'dist/bench/soak/main.js');
  const child = spawn(process.execPath, [program, '--minutes', '1', '--flood', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  reader.on('line', (line) => lines.push(line));
  await once(reader, 'line');
  const started = childrenOf(child.pid as number);
  t.ok(started.length >= 6, 'server, path, players, two of churn, strangers');
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  t.equal(code, 130);
  t.equal(lines.at(-1), 'error: SIGINT');
  t.same(
    started.filter((pid) => existsSync(`/proc/${pid}`)),
    [],
  );
});

/** By the fourth field of proc(5)'s stat, counted behind the name in parentheses. */
function childrenOf(parent: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false; // it has just ended
    }
  });
}
