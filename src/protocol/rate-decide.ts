import * as limits from '../util/limits.js';
import * as L from './layout.js';
import { FLOOR_SHIFT, floorOf, isLossy, setFloor } from './rate-loss.js';

/**
 * What an interval's figures do to the rate (docs/wire/rl1.md §6, docs/adr/0011).
 *
 *            queue, or loss that                 queue stays after
 *            stops the growth                    four cuts
 *   STARTUP ────────────────────▶ STEADY ───────────────────────▶ COMPETE
 *   doubles per round trip        grows until a queue or loss      grows until loss,
 *                                 that is its own, then below      or a queue of 0.7 s
 *                                 what was delivered
 *                                    ▲                                │
 *                                    └────────────────────────────────┘ the queue is gone, or too long
 *
 * F_RATE_STATE:  0–1 mode │ 2 limited │ 3 wait │ 4 silent │ 5–7 cuts for delay │ 8–10 cuts for loss
 *                │ 11–15 growth since the last cut │ 16–30 loss floor in 1/32768
 */
export const RATE_MODE = 3;
export const RATE_STARTUP = 0;
export const RATE_STEADY = 1;
export const RATE_COMPETE = 2;
/** In this interval something waited for leave to go. */
export const RATE_LIMITED = 4;
/** Nothing that was sent since F_RATE_SEQUENCE has been acknowledged: figures are of an earlier rate. */
export const RATE_WAIT = 8;
/** A probe timeout: what was lost until the next acknowledgement says nothing of the rate. */
export const RATE_SILENT = 16;
const CUTS_ONE = 0x20;
const CUTS_MASK = 0xe0;
const LOSS_CUTS_ONE = 0x100;
const LOSS_CUTS_MASK = 0x700;
const GROWTH_ONE = 0x800;
const GROWTH_MASK = 0xf800;

const SECOND_US = 1_000_000;
/** A queue has grown: by as much as is delivered in this time, and by so many packets. */
const GROWN_US = 100_000;
const GROWN_PACKETS = 4;
/** A part of that is enough where the rate is not even twice what is delivered. */
const GROWN_NEAR = 0.25;
const COMPETE_PACKETS = 4;
/** So small a part of what was delivered at the start is forgotten by each interval that needs less. */
const KEPT_LOG2 = 4;
const PACKET = limits.RATE_PACKET_BYTES;

/** 64 KiB/s, or ten packets per round trip, which is what TCP starts with (RFC 6928). */
export function startRate(flows: Int32Array, f: number): number {
  const srtt = flows[f + L.F_SRTT_US];
  const span = srtt > limits.RATE_START_RTT_US ? srtt : limits.RATE_START_RTT_US;
  const rate = Math.floor((10 * PACKET * SECOND_US) / span);
  return rate > limits.RATE_START ? rate : limits.RATE_START;
}

/**
 * While nothing holds it back the rate doubles in a round trip: by what was acknowledged. `queueUs` is
 * that of the newest packet.
 */
export function growAtStart(flows: Int32Array, f: number, bytes: number, queueUs: number): void {
  const state = flows[f + L.F_RATE_STATE];
  if ((state & (RATE_MODE | RATE_LIMITED)) !== (RATE_STARTUP | RATE_LIMITED)) {
    return;
  }
  const rate = flows[f + L.F_RATE];
  const delivered = flows[f + L.F_HELD_RATE];
  if (delivered > 0 && rate > limits.RATE_START_GUESS * delivered) {
    return; // Not used: what is acknowledged is half to a third of the rate a round trip later.
  }
  const srtt = flows[f + L.F_SRTT_US];
  if (queueUs > limits.RATE_QUEUE_US / 2) {
    return; // A queue begins: whether it stays is seen at the end of the interval.
  }
  const more = (bytes * SECOND_US) / (srtt > 1000 ? srtt : 1000);
  setRate(flows, f, rate + (more < rate / 2 ? more : rate / 2));
}

