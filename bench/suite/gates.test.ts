import t from 'tap';
import { judge, markdown } from './gates.js';
import type { EventCounts, Results } from './results.js';
import { emptyResult } from './run.js';
import { ALLOCATED_BYTES_MAX, THRESHOLDS } from './thresholds.js';

function results(
  change: {
    ratios?: Record<string, number>;
    lossByRound?: number[];
    gameLossByRound?: number[];
    allocated?: number;
    events?: EventCounts | null;
  } = {},
): Results {
  const ratios = Object.fromEntries(THRESHOLDS.map(({ ratio, goal }) => [ratio, goal]));
  const { lossByRound = [0, 0, 0, 0, 0], allocated = ALLOCATED_BYTES_MAX } = change;
  const own = { lossByRound, rounds: lossByRound.length, allocatedBytesPerMessage: allocated };
  const run = { ...emptyResult('echo/saturated', 'udp'), ...own };
  const { events = { sent: 100, received: 100 } } = change;
  const { gameLossByRound = [0, 0, 0] } = change;
  const games = ['udp', 'json-ws'].map((wire) => ({
    ...emptyResult('game/500x60', wire),
    ...{ lossByRound: gameLossByRound, rounds: gameLossByRound.length },
    ...(events === null ? {} : { events }),
  }));
  return { runs: [run, ...games], ratios: { ...ratios, ...change.ratios } } as unknown as Results;
}

function failures(of: Results): string[] {
  return judge(of)
    .filter(({ passed }) => !passed)
    .map(({ name }) => name);
}

t.test('who reaches the goals passes every gate', async (t) => {
  t.same(failures(results()), []);
  for (const { ratio, min, max, goal } of THRESHOLDS) {
    t.ok((min ?? 0) <= goal && goal <= (max ?? Number.POSITIVE_INFINITY), ratio);
  }
});

t.test('each threshold fails on its other side, and without its ratio', async (t) => {
  for (const { ratio, min, max } of THRESHOLDS) {
    const beyond = min === undefined ? (max ?? 0) * 1.01 : min * 0.99;
    t.same(failures(results({ ratios: { [ratio]: beyond } })), [ratio]);
    t.same(failures(results({ ratios: { [ratio]: undefined as never } })), [ratio]);
  }
});

t.test('loss fails when two of three rounds have it, not when one burst has', async (t) => {
  t.same(failures(results({ lossByRound: [0.5, 0, 0] })), []);
  t.same(failures(results({ lossByRound: [0.002, 0.002, 0] })), ['echo/saturated loss on udp']);
  t.same(failures(results({ lossByRound: [0.002, 0.002, 0.002, 0, 0] })), []);
  t.same(failures(results({ lossByRound: [1, 1, 1, 1, 0] })), ['echo/saturated loss on udp']);
});

t.test('snapshots of the game may give way to newer ones, but not many', async (t) => {
  t.same(failures(results({ gameLossByRound: [0.005, 0.005, 0.005] })), []);
  t.same(failures(results({ gameLossByRound: [0.02, 0.02, 0] })), ['game/500x60 loss on udp']);
});

t.test('what is allocated beside the text fails', async (t) => {
  const failed = failures(results({ allocated: ALLOCATED_BYTES_MAX + 1 }));
  t.same(failed, ['echo/saturated bytes allocated per message on udp']);
});

t.test('an event that was not heard, or that nobody sent, fails on its wire', async (t) => {
  const both = ['game/500x60 events on udp', 'game/500x60 events on json-ws'];
  t.same(failures(results({ events: { sent: 100, received: 99 } })), both);
  t.same(failures(results({ events: { sent: 99, received: 100 } })), both);
  t.same(failures(results({ events: { sent: 0, received: 0 } })), both);
  t.same(failures(results({ events: null })), both);
});

t.test('the table has a row for each check and each run', async (t) => {
  const all = results();
  const verdicts = judge(all);
  const lines = markdown(all, verdicts).split('\n');
  t.equal(lines.filter((line) => line.endsWith('| passed |')).length, verdicts.length);
  t.equal(lines.filter((line) => line.startsWith('| echo/saturated | udp |')).length, 1);
});
