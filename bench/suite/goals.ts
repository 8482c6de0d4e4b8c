/**
 * What is aimed at, of CPU, JavaScript, memory, latency and bytes: the goals of the thresholds, and those
 * that nothing holds in continuous integration because they are no ratio. Pure.
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
  figure('flows/100000', 'resident memory per flow', 'bytes', 1_536, (run) => run.rssBytesPerFlow),
  figure('start', 'until listening', 'ms', 200, ({ startMs }) => startMs?.p50),
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