/** Nothing comes back: half the rate at each probe after the first, and a start when it does. */
export function rateOnSilence(flows: Int32Array, f: number): void {
  const rate = flows[f + L.F_RATE];
  const state = flows[f + L.F_RATE_STATE];
  const least = (state & RATE_LIMITED) !== 0 ? limits.RATE_SILENT : limits.RATE_START;
  if (rate > least) {
    setRate(flows, f, rate / 2 > least ? rate / 2 : least);
  }
  if (flows[f + L.F_TOKENS] < 0) {
    flows[f + L.F_TOKENS] = 0; // What probes overdrew is not held against what comes after.
  }
  flows[f + L.F_RATE_STATE] = ((state >> FLOOR_SHIFT) << FLOOR_SHIFT) | RATE_STARTUP | RATE_SILENT;
  flows[f + L.F_HELD_RATE] = 0;
}

/** The start builds a queue: its interval ends at once, if it was the start that built it. */
export function startIsOver(
  flows: Int32Array,
  f: number,
  turnUs: number,
  elapsedUs: number,
  acked: number,
): boolean {
  const leastUs = flows[f + L.F_INTERVAL_RTT_US];
  return (
    (flows[f + L.F_RATE_STATE] & (RATE_MODE | RATE_LIMITED)) === (RATE_STARTUP | RATE_LIMITED) &&
    acked >= limits.RATE_INTERVAL_PACKETS &&
    elapsedUs >= limits.RATE_STARTUP_INTERVAL_US &&
    leastUs - flows[f + L.F_MIN_RTT_US] > queueLimitUs(flows, f, turnUs)
  );
}

/** Queueing delay beyond which a queue is one that we make: slow flows get a longer one. */
export function queueLimitUs(flows: Int32Array, f: number, turnUs: number): number {
  const packetsUs = (2 * PACKET * SECOND_US) / flows[f + L.F_RATE];
  const wanted = limits.RATE_QUEUE_US + packetsUs;
  return (wanted < limits.RATE_QUEUE_US_MAX ? wanted : limits.RATE_QUEUE_US_MAX) + turnUs;
}

function setRate(flows: Int32Array, f: number, rate: number): void {
  const bounded = rate < limits.RATE_MIN ? limits.RATE_MIN : rate;
  flows[f + L.F_RATE] = Math.floor(bounded < limits.RATE_MAX ? bounded : limits.RATE_MAX);
}

/**
 * Holds back until no more is in flight than an empty queue explains, and a little less, so that the
 * least round trip is seen again; for `longestUs` at most. Waits for what comes of it.
 */
function drain(flows: Int32Array, f: number, delivered: number, longestUs: number): void {
  const path = delivered * (flows[f + L.F_MIN_RTT_US] / SECOND_US);
  const excess = flows[f + L.F_BYTES_IN_FLIGHT] - 0.85 * path;
  const most = flows[f + L.F_RATE] * (longestUs / SECOND_US);
  const held = Math.floor(excess < most ? excess : most);
  if (held > 0 && flows[f + L.F_TOKENS] > -held) {
    flows[f + L.F_TOKENS] = -held;
  }
}

/** An interval of `elapsedUs` is over, in which `acked` packets arrived and `lost` did not. */
export function decide(
  flows: Int32Array,
  f: number,
  turnUs: number,
  elapsedUs: number,
  acked: number,
  lost: number,
): void {
  const delivered = (flows[f + L.F_INTERVAL_BYTES] * SECOND_US) / elapsedUs;
  const hasRtt = flows[f + L.F_INTERVAL_RTT_US] !== 0;
  const queueUs = hasRtt ? flows[f + L.F_INTERVAL_RTT_US] - flows[f + L.F_MIN_RTT_US] : 0;
  const packets = acked + lost;
  const floor = floorOf(flows[f + L.F_RATE_STATE]);
  const grownBytes = watchQueue(flows, f, turnUs, queueUs);
  if (grownBytes >= 0 && isForeign(flows, f, grownBytes, delivered, acked)) {
    leaveUnused(flows, f);
    return;
  }
  switch (flows[f + L.F_RATE_STATE] & RATE_MODE) {
    case RATE_STARTUP:
      decideStartup(flows, f, turnUs, delivered, queueUs, packets, lost, floor);
      break;
    case RATE_STEADY:
      decideSteady(flows, f, turnUs, delivered, queueUs, packets, lost, floor);
      break;
    default:
      decideCompete(flows, f, turnUs, delivered, queueUs, packets, lost, floor, elapsedUs, hasRtt);
  }
  flows[f + L.F_RATE_STATE] &= ~RATE_LIMITED;
}

