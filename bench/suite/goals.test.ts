import t from 'tap';
import { GOALS, goalsOutcome } from './goals.js';
import { sampleResults } from './report/sample-results.js';
import type { Results } from './results.js';
import { THRESHOLDS } from './thresholds.js';

const results = sampleResults();
const only = (ratios: Record<string, number>): Results => ({ ...results, runs: [], ratios });

t.test('the goal of each threshold is among them, once, and in its direction', async (t) => {
  for (const { ratio, min, max, goal } of THRESHOLDS) {
    const named = GOALS.filter(({ name }) => name === ratio);
    t.match(named, [{ goal, isAtMost: min === undefined }], ratio);
    const limit = min ?? max ?? Number.NaN;
    const [atLimit] = goalsOutcome(only({ [ratio]: limit }), named);
    t.equal(atLimit.isReached, min === undefined ? limit <= goal : limit >= goal);
  }
  t.equal(new Set(GOALS.map(({ name }) => name)).size, GOALS.length, 'no name twice');
});

t.test('reached is reached from either side, and the score says by how much', async (t) => {
  const outcome = (value: number, isAtMost: boolean) => {
    const of = (): number => value;
    return goalsOutcome(results, [{ name: 'x', unit: 'times', isAtMost, goal: 2, of }])[0];
  };
  t.match(outcome(4, true), { isReached: false, score: 0.5 });
  t.match(outcome(1, true), { isReached: true, score: 2 });
  t.match(outcome(4, false), { isReached: true, score: 2 });
  t.match(outcome(1, false), { isReached: false, score: 0.5 });
  t.match(outcome(2, true), { isReached: true, score: 1 });
  t.match(outcome(0, true), { isReached: true, score: Number.NaN }, 'no bar of nothing');
});

t.test('what was not measured is neither reached nor missed', async (t) => {
  for (const { isReached, measured } of goalsOutcome(only({}))) {
    t.same([isReached, measured], [null, undefined]);
  }
  const flows = goalsOutcome(results).find(({ name }) => name === 'flows/100000 lost');
  t.match(flows, { measured: 0.0001, isReached: false });
});

t.test(
  'what no run measures is among the goals, with the reason; peers count once they ran',
  async (t) => {
    const whole = sampleResults(['udp', 'json-ws', 'floor', 'enet']);
    const named = (name: string) => goalsOutcome(whole).find((outcome) => outcome.name === name);
    for (const name of [
      'echo/paced-1000x60 cpu tick/auto',
      'echo/paced-1000x60 cpu immediate/floor',
      'flows/100000 time in a batch call p99',
      'peers/echo-saturated cpu GameNetworkingSockets/udp',
    ]) {
      t.match(named(name), { isReached: null, why: /\w+ \w+/ }, name);
    }
    t.match(named('peers/echo-saturated cpu enet/udp'), { measured: Number, isReached: true });
    t.match(named('peers/echo-saturated cpu node-dgram/udp'), { isReached: null, why: /--peers/ });
  },
);
