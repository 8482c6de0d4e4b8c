/** Results with something in every chart, made up: for tests of the report. */

import { ratiosOf } from '../ratios.js';
import {
  type GcKind,
  NO_PAUSES,
  type Quantiles,
  type Results,
  type RunResult,
} from '../results.js';
import { emptyResult } from '../run.js';

const LOSSES = [0, 1, 2, 5];
const ECHOES = [
  ['echo/saturated', 100],
  ['echo/paced-1x60', 1],
  ['echo/paced-100x60', 100],
  ['echo/paced-1000x60', 1_000],
  ['coalesced/8', 100],
  ['flows/1000', 1_000],
  ['flows/100000', 100_000],
  ['peers/echo-saturated', 100],
] as const;

export function sampleResults(wires: readonly string[] = ['udp', 'json-ws', 'floor']): Results {
  const runs = wires.flatMap((wire, index) => runsOf(wire, index + 1));
  return {
    machine: {
      cpu: 'A processor with a long name of its own',
      cpus: 64,
      kernel: 'Linux 6.18.44-with-a-long-name',
      memoryBytes: 64 * 2 ** 30,
      pinned: { server: 1, load: 0 },
    },
    versions: { transport: '0.1.0', node: 'v20.20.2', ws: '8.23.0' },
    date: '2026-11-22T00:00:00.000Z',
    command: 'npm run bench',
    runs,
    ratios: ratiosOf(runs),
    skipped: [{ name: 'peer', reason: 'not installed' }],
    note: 'made up for a test',
  };
}

function runsOf(wire: string, factor: number): RunResult[] {
  const loss = LOSSES.flatMap((percent) => [
    run(`loss/${percent}pct-50ms`, wire, 100, factor * (percent + 1)),
    run(`peers/loss-${percent}pct-50ms`, wire, 100, factor * (percent + 1)),
    game(`loss/${percent}pct-50ms-snapshots`, wire, 40, factor * (percent + 1)),
  ]);
  const soak: RunResult = {
    ...run('gc-soak', wire, 1_000, factor),
    gcTimeline: timeline(factor),
    gcPauseMs: { count: 100 * factor, p50: 1.1, p99: 2.5, max: 3.9, total: 120 * factor },
    gcByKind: { minor: NO_PAUSES },
  };
  return [
    ...ECHOES.map(([name, flows]) => run(name, wire, flows, factor)),
    game('game/500x60', wire, 500, factor),
    ...loss,
    soak,
    { ...run('overload/2x', wire, 100, factor), note: `capacity ${factor}` },
    { ...emptyResult('start', wire), startMs: quantiles(100 * factor) },
  ];
}

function run(name: string, wire: string, flows: number, factor: number): RunResult {
  return {
    ...emptyResult(name, wire),
    flows,
    payloadBytes: 100,
    offeredPerSecond: 60_000,
    deliveredPerSecond: 60_000 / factor,
    lossRatio: 0.0001 * factor,
    serverCpuNsPerMessage: (4_000 * factor) / Math.log10(flows + 9),
    jsNsPerMessage: 1_234 * factor,
    allocatedBytesPerMessage: 300 * factor,
    rttUs: quantiles(150 * factor),
    rttCurveUs: curve(150 * factor),
    wireBytesPerMessage: 320 * factor,
    rssBytesPerFlow: Math.round((1e7 * factor) / flows),
  };
}

function game(name: string, wire: string, flows: number, factor: number): RunResult {
  return {
    ...run(name, wire, flows, factor),
    oneWayUs: quantiles(50 * factor),
    oneWayCurveUs: curve(50 * factor),
  };
}

function quantiles(p50: number): Quantiles {
  return { p50, p99: 9 * p50, p999: 22 * p50, max: 61 * p50 };
}

/** A million messages. */
function curve(p50: number): [number, number][] {
  const points = Array.from({ length: 25 }, (_, point): [number, number] => {
    return [1 - 10 ** (-point / 4), (p50 / 2) * (1 + point / 2) ** 1.7];
  });
  return [...points, [1, 61 * p50]];
}

function timeline(factor: number): [number, number, GcKind][] {
  return Array.from({ length: 100 * factor }, (_, pause) => {
    const kind = pause % 40 === 0 ? 'major' : 'minor';
    return [(60 * pause) / (100 * factor), 1 + (pause % 7) / 5 + (kind === 'major' ? 2 : 0), kind];
  });
}
