import t from 'tap';
import { connectedPerSecond, type Measured, runResult } from './figures.js';
import { curveUs, median, quantilesUs } from './histogram.js';
import { overloadNote } from './overload.js';
import { createPlan, SMOKE } from './plan.js';
import type { Sample } from './session.js';
import type { LoadMark, ServerMark } from './words.js';

const [plan] = createPlan(SMOKE);

function histogram(...values: number[]) {
  return {
    max: Math.max(0, ...values),
    buckets: values.map((value) => [value, 1]) as [number, number][],
  };
}

/** A round of 1,000 messages that cost `ns` each, 800 of it on the JavaScript thread. */
function sample(
  ns: number,
  server: Partial<ServerMark> = {},
  sent: Partial<LoadMark> = {},
): Sample {
  const mark = (part: number): ServerMark => ({
    cpuNs: part * 1000 * ns,
    threadCpuNs: part * 1000 * 800,
    systemCpuNs: part * 1000 * 300,
    wallNs: part * 1e9,
    uptimeMs: 5_000 + part * 1_000,
    echoed: part * 1000,
    residentBytes: 1_000_000 + part * 51_000,
    allocatedBytes: part * 48_000,
  });
  const load: LoadMark = {
    offered: 1000,
    delivered: 990,
    rttNs: histogram(5_000_000, 7_000_000),
    lagNs: histogram(),
    cpuNs: 0,
    wallNs: 0,
    wire: { packetsIn: 0, packetsOut: 0, bytesIn: 100, bytesOut: 100 },
  };
  const to = { packetsIn: 0, packetsOut: 0, bytesIn: 100_100, bytesOut: 99_000 };
  return {
    before: mark(0),
    after: { ...mark(1), ...server },
    begun: load,
    sent: { ...load, wire: to, ...sent },
    seconds: 1,
    kernelDrops: 2,
  };
}

function resultOf(samples: Sample[], more: Partial<Measured> = {}) {
  const atRest = samples[0]?.before ?? null;
  const measured = { plan, wire: 'udp', samples, atRest, connected: null } as const;
  return runResult({ ...measured, eventLoopDelayUs: null, events: null, ...more }, 100);
}

t.test('a figure per message is the median of the rounds', async (t) => {
  const result = resultOf([sample(1000), sample(9000), sample(1200)]);
  t.equal(result.serverCpuNsPerMessage, 1200);
  t.same(result.cpuNsByRound, [1000, 9000, 1200]);
  t.equal(result.allocatedBytesPerMessage, 48);
  t.equal(result.lossRatio, 0.01);
  t.equal(result.offeredPerSecond, 1000);
  t.equal(result.kernelDrops, 6);
  t.equal(result.rssBytesPerFlow, 510);
  t.equal(result.wireBytesPerMessage, 200.9);
  t.ok(Number.isNaN(median([])));
});

t.test('a snapshot that never came is no message that its cost is divided by', async (t) => {
  const snapshots = { received: 300, missed: 200, late: 0 };
  const result = resultOf([sample(1000, {}, { snapshots })]);
  t.equal(result.serverCpuNsPerMessage, 1250);
});

t.test('an overload that was answered is called none', async (t) => {
  t.equal(
    overloadNote(1000, 1950),
    'closed loop: 1000 messages/s; asked for twice that: answered 1950, no overload',
  );
  t.notMatch(overloadNote(1000, 1200), /no overload/);
});

t.test(
  'JavaScript is the thread less native calls, or less the system where nothing counts those',
  async (t) => {
    t.equal(resultOf([sample(1000)]).jsNsPerMessage, 500);
    t.equal(resultOf([sample(1000, { nativeNs: 650_000 })]).jsNsPerMessage, 150);
    const native = sample(1000, { nativeNs: 900_000 });
    t.equal(resultOf([native]).jsNsPerMessage, 0, 'never below nothing');
  },
);

