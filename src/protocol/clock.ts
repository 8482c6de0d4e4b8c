import {
  CLOCK_BURST_COUNT,
  CLOCK_BURST_INTERVAL_US,
  CLOCK_EARLY_COUNT,
  CLOCK_EARLY_INTERVAL_US,
  CLOCK_INTERVAL_US,
  CLOCK_SAMPLES,
} from '../util/limits.js';
import { timeAfter, timeReached } from '../util/time.js';
import type { Core } from './core.js';
import { TALLY_TIME_UNMATCHED } from './drop-reason.js';
import * as L from './layout.js';
import { readI32 } from './params.js';
import { markDirty } from './streams.js';

/**
 * 8 × (round trip, offset, arrival), then how many came, then t0 of the last one. Only clients hold
 * one.
 */
const BLOCK_LOG2 = 5;
const SAMPLE_WORDS = 3;
const COUNT_WORD = CLOCK_SAMPLES * SAMPLE_WORDS;
const T0_WORD = COUNT_WORD + 1;
/** An answer later than this is not one. */
const ROUND_TRIP_US_MAX = 10_000_000;

/**
 * A client asks five times at once and some more times in the first two seconds, then every second, when
 * the question waits for data to ride with, and leaves alone after another second.
 */
export function clockDue(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  if (!timeReached(nowUs, flows[f + L.F_CLOCK_US])) {
    return;
  }
  const count = flows[f + L.F_CLOCK_COUNT];
  if (count < CLOCK_EARLY_COUNT) {
    flows[f + L.F_CLOCK_COUNT] = count + 1;
  }
  const intervalUs =
    count + 1 < CLOCK_BURST_COUNT
      ? CLOCK_BURST_INTERVAL_US
      : count + 1 < CLOCK_EARLY_COUNT
        ? CLOCK_EARLY_INTERVAL_US
        : CLOCK_INTERVAL_US;
  flows[f + L.F_CLOCK_US] = (nowUs + intervalUs) | 0;
  if (count === CLOCK_EARLY_COUNT && (flows[f + L.F_FLAGS] & L.FLAG_TIME_WANTED) === 0) {
    flows[f + L.F_FLAGS] |= L.FLAG_TIME_WANTED;
    return;
  }
  flows[f + L.F_FLAGS] |= L.FLAG_TIME_REQUEST;
  markDirty(core, f);
}

/** Frame 02: answered in the next packet; of several only the newest is. */
export function receiveTimeRequest(
  core: Core,
  f: number,
  bytes: Uint8Array,
  offset: number,
  arrivalUs: number,
): void {
  const flows = core.flows;
  flows[f + L.F_TIME_REQUEST_T0] = readI32(bytes, offset);
  flows[f + L.F_TIME_REQUEST_T1] = arrivalUs;
  flows[f + L.F_FLAGS] |= L.FLAG_TIME_RESPONSE | L.FLAG_ACK_NOW;
  markDirty(core, f);
}

/**
 * Frame 03 (NTP, RFC 5905 §8): round trip (t3 − t0) − (t2 − t1), offset (t1 − t0) − round trip / 2.
 * The clocks may have any origin, so only differences of one clock are taken.
 */
export function receiveTimeResponse(
  core: Core,
  f: number,
  bytes: Uint8Array,
  offset: number,
  arrivalUs: number,
): void {
  const flows = core.flows;
  const t0 = readI32(bytes, offset);
  const t1 = readI32(bytes, offset + 4);
  const t2 = readI32(bytes, offset + 8);
  const roundTripUs = (((arrivalUs - t0) | 0) - ((t2 - t1) | 0)) | 0;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_TIME_OUTSTANDING) === 0 ||
    !isAwaited(core, f, t0) ||
    roundTripUs < 0 ||
    roundTripUs > ROUND_TRIP_US_MAX
  ) {
    core.tallies[TALLY_TIME_UNMATCHED] += 1;
    return;
  }
  if (t0 === flows[f + L.F_CLOCK_REQUEST_US]) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_TIME_OUTSTANDING;
  }
  if (flows[f + L.F_CLOCK_BLOCK] === 0) {
    flows[f + L.F_CLOCK_BLOCK] = core.blocks.alloc(BLOCK_LOG2);
  }
  const block = flows[f + L.F_CLOCK_BLOCK];
  const words = core.blocks.words;
  const count = words[block + COUNT_WORD];
  const at = block + (count % CLOCK_SAMPLES) * SAMPLE_WORDS;
  words[at] = roundTripUs;
  words[at + 1] = (((t1 - t0) | 0) - (roundTripUs >> 1)) | 0;
  words[at + 2] = arrivalUs;
  words[block + COUNT_WORD] = count + 1;
  words[block + T0_WORD] = t0;
}

/** Asked not after the newest request, and after the one that was answered last. */
function isAwaited(core: Core, f: number, t0: number): boolean {
  const block = core.flows[f + L.F_CLOCK_BLOCK];
  return (
    timeReached(core.flows[f + L.F_CLOCK_REQUEST_US], t0) &&
    (block === 0 || timeAfter(t0, core.blocks.words[block + T0_WORD]))
  );
}

export function freeClock(core: Core, f: number): void {
  if (core.flows[f + L.F_CLOCK_BLOCK] !== 0) {
    core.blocks.free(core.flows[f + L.F_CLOCK_BLOCK], BLOCK_LOG2);
    core.flows[f + L.F_CLOCK_BLOCK] = 0;
  }
}

/** Answers that came since the flow is ready. */
export function clockSampleCount(core: Core, f: number): number {
  const block = core.flows[f + L.F_CLOCK_BLOCK];
  return block === 0 ? 0 : core.blocks.words[block + COUNT_WORD];
}

/** Protocol.clockSample */
export function readClockSample(core: Core, f: number, index: number, out: Int32Array): boolean {
  const count = clockSampleCount(core, f);
  if (index >= count || index < count - CLOCK_SAMPLES || index < 0) {
    return false;
  }
  const words = core.blocks.words;
  const at = core.flows[f + L.F_CLOCK_BLOCK] + (index % CLOCK_SAMPLES) * SAMPLE_WORDS;
  out[0] = words[at];
  out[1] = words[at + 1];
  out[2] = words[at + 2];
  return true;
}

/**
 * Peer's clock − ours by the exchange with the least round trip of the last eight; 0 without one.
 */
export function clockOffsetUs(core: Core, f: number): number {
  const block = core.flows[f + L.F_CLOCK_BLOCK];
  if (block === 0) {
    return 0;
  }
  const words = core.blocks.words;
  const count = Math.min(words[block + COUNT_WORD], CLOCK_SAMPLES);
  let best = block;
  for (let index = 1; index < count; index += 1) {
    const at = block + index * SAMPLE_WORDS;
    if (words[at] < words[best]) {
      best = at;
    }
  }
  return words[best + 1];
}
