import { readFileSync } from 'node:fs';
import t from 'tap';
import { NO_PAUSES, NO_QUANTILES, type Results, type RunResult } from './results.js';
import { emptyResult } from './run.js';
import { problemsOf, type Schema } from './schema-check.js';

const schema = JSON.parse(
  readFileSync(new URL('./results.schema.json', import.meta.url), 'utf8'),
) as Schema;

/** Every field there is: the compiler asks for those of the type, the schema for its own. */
const everything: Required<RunResult> = {
  ...emptyResult('echo/saturated', 'udp'),
  oneWayUs: NO_QUANTILES,
  rttCurveUs: [
    [0, 10],
    [1, 20.5],
  ],
  oneWayCurveUs: [],
  clientGcPauseMs: NO_PAUSES,
  clientGcByKind: { minor: NO_PAUSES },
  events: { sent: 2, received: 2 },
  gcByKind: { minor: NO_PAUSES },
  gcTimeline: [[0.5, 1.25, 'minor']],
  eventLoopDelayUs: NO_QUANTILES,
  kernelDrops: 0,
  drops: { grease: 3 },
  rounds: 5,
  cpuNsByRound: [1, 2.5],
  lossByRound: [0, 0.001],
  serverCpuRatio: 0.5,
  loadLagUs: NO_QUANTILES,
  startMs: NO_QUANTILES,
  connectedPerSecond: 1000,
  connected: 100,
  syscallUs: NO_QUANTILES,
  bulkBytesPerSecond: 1,
  recoveryMs: 100,
  note: 'made for a test',
};

const results: Results = {
  machine: { cpu: 'x', cpus: 2, kernel: 'Linux', memoryBytes: 1, pinned: { server: 1, load: 0 } },
  versions: { node: process.version },
  date: new Date(0).toISOString(),
  command: 'npm run bench',
  runs: [emptyResult('start', 'floor'), everything],
  ratios: { 'echo/saturated cpu udp/floor': 1.25 },
  skipped: [{ name: 'loss/2pct-50ms', reason: 'not root' }],
  wires: {
    enet: {
      title: 'ENet',
      about: 'reliable',
      version: '1.3.17',
      language: 'C',
      isEncrypted: false,
      isReliable: true,
      isOrdered: true,
      lacks: '',
    },
  },
  note: 'made for a test',
};

t.test('results have the shape that the committed schema says, in all their fields', async (t) => {
  t.same(problemsOf(results, schema), []);
  const { skipped, wires, note, ...least } = results;
  t.same(problemsOf({ ...least, machine: { ...least.machine, pinned: null } }, schema), []);
  const known = Object.keys(schema.$defs?.run?.properties ?? {}).sort();
  t.same(Object.keys(everything).sort(), known, 'the schema knows no field that the type lacks');
  t.same([skipped?.length, Object.keys(wires ?? {}), typeof note], [1, ['enet'], 'string']);
});

t.test('what is missing, unknown or of another type is found', async (t) => {
  const [run] = results.runs;
  const broken = (change: object): string[] => {
    return problemsOf({ ...results, runs: [{ ...run, ...change }] }, schema);
  };
  t.same(broken({ rttUs: undefined }), ['/runs/0/rttUs: missing']);
  t.same(broken({ lossRatio: 1.5 }), ['/runs/0/lossRatio: 1.5 is above 1']);
  t.same(broken({ flows: 1.5 }), ['/runs/0/flows: number where integer belongs']);
  t.same(broken({ jsNsPerMessage: Number.NaN }), [
    '/runs/0/jsNsPerMessage: no number where number belongs',
  ]);
  t.same(broken({ color: 'red' }), ['/runs/0/color: unknown']);
  t.same(broken({ rttCurveUs: [[1]] }), ['/runs/0/rttCurveUs/0: 1 elements']);
  t.same(broken({ gcTimeline: [[1, 2]] }), ['/runs/0/gcTimeline/0: 2 elements']);
  t.same(problemsOf({ ...results, ratios: { x: '1' } }, schema), [
    '/ratios/x: string where number belongs',
  ]);
});