/** How much more is in flight than when the queue was seen first, bytes; -1 where there is none. */
function watchQueue(flows: Int32Array, f: number, turnUs: number, queueUs: number): number {
  const isCompeting = (flows[f + L.F_RATE_STATE] & RATE_MODE) === RATE_COMPETE;
  if (queueUs <= queueLimitUs(flows, f, turnUs) || isCompeting) {
    flows[f + L.F_QUEUE_BYTES] = 0;
    return -1;
  }
  const before = flows[f + L.F_QUEUE_BYTES];
  const now = flows[f + L.F_BYTES_IN_FLIGHT] + 1; // 0 is none
  if (before !== 0 && now >= before) return now - before;
  flows[f + L.F_QUEUE_BYTES] = now;
  return 0;
}

/**
 * A queue while the rate was not used up: another's, or of a process that stood still; it is no reason
 * to send less than the application does. Unless ever more is in flight: then the link is slower than
 * the application. (Less was delivered than sent; that alone is also what a peer's stall looks like.) A
 * rate that is hardly more than what is delivered was found by an own queue, most likely, and is about
 * to make the next one, so less growth tells it. A flow that has much in flight may be held back by what
 * its receiver offers, and make the queue itself.
 */
function isForeign(
  flows: Int32Array,
  f: number,
  grownBytes: number,
  delivered: number,
  acked: number,
): boolean {
  if ((flows[f + L.F_RATE_STATE] & RATE_LIMITED) !== 0) return false;
  if (flows[f + L.F_BYTES_IN_FLIGHT] >= limits.BURST_BYTES) return false;
  const packets = (GROWN_PACKETS * flows[f + L.F_INTERVAL_BYTES]) / (acked > 0 ? acked : 1);
  const bytes = delivered * (GROWN_US / SECOND_US);
  const part = flows[f + L.F_RATE] > 2 * delivered ? 1 : GROWN_NEAR;
  return grownBytes <= part * (bytes > packets ? bytes : packets);
}

/** Half of a rate that is not used up is given back, down to that of a start. */
function leaveUnused(flows: Int32Array, f: number): void {
  const rate = flows[f + L.F_RATE];
  const least = startRate(flows, f);
  if (rate > least) setRate(flows, f, rate / 2 > least ? rate / 2 : least);
}

/** Into `mode` with all counters at 0; the next interval is one of the new rate alone. */
function enter(flows: Int32Array, f: number, mode: number): void {
  const floor = flows[f + L.F_RATE_STATE] >> FLOOR_SHIFT;
  flows[f + L.F_RATE_STATE] = (floor << FLOOR_SHIFT) | mode | RATE_WAIT;
  flows[f + L.F_RATE_SEQUENCE] = flows[f + L.F_NEXT_SEQUENCE];
}

/** Figures of the time that was waited: at the end of STARTUP they know the full link better. */
export function endWait(flows: Int32Array, f: number, elapsedUs: number): void {
  const state = flows[f + L.F_RATE_STATE];
  flows[f + L.F_RATE_STATE] = state & ~RATE_WAIT;
  if (elapsedUs < limits.RATE_STARTUP_INTERVAL_US || (state & RATE_MODE) !== RATE_STEADY) return;
  const floor = floorOf(state);
  const usable = (flows[f + L.F_INTERVAL_BYTES] * SECOND_US) / elapsedUs / (1 - floor);
  // Not more than twice: acknowledgements that come at once make it seem any rate.
  const rate = flows[f + L.F_RATE];
  if (usable * 0.95 > rate) setRate(flows, f, Math.min(usable * 0.95, 2 * rate));
}

