/**
 * What is aimed at, of CPU, JavaScript, memory, latency and bytes: the goals of the thresholds, those
 * that nothing holds in continuous integration because they are no ratio, and those that no run of the
 * suite measures, with the reason. Pure.
 */
import { findRun, type Results, type RunResult } from './results.js';
import { THRESHOLDS } from './thresholds.js';

export type Unit = 'times' | 'ns' | 'µs' | 'ms' | 'bytes' | 'share';

export interface Goal {
  /** A name of `ratios`, or `RUN FIGURE`. */
  name: string;
  unit: Unit;
  isAtMost: boolean;
  goal: number;
  /** Undefined when the run was not made. */
  of: (results: Results) => number | undefined;
  /** Why results may be without it, where that is not the choice of runs. */
  why?: string;
}

export interface Outcome extends Goal {
  measured: number | undefined;
  /** Null when it was not measured. */
  isReached: boolean | null;
  /** How many times better than the goal, or worse when below 1; NaN where that says nothing. */
  score: number;
}

const ratio = (name: string, goal: number, isAtMost = true): Goal => {
  return { name, unit: 'times', isAtMost, goal, of: ({ ratios }) => ratios[name] };
};

/** At most `goal`, of a run on UDP. */
const figure = (
  run: string,
  what: string,
  unit: Unit,
  goal: number,
  pick: (run: RunResult) => number | undefined,
): Goal => {
  const of = (results: Results): number | undefined => {
    const own = findRun(results, run, 'udp');
    return own === undefined ? undefined : pick(own);
  };
  return { name: `${run} ${what}`, unit, isAtMost: true, goal, of };
};

/** Of the server in another way than the suite runs it, or of what it does not look at. */
const unmeasured = (name: string, unit: Unit, goal: number, why: string): Goal => {
  return { name, unit, isAtMost: true, goal, of: () => undefined, why };
};

/** A message costs the peer as much as this runtime at least; `why` for one that is not there. */
const ahead = (peer: string, why?: string): Goal => {
  const goal = ratio(`peers/echo-saturated cpu ${peer}/udp`, 1, false);
  return { ...goal, why: why ?? 'only with --peers, where the peer can be installed' };
};

const NATIVE_ONLY = 'npm run bench:native measures it, of the data plane without JavaScript';
const OTHER_DRIVER = `the suite runs the driver auto; ${NATIVE_ONLY}`;
/** One tick of 60 Hz, and what a message may take besides. */
const TICK_RTT_US_MAX = 1e6 / 60 + 1_500;

/** Of a message a second and flow: what load and server together did not get done in its time. */
const late = ({ flows, deliveredPerSecond }: RunResult): number =>
  Math.max(0, 1 - deliveredPerSecond / flows);

/** Nothing per message: less than a byte is what the marks of a round make. */
const HEAP_BYTES_MAX = 1;

export const GOALS: readonly Goal[] = [
  ...THRESHOLDS.map(({ ratio: name, min, goal }) => ratio(name, goal, min === undefined)),
  ratio('echo/paced-1000x60 cpu udp/floor', 0.8),
  figure('echo/paced-1000x60', 'round trip p99', 'µs', 1_500, ({ rttUs }) => rttUs.p99),
  figure('echo/saturated', 'JavaScript per message', 'ns', 250, (run) => run.jsNsPerMessage),
  figure('coalesced/8', 'JavaScript per message', 'ns', 100, (run) => run.jsNsPerMessage),
  figure(
    'echo/saturated',
    'heap per message',
    'bytes',
    HEAP_BYTES_MAX,
    (run) => run.allocatedBytesPerMessage,
  ),
  figure('echo/saturated', 'bytes over the payload', 'bytes', 60, overhead),
  figure('gc-soak', 'longest GC pause', 'ms', 1, ({ gcPauseMs }) => gcPauseMs.max),
  ratio('loss/2pct-50ms rtt-p99 udp/json-ws', 1),
  ratio('loss/2pct-50ms-snapshots one-way-p99 udp/json-ws', 0.5),
  ratio('flows cpu 100000/1000', 1.3),
  figure('flows/100000', 'lost', 'share', 0, ({ lossRatio }) => lossRatio),
  figure('flows/100000', 'not sent and answered in time', 'share', 0.01, late),
  figure('flows/100000', 'resident memory per flow', 'bytes', 1_536, (run) => run.rssBytesPerFlow),
  figure('start', 'until listening', 'ms', 200, ({ startMs }) => startMs?.p50),
  ahead('node-dgram'),
  ahead('enet'),
  ahead('netcode+reliable', 'bench/peers has renet over netcode in its place'),
  ahead('GameNetworkingSockets', 'bench/peers does not have it'),
  unmeasured('echo/paced-1000x60 cpu tick/auto', 'times', 1, OTHER_DRIVER),
  unmeasured('echo/paced-1000x60 round trip p99, tick', 'µs', TICK_RTT_US_MAX, OTHER_DRIVER),
  unmeasured('echo/paced-1000x60 cpu immediate/floor', 'times', 1.35, OTHER_DRIVER),
  unmeasured('echo/paced-1000x60 rtt-p99 immediate/floor', 'times', 2, OTHER_DRIVER),
  unmeasured('flows/100000 time in a batch call p99', 'ms', 1, NATIVE_ONLY),
  unmeasured(
    'echo/saturated bytes over the payload, with connection id',
    'bytes',
    68,
    'only clients send a connection id, and results have the bytes of both directions together',
  ),
  unmeasured(
    'loss/2pct-50ms-snapshots age of inputs with redundancy, p99 to TCP',
    'times',
    0.5,
    'the load knows of an input by the snapshot that answers it, not when it came',
  ),
  unmeasured(
    'loss/2pct-50ms-snapshots latency of channels without a loss to those with',
    'times',
    1,
    'no run counts one channel apart by whether another one had lost something',
  ),
];

export function goalsOutcome(results: Results, goals: readonly Goal[] = GOALS): Outcome[] {
  return goals.map((entry) => {
    const { goal, isAtMost } = entry;
    const value = entry.of(results);
    const measured = value === undefined || !Number.isFinite(value) ? undefined : value;
    if (measured === undefined) return { ...entry, measured, isReached: null, score: Number.NaN };
    const isReached = isAtMost ? measured <= goal : measured >= goal;
    const score = isAtMost ? goal / measured : measured / goal;
    const tells = measured > 0 && goal > 0;
    return { ...entry, measured, isReached, score: tells ? score : Number.NaN };
  });
}

/** Of one direction: an echo's bytes are those of both. */
function overhead({ wireBytesPerMessage, payloadBytes }: RunResult): number {
  return wireBytesPerMessage / 2 - payloadBytes;
}
