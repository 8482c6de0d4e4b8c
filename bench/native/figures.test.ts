import t from 'tap';
import type { Histogram } from '../suite/histogram.js';
import { difference, figuresOf, reportOf } from './figures.js';
import type { Memory, NativeLoadMark, NativeServerMark, Sample } from './marks.js';
import { type Driver, matrix, type Run } from './matrix.js';
import { tableOf } from './table.js';

function histogram(...values: number[]): Histogram {
  return { max: Math.max(0, ...values), buckets: values.map((value) => [value, 1]) };
}

/** A round in which 1,000 packets cost `ns` each. */
function sample(ns: number, drops: Record<string, number> = {}): Sample {
  const mark = (part: number): NativeServerMark => ({
    cpuNs: part * 1000 * ns,
    wallNs: part * 1e9,
    echoed: part * 1000,
    syscallNs: histogram(1000, 2000, 9000),
    drops: part === 0 ? {} : drops,
    residentBytes: part * 51_000,
    heapBytes: part * 40_100,
  });
  const sent: NativeLoadMark = {
    offered: 1000,
    delivered: 990,
    rttNs: histogram(5000),
    lagNs: histogram(10),
    cpuNs: 0,
    wallNs: 0,
  };
  return { begun: sent, before: mark(0), after: mark(1), settled: mark(1), sent };
}

function runOf(driver: Driver, flows = 100, pacedHz = 0): Run {
  const group = pacedHz === 0 ? 'saturated' : 'scale';
  return { name: driver, group, driver, flows, pacedHz, serverArgs: [], loadArgs: [] };
}

const run = runOf('auto');
const floor = runOf('floor');
const memory: Memory = {
  before: { ...sample(0).before, residentBytes: 1000, heapBytes: 100 },
  connected: { connected: 100, seconds: 1, residentBytesPerFlow: 700 },
};

t.test('what grew is told, and nothing else', async (t) => {
  t.same(difference({ a: 3, b: 1, c: 2 }, { b: 1, c: 1 }), { a: 3, c: 1 });
  t.same(difference(undefined, { a: 1 }), {});
});

t.test('a ratio compares with the floor of its own round', async (t) => {
  const floors = [sample(100), sample(1000), sample(200)];
  const samples = [sample(120, { replayed: 2 }), sample(1500), sample(220)];
  const figures = figuresOf({ run, samples, memory }, floors);
  t.equal(figures.nsPerPacket, 220);
  t.equal(figures.ratioToFloor.toFixed(3), '1.200');
  t.same(figures.drops, { replayed: 2 });
  t.same(figures.syscallUs, { p50: 2, p99: 9 });
  t.equal(figures.bytesPerFlow, 500);
  t.equal(figures.heapBytesPerFlow, 400);
  t.equal(figures.lossRatio, 0.01);
});

t.test(
  'the report has the shape that was promised, and the table a row for each run',
  async (t) => {
    const report = reportOf([
      { run: floor, samples: [sample(100)], memory: null },
      { run, samples: [sample(130)], memory },
    ]);
    t.equal(report.floorNsPerPacket, 100);
    t.match(report.runs, [
      {
        driver: 'auto',
        flows: 100,
        pacedHz: 0,
        nsPerPacket: 130,
        ratioToFloor: 1.3,
        syscallUs: { p50: Number, p99: Number },
        bytesPerFlow: Number,
        drops: {},
      },
    ]);
    t.same(JSON.parse(JSON.stringify(report)), report, 'nothing in it that JSON cannot say');
    t.equal(tableOf(report).match(/│ (floor|auto) /g)?.length, 2);
  },
);

t.test('many flows are compared with few at the same total rate', async (t) => {
  const of = (driver: Driver, flows: number, ns: number) => ({
    run: runOf(driver, flows, 120_000 / flows),
    samples: [sample(ns), sample(2 * ns)],
    memory: null,
  });
  const { runs } = reportOf([
    of('floor', 1_000, 100),
    of('auto', 1_000, 120),
    of('floor', 100_000, 110),
    of('auto', 100_000, 150),
  ]);
  t.same(
    runs.map(({ ratioToFewFlows }) => ratioToFewFlows),
    [1, 1.25],
  );
});

t.test('every measured run has a floor of its own flows and pacing before it', async (t) => {
  const runs = matrix({ rate: 120_000, flows: [1_000, 10_000, 100_000] });
  for (const [index, { driver, flows, pacedHz }] of runs.entries()) {
    const at = runs.findIndex(
      (other) => other.driver === 'floor' && other.flows === flows && other.pacedHz === pacedHz,
    );
    t.ok(at >= 0 && (driver === 'floor' ? at === index : at < index), `${driver} ${flows}`);
  }
});