function decideStartup(
  flows: Int32Array,
  f: number,
  turnUs: number,
  delivered: number,
  queueUs: number,
  packets: number,
  lost: number,
  floor: number,
): void {
  if (delivered === 0) {
    return; // Sent before the peer knew our PARAMS, most likely. Silence is what probes tell.
  }
  const before = flows[f + L.F_HELD_RATE];
  const grew = delivered > 1.25 * before;
  const state = flows[f + L.F_RATE_STATE];
  const share = packets > 0 ? lost / packets : 0;
  // What the link once delivered it most likely still does, long after it was needed.
  const kept = before - (before >> KEPT_LOG2);
  if (delivered > kept) flows[f + L.F_HELD_RATE] = delivered;
  else flows[f + L.F_HELD_RATE] = kept;
  const limitUs = queueLimitUs(flows, f, turnUs);
  if (queueUs <= limitUs) {
    const few = packets < 32;
    if (!isLossy(packets, lost, floor, limits.RATE_LOSS) && lost * 2 < packets) {
      flows[f + L.F_RATE_STATE] = state & ~LOSS_CUTS_MASK;
      return;
    }
    if ((state & RATE_LIMITED) === 0) {
      setUnused(flows, f);
      return;
    }
    const isFlood = share > 1.5 * limits.LOSS_FLOOR_MAX && packets >= limits.RATE_INTERVAL_PACKETS;
    if (grew && (few || share < limits.LOSS_FLOOR_MAX)) {
      // Twice the rate, and as much more delivered: the loss is not ours.
      flows[f + L.F_RATE_STATE] = state & ~LOSS_CUTS_MASK;
      setFloor(flows, f, (floor + share) / 2);
      return;
    }
    const strikes = (state & LOSS_CUTS_MASK) / LOSS_CUTS_ONE;
    if (!isFlood && strikes < (few ? 3 : 1) && (few || share < limits.LOSS_FLOOR_MAX)) {
      flows[f + L.F_RATE_STATE] = state + LOSS_CUTS_ONE;
      return;
    }
  }
  endStartup(flows, f, delivered / (1 - floor), delivered, share, queueUs > limitUs);
}

/** To what the link carries; with a queue, once it has drained. */
function endStartup(
  flows: Int32Array,
  f: number,
  usable: number,
  delivered: number,
  share: number,
  hasQueue: boolean,
): void {
  // Acknowledgements that come at once make it seem more than was ever sent.
  if (hasQueue) setRate(flows, f, usable < flows[f + L.F_RATE] ? usable : flows[f + L.F_RATE]);
  else lowerForLoss(flows, f, usable, share);
  steadyFromHere(flows, f, delivered);
}

/** The rate is where the link was full; what is queued is ours, and drains. */
function steadyFromHere(flows: Int32Array, f: number, delivered: number): void {
  flows[f + L.F_HELD_RATE] = flows[f + L.F_RATE];
  enter(flows, f, RATE_STEADY);
  drain(flows, f, delivered, longPauseUs(flows, f));
}

/** Our own queue needs as long to drain as it is long, and again while the urgent goes on. */
function longPauseUs(flows: Int32Array, f: number): number {
  const queueUs = flows[f + L.F_LATEST_RTT_US] - flows[f + L.F_MIN_RTT_US];
  const wanted = 2 * queueUs;
  const bounded = wanted < limits.RATE_LONG_PAUSE_US_MAX ? wanted : limits.RATE_LONG_PAUSE_US_MAX;
  return bounded > limits.RATE_PAUSE_US_MAX ? bounded : limits.RATE_PAUSE_US_MAX;
}

