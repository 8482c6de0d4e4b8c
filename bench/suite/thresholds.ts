/**
 * What continuous integration holds, each with its reason. Ratios of CPU per message only, medians of
 * interleaved rounds: absolute figures belong to a machine, and percentiles of latency to its other work.
 * A limit is three quarters of what was measured on a quiet machine, or four thirds: a twofold cost does
 * not pass, a busy machine does. Goals are aimed at, whether reached or not.
 */

export interface Threshold {
  /** As in `ratios` of the results. */
  ratio: string;
  /** At least, or at most, this. */
  min?: number;
  max?: number;
  /** What is aimed at. */
  goal: number;
  reason: string;
}

export const THRESHOLDS: readonly Threshold[] = [
  {
    ratio: 'echo/saturated cpu json-ws/udp',
    min: 1.7,
    goal: 2.2,
    reason: 'a message costs less than JSON over ws, with encryption and reliability on',
  },
  {
    ratio: 'echo/saturated cpu udp/floor',
    max: 2.6,
    goal: 1.3,
    reason: 'protocol, cipher and JavaScript together stay within a few bare echoes',
  },
  {
    ratio: 'echo/paced-1000x60 cpu json-ws/udp',
    min: 1.1,
    goal: 2.8,
    reason: 'at the rates of games batching must win, too; busy machines have measured 1.25 to 1.9',
  },
  {
    ratio: 'coalesced/8 cpu udp/(floor/8)',
    max: 4.8,
    goal: 1.6,
    reason: 'messages of one packet share its cost: dearer than a packet each means they do not',
  },
  {
    ratio: 'coalesced/8 cpu json-ws/udp',
    min: 4.5,
    goal: 8,
    reason: 'the same, beside the baseline',
  },
  {
    ratio: 'game/500x60 cpu json-ws/udp',
    min: 1.5,
    goal: 3.5,
    reason: 'the workload that this runtime is made for, both sides encoding once per room',
  },
  {
    ratio: 'game/500x60 bytes json-ws/udp',
    min: 2.6,
    goal: 3,
    reason: 'FlatBuffers of 232 B against JSON of 921 B; headers and acknowledgements are in both',
  },
];

/** Share of what was offered that may be missing, beside what the kernel dropped (SO_RXQ_OVFL). */
export const LOSS_RATIO_MAX = 0.001;
/**
 * Of the game's snapshots: one that has not left when the next is made gives way to it, which is what it
 * should do where processes get no CPU for a while. More than this is a flow that holds them back.
 */
export const GAME_LOSS_RATIO_MAX = 0.01;
/** Loss counts in so many of the rounds at least: one burst of other work is no fault. */
export const LOSS_ROUNDS = { of: 3, failing: 2 };
/**
 * On the JavaScript heap, of an echo on UDP: nothing per message. What is left is what a wake makes
 * before it is optimized, and what the marks themselves make.
 */
export const ALLOCATED_BYTES_MAX = 40;
