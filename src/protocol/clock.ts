import {
  CLOCK_BURST_COUNT,
  CLOCK_BURST_INTERVAL_US,
  CLOCK_INTERVAL_US,
  CLOCK_SAMPLES,
} from '../util/limits.js';
import { timeReached } from '../util/time.js';
import type { Core } from './core.js';
import { TALLY_TIME_UNMATCHED } from './drop-reason.js';
import * as L from './layout.js';
import { readI32 } from './params.js';
import { markDirty } from './streams.js';

/** 8 × (round trip, offset), then the count. Only clients hold one. */
const BLOCK_LOG2 = 5;
const COUNT_WORD = CLOCK_SAMPLES * 2;
/** An answer later than this is not one. */
const ROUND_TRIP_US_MAX = 10_000_000;

/** A client asks five times at once and then every second. */
export function clockDue(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  if (!timeReached(nowUs, flows[f + L.F_CLOCK_US])) {
    return;
  }
  const count = flows[f + L.F_CLOCK_COUNT];
  if (count < CLOCK_BURST_COUNT) {
    flows[f + L.F_CLOCK_COUNT] = count + 1;
  }
  const intervalUs = count + 1 < CLOCK_BURST_COUNT ? CLOCK_BURST_INTERVAL_US : CLOCK_INTERVAL_US;
  flows[f + L.F_CLOCK_US] = (nowUs + intervalUs) | 0;
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
    t0 !== flows[f + L.F_CLOCK_REQUEST_US] ||
    roundTripUs < 0 ||
    roundTripUs > ROUND_TRIP_US_MAX
  ) {
    core.tallies[TALLY_TIME_UNMATCHED] += 1;
    return;
  }
  flows[f + L.F_FLAGS] &= ~L.FLAG_TIME_OUTSTANDING;
  if (flows[f + L.F_CLOCK_BLOCK] === 0) {
    flows[f + L.F_CLOCK_BLOCK] = core.blocks.alloc(BLOCK_LOG2);
  }
  const block = flows[f + L.F_CLOCK_BLOCK];
  const words = core.blocks.words;
  const count = words[block + COUNT_WORD];
  const at = block + (count % CLOCK_SAMPLES) * 2;
  words[at] = roundTripUs;
  words[at + 1] = (((t1 - t0) | 0) - (roundTripUs >> 1)) | 0;
  words[block + COUNT_WORD] = count + 1 === CLOCK_SAMPLES * 2 ? CLOCK_SAMPLES : count + 1;
}

export function freeClock(core: Core, f: number): void {
  if (core.flows[f + L.F_CLOCK_BLOCK] !== 0) {
    core.blocks.free(core.flows[f + L.F_CLOCK_BLOCK], BLOCK_LOG2);
    core.flows[f + L.F_CLOCK_BLOCK] = 0;
  }
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
    if (words[block + index * 2] < words[best]) {
      best = block + index * 2;
    }
  }
  return words[best + 1];
}