function decideSteady(
  flows: Int32Array,
  f: number,
  turnUs: number,
  delivered: number,
  queueUs: number,
  packets: number,
  lost: number,
  floor: number,
): void {
  const state = flows[f + L.F_RATE_STATE];
  const rate = flows[f + L.F_RATE];
  const limitUs = queueLimitUs(flows, f, turnUs);
  const usable = delivered / (1 - floor);
  if (queueUs > limitUs) {
    const part = lost > 1 + packets * floor * 1.5 ? 0.85 : 0.95;
    cutForDelay(flows, f, delivered, usable, part, queueUs);
    return;
  }
  if (queueUs < limitUs / 2) {
    flows[f + L.F_RATE_STATE] &= ~CUTS_MASK;
  }
  const limited = (state & RATE_LIMITED) !== 0;
  if (isLossy(packets, lost, floor, limits.RATE_LOSS)) {
    cutForLoss(flows, f, delivered, usable, lost / packets);
    return;
  }
  // A lucky interval of a few packets is no end of the loss.
  const isLuck = lost > 0 && packets < 2 * limits.RATE_INTERVAL_PACKETS;
  if (!isLuck || flows[f + L.F_LOSS_Q16] / 65536 <= floor + limits.RATE_LOSS) {
    flows[f + L.F_RATE_STATE] &= ~LOSS_CUTS_MASK;
  }
  if (queueUs < limitUs / 2) learnFloor(flows, f, packets, lost, floor);
  if (limited && usable > 0.7 * rate && queueUs < (limitUs * 2) / 3) {
    grow(flows, f, usable);
  }
}

function cutForDelay(
  flows: Int32Array,
  f: number,
  delivered: number,
  usable: number,
  part: number,
  queueUs: number,
): void {
  const state = flows[f + L.F_RATE_STATE];
  const rate = flows[f + L.F_RATE];
  const cuts = (state & CUTS_MASK) / CUTS_ONE;
  if (cuts === 0) flows[f + L.F_HELD_RATE] = usable < rate ? usable : rate;
  const counts = cuts === 0 || isWorthCompeting(flows[f + L.F_HELD_RATE], queueUs);
  if (counts && cuts >= limits.RATE_CUTS) {
    setRate(flows, f, flows[f + L.F_HELD_RATE]);
    enter(flows, f, RATE_COMPETE);
    return;
  }
  setRate(flows, f, part * (usable < rate ? usable : rate));
  enter(flows, f, RATE_STEADY);
  flows[f + L.F_RATE_STATE] |= (counts ? cuts + 1 : cuts) * CUTS_ONE;
  drain(flows, f, delivered, limits.RATE_PAUSE_US_MAX);
}

/**
 * Whether a queue can be told from that of several slow flows, each of which has a packet or two in it
 * however little it sends.
 */
function isWorthCompeting(rate: number, queueUs: number): boolean {
  const packetsUs = (COMPETE_PACKETS * PACKET * SECOND_US) / rate;
  const least = packetsUs < limits.RATE_COMPETE_QUEUE_US ? packetsUs : limits.RATE_COMPETE_QUEUE_US;
  return queueUs > least;
}

/**
 * Loss without a queue. First the rate is lowered to what the floor explains, then below what was
 * delivered; loss that stays at that rate is not ours, and the floor rises.
 */
function cutForLoss(
  flows: Int32Array,
  f: number,
  delivered: number,
  usable: number,
  share: number,
): void {
  const rate = flows[f + L.F_RATE];
  const state = flows[f + L.F_RATE_STATE];
  const floor = floorOf(state);
  const cuts = (state & LOSS_CUTS_MASK) / LOSS_CUTS_ONE;
  if (cuts >= 2 && share < 1.5 * limits.LOSS_FLOOR_MAX) {
    setFloor(flows, f, (floor + share) / 2);
    return;
  }
  const best = cuts === 0 ? usable : delivered;
  if ((state & RATE_LIMITED) !== 0 || usable > 0.7 * rate) {
    flows[f + L.F_HELD_RATE] = usable < rate ? usable : rate;
    lowerForLoss(flows, f, 0.85 * (best < rate ? best : rate), share);
  } else {
    setUnused(flows, f);
  }
  enter(flows, f, RATE_STEADY);
  flows[f + L.F_RATE_STATE] |= (state & CUTS_MASK) | ((cuts < 7 ? cuts + 1 : 7) * LOSS_CUTS_ONE);
}

