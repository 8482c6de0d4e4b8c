import t from 'tap';
import { cpuRatio, disagreements, ratiosOf } from './ratios.js';
import type { RunResult } from './results.js';
import { emptyResult } from './run.js';

function run(name: string, wire: string, cpuNsByRound: number[], more: object = {}): RunResult {
  const result = { ...emptyResult(name, wire), cpuNsByRound, ...more };
  return { ...result, serverCpuNsPerMessage: cpuNsByRound[1] ?? cpuNsByRound[0] };
}

t.test(
  'a ratio of CPU compares round by round: what disturbs one round disturbs both wires',
  async (t) => {
    const udp = run('x', 'udp', [100, 1_000, 120]);
    const floor = run('x', 'floor', [80, 800, 100]);
    t.equal(cpuRatio(udp, floor), 1.25);
    t.equal(cpuRatio(udp, undefined), null);
    t.equal(cpuRatio(run('x', 'udp', [300]), run('x', 'floor', [80, 100])), 3, 'else the medians');
  },
);

t.test('each wire is compared with ours, and ours with the floor', async (t) => {
  const rtt = (p99: number) => ({ rttUs: { p50: 1, p99, p999: p99, max: p99 } });
  const ratios = ratiosOf([
    run('echo/saturated', 'floor', [100], rtt(10)),
    run('echo/saturated', 'udp', [125], { ...rtt(20), wireBytesPerMessage: 300 }),
    run('echo/saturated', 'json-ws', [250], { ...rtt(40), wireBytesPerMessage: 600 }),
    run('coalesced/8', 'udp', [20]),
    run('coalesced/8', 'floor', [100]),
    run('flows/1000', 'udp', [100]),
    run('flows/100000', 'udp', [120]),
  ]);
  t.equal(ratios['echo/saturated cpu udp/floor'], 1.25);
  t.equal(ratios['echo/saturated cpu json-ws/udp'], 2);
  t.equal(ratios['echo/saturated bytes json-ws/udp'], 2);
  t.equal(ratios['echo/saturated rtt-p99 udp/json-ws'], 0.5);
  t.equal(ratios['echo/saturated rtt-p99 udp/floor'], 2);
  t.equal(ratios['coalesced/8 cpu udp/(floor/8)'], 1.6);
  t.equal(ratios['coalesced/8 cpu udp/floor'], undefined, 'their packets hold unlike numbers');
  t.equal(ratios['flows cpu 100000/1000'], 1.2);
});

t.test('what was not measured has no ratio', async (t) => {
  t.same(ratiosOf([]), {});
  t.same(ratiosOf([run('start', 'udp', []), run('start', 'floor', [])]), {});
  t.same(ratiosOf([run('a', 'json-ws', [1])]), {}, 'without ours there is nothing to compare');
});

t.test('two runs agree when their ratios lie within a share of each other', async (t) => {
  const [a, b] = [{ ratios: { x: 1, y: 2 } }, { ratios: { x: 1.1, y: 3 } }];
  t.same(disagreements(a, b, ['x'], 0.15), []);
  t.same(disagreements(a, b, ['x', 'y'], 0.15), [{ name: 'y', a: 2, b: 3 }]);
  t.equal(disagreements(a, b, ['z'], 0.15).length, 1, 'missing is no agreement');
});