t.test('pauses are told by kind, and with their time where that was asked for', async (t) => {
  const pauses: ServerMark['pauses'] = [
    [5_250, 1.5, 'minor'],
    [5_500, 4, 'major'],
    [5_750, 0.5, 'minor'],
  ];
  const result = resultOf([sample(1, { pauses })], { plan: { ...plan, hasTimeline: true } });
  t.same(result.gcPauseMs, { count: 3, p50: 1.5, p99: 4, max: 4, total: 6 });
  t.match(result.gcByKind, { minor: { count: 2, max: 1.5 }, major: { count: 1 } });
  t.same(result.gcTimeline?.[0], [0.25, 1.5, 'minor']);
  t.equal(resultOf([sample(1, { pauses })]).gcTimeline, undefined);
});

t.test('of the game, snapshots are what is offered and delivered', async (t) => {
  const snapshots = { received: 600, missed: 200, late: 0 };
  const oneWayNs = histogram(1_000, 2_000_000);
  const result = resultOf([sample(1, {}, { snapshots, oneWayNs })], {
    plan: { ...plan, workload: 'game' },
  });
  t.equal(result.lossRatio, 0.25);
  t.same(result.oneWayUs, { p50: 1, p99: 2000, p999: 2000, max: 2000 });
});

t.test('quantiles over several histograms', async (t) => {
  const all = quantilesUs([histogram(1_000, 2_000), histogram(2_000, 9_000_000)]);
  t.same(all, { p50: 2, p99: 9000, p999: 9000, max: 9000 });
  t.same(quantilesUs([]), { p50: 0, p99: 0, p999: 0, max: 0 });
});

t.test('a curve has four points for each nine, and its maximum at the end', async (t) => {
  const thousand = Array.from({ length: 1_000 }, (_, index) => (index + 1) * 1_000);
  const curve = curveUs([histogram(...thousand.slice(0, 500)), histogram(...thousand.slice(500))]);
  t.equal(curve.length, 3 * 4 + 2);
  t.same(curve[0], [0, 1]);
  const at = Object.fromEntries(curve);
  t.match(at, { 0.9: 900, 0.99: 990, 0.999: 999, 1: 1000 });
  const [shares, values] = [0, 1].map((side) => curve.map((point) => point[side]));
  for (const list of [shares, values])
    t.same(
      [...list].sort((a, b) => a - b),
      list,
    );
  t.same(curveUs([histogram()]), []);
  t.same(curveUs([histogram(7_000)]), [
    [0, 7],
    [1, 7],
  ]);
  const result = resultOf([sample(1, {}, { oneWayNs: histogram(2_000) })]);
  t.same(
    [result.rttCurveUs?.at(-1), result.oneWayCurveUs?.at(-1)],
    [
      [1, 7000],
      [1, 2],
    ],
  );
});

t.test('drops are those between the marks', async (t) => {
  const result = resultOf([sample(1, { drops: { grease: 4, never: 0 } }), sample(1)]);
  t.same(result.drops, { grease: 4 });
});

t.test('the pauses of a client are told apart from those of its server', async (t) => {
  const of = sample(1000, { pauses: [[1, 4, 'major']] });
  const clientPauses: Sample['clientPauses'] = [
    [1, 0.5, 'minor'],
    [2, 1.5, 'minor'],
  ];
  t.equal(resultOf([of]).clientGcPauseMs, undefined, 'without a client nothing is said');
  const result = resultOf([
    { ...of, clientPauses },
    { ...of, clientPauses: [] },
  ]);
  t.match(result.clientGcPauseMs, { count: 2, max: 1.5, total: 2 });
  t.match(result.clientGcByKind, { minor: { count: 2 } });
  t.match(result.gcPauseMs, { count: 2, max: 4 });
});

t.test('connections of a storm are those of the stretch, not of the warm-up too', async (t) => {
  const round = sample(1000, {}, { storm: { completed: 1150, failed: 0 } });
  round.begun = { ...round.begun, storm: { completed: 150, failed: 0 } };
  t.equal(connectedPerSecond([round]), 1000);
});