/**
 * Loss alone, without a queue and below what is surely too much, is no reason to send less than a game's
 * snapshots: it is more often the radio's than ours.
 */
function lowerForLoss(flows: Int32Array, f: number, wanted: number, share: number): void {
  const rate = flows[f + L.F_RATE];
  const least = share < limits.LOSS_FLOOR_MAX ? Math.min(rate, limits.RATE_START) : limits.RATE_MIN;
  setRate(flows, f, wanted > least ? wanted : least);
}

/** Loss at a rate that the application does not use up: what is delivered says little. */
function setUnused(flows: Int32Array, f: number): void {
  const rate = flows[f + L.F_RATE];
  if (rate > limits.RATE_START) setRate(flows, f, Math.max(0.85 * rate, limits.RATE_START));
}

/** Loss below the rate that filled the link last is not ours: it is the floor. */
function learnFloor(
  flows: Int32Array,
  f: number,
  packets: number,
  lost: number,
  floor: number,
): void {
  if (packets === 0 || flows[f + L.F_RATE] > 0.97 * flows[f + L.F_HELD_RATE]) return;
  const weight = packets < 16 ? packets / 64 : 0.25;
  setFloor(flows, f, floor + (lost / packets - floor) * weight);
}

/** Slowly where the link was full last time, faster the farther from there (as RFC 9438 §4.2). */
function grow(flows: Int32Array, f: number, usable: number): void {
  const state = flows[f + L.F_RATE_STATE];
  const rate = flows[f + L.F_RATE];
  const held = flows[f + L.F_HELD_RATE];
  const steps = (state & GROWTH_MASK) / GROWTH_ONE;
  let part = 0.01;
  if (rate < 0.9 * held) part = 0.06;
  else if (rate < 0.97 * held) part = 0.02;
  else if (usable > 1.1 * held) part = 0.02 * steps;
  if (part > 0.2) part = 0.2;
  setRate(flows, f, rate * (1 + part) + limits.RATE_STEP);
  if (steps < 31) flows[f + L.F_RATE_STATE] = state + GROWTH_ONE;
}

function decideCompete(
  flows: Int32Array,
  f: number,
  turnUs: number,
  delivered: number,
  queueUs: number,
  packets: number,
  lost: number,
  floor: number,
  elapsedUs: number,
  hasRtt: boolean,
): void {
  const state = flows[f + L.F_RATE_STATE];
  const rate = flows[f + L.F_RATE];
  if (hasRtt && queueUs < queueLimitUs(flows, f, turnUs) / 3) {
    flows[f + L.F_HELD_RATE] = rate;
    enter(flows, f, RATE_STEADY);
    return;
  }
  if (isLossy(packets, lost, floor, 0.005)) {
    setRate(flows, f, rate * 0.7);
    enter(flows, f, RATE_COMPETE);
    return;
  }
  if ((state & RATE_LIMITED) === 0) return;
  const usable = delivered / (1 - floor);
  if (queueUs > limits.RATE_COMPETE_QUEUE_US_MAX && usable < 0.85 * rate) {
    // Who competes with us has nothing to lose: several flows like this one fill any queue.
    setRate(flows, f, 0.85 * usable);
    steadyFromHere(flows, f, delivered);
    return;
  }
  if (delivered < 0.5 * rate) return;
  const srtt = Math.max(flows[f + L.F_SRTT_US], limits.TIMER_GRANULARITY_US);
  setRate(flows, f, rate + ((PACKET * SECOND_US) / srtt) * (elapsedUs / srtt));
  const steps = (state & GROWTH_MASK) / GROWTH_ONE;
  if (steps === 15) drain(flows, f, delivered, limits.RATE_PAUSE_US_MAX);
  flows[f + L.F_RATE_STATE] = steps === 15 ? state & ~GROWTH_MASK : state + GROWTH_ONE;
}
