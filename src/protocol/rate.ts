import * as limits from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import {
  decide,
  endWait,
  growAtStart,
  RATE_LIMITED,
  RATE_MODE,
  RATE_SILENT,
  RATE_STARTUP,
  RATE_WAIT,
  startIsOver,
  startRate,
} from './rate-decide.js';

/**
 * Rate control: how many bytes per second a flow may send (docs/wire/rl1.md §6, docs/adr/0011).
 *
 *   commit ─▶ tokens ▼, in flight ▲        acks, losses ─▶ interval ─▶ decide ─▶ F_RATE
 *                ▲                                          bytes, packets, least RTT
 *                └── refill: F_RATE × time
 *
 * Here is the account: who may send now, and what an interval saw. What follows from it is decided in
 * rate-decide.ts.
 *
 * Invariant: F_BYTES_IN_FLIGHT = Σ P_BYTES over the records in the sent ring that are not
 * PACKET_LOST; F_TOKENS ≤ what the bucket holds.
 */

/** What may leave now. */
export const CARRY_NOTHING = 0;
/** Only channels of a more urgent priority than the least urgent that waits. */
export const CARRY_URGENT = 1;
export const CARRY_ALL = 2;

const SECOND_US = 1_000_000;
/** A refill after a longer time is one of this time; the bucket is far smaller. */
const REFILL_US_MAX = 1_000_000;
/** Urgent data may be this far ahead of the rate, beside four packets. */
const URGENT_US = 300_000;

/** A new path: nothing is known of it. */
export function resetRate(flows: Int32Array, f: number, nowUs: number): void {
  flows[f + L.F_RATE] = startRate(flows, f);
  flows[f + L.F_TOKENS] = limits.BURST_BYTES_MIN;
  flows[f + L.F_TOKENS_US] = nowUs;
  flows[f + L.F_RATE_STATE] = RATE_STARTUP;
  flows[f + L.F_HELD_RATE] = 0;
  flows[f + L.F_QUEUE_BYTES] = 0;
  beginInterval(flows, f, nowUs);
}

function beginInterval(flows: Int32Array, f: number, nowUs: number): void {
  flows[f + L.F_INTERVAL_US] = nowUs;
  flows[f + L.F_INTERVAL_BYTES] = 0;
  flows[f + L.F_INTERVAL_PACKETS] = 0;
  flows[f + L.F_INTERVAL_RTT_US] = 0;
}

/**
 * Most tokens: what may leave from one turn to the next, so that all of the rate can be used by a
 * driver that ticks, and through a timer of 1 ms.
 */
function burstBytes(core: Core, rate: number): number {
  const turn = Math.floor(rate * ((core.turnUs + limits.BURST_US) / SECOND_US));
  const start = Math.floor(rate * (limits.BURST_START_US / SECOND_US));
  const first = start < limits.BURST_BYTES ? start : limits.BURST_BYTES;
  const least = first > limits.BURST_BYTES_MIN ? first : limits.BURST_BYTES_MIN;
  return turn > least ? turn : least;
}

function refill(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  const elapsedUs = (nowUs - flows[f + L.F_TOKENS_US]) | 0;
  if (elapsedUs <= 0 && elapsedUs > -REFILL_US_MAX) {
    return;
  }
  const rate = flows[f + L.F_RATE];
  const forUs = elapsedUs < 0 || elapsedUs > REFILL_US_MAX ? REFILL_US_MAX : elapsedUs;
  const more = Math.floor(rate * (forUs / SECOND_US));
  if (more === 0) {
    return; // The time counts when it is worth a byte.
  }
  flows[f + L.F_TOKENS_US] = nowUs;
  const most = burstBytes(core, rate);
  // What urgent data was ahead at a higher rate is no debt for minutes at a lower one.
  const least = -(rate * (URGENT_US / SECOND_US) + limits.URGENT_BYTES) | 0;
  const owed = flows[f + L.F_TOKENS];
  const tokens = (owed < least ? least : owed) + more;
  flows[f + L.F_TOKENS] = tokens > most ? most : tokens;
  repace(core, f);
}

/**
 * Bytes that may be in flight: two round trips and what acknowledgements are late by. Met only when
 * they stop coming; or at the start, by a flow that did not need its rate until now: nobody knows
 * whether the link has it, so what was delivered and an empty queue are what counts.
 */
function inFlightMax(flows: Int32Array, f: number): number {
  if ((flows[f + L.F_FLAGS] & L.FLAG_HAS_RTT) === 0) {
    return limits.BURST_BYTES; // Nobody has answered yet (RFC 6928).
  }
  const rate = flows[f + L.F_RATE];
  const known = provenRate(flows, f);
  const isNew = flows[f + L.F_HELD_RATE] === 0;
  const rttUs = flows[f + (known < rate || isNew ? L.F_MIN_RTT_US : L.F_SRTT_US)];
  const spanUs = 2 * rttUs + limits.RATE_INTERVAL_US;
  const bytes = Math.floor(known * (spanUs / SECOND_US));
  return bytes > limits.BURST_BYTES ? bytes : limits.BURST_BYTES;
}

/** The rate, or what is more than a guess of it. */
function provenRate(flows: Int32Array, f: number): number {
  const rate = flows[f + L.F_RATE];
  const delivered = flows[f + L.F_HELD_RATE];
  if ((flows[f + L.F_RATE_STATE] & RATE_MODE) !== RATE_STARTUP || delivered === 0) return rate;
  const known = limits.RATE_START_GUESS * delivered;
  return known < rate ? known : rate;
}

/** CARRY_NOTHING, CARRY_URGENT or CARRY_ALL; notes that the flow wanted more than it may. */
export function mayCarry(core: Core, f: number, nowUs: number): number {
  const flows = core.flows;
  refill(core, f, nowUs);
  const tokens = flows[f + L.F_TOKENS];
  const room = inFlightMax(flows, f) - flows[f + L.F_BYTES_IN_FLIGHT];
  const packets = flows[f + L.F_IN_FLIGHT];
  if (tokens > 0 && room > 0 && packets < limits.WINDOW_MAX_PACKETS) {
    return CARRY_ALL;
  }
  flows[f + L.F_RATE_STATE] |= RATE_LIMITED;
  if (tokens <= 0) {
    armPacing(core, f);
  }
  const priorities = flows[f + L.F_PRIORITIES];
  if ((priorities & (priorities - 1)) === 0 || packets >= limits.WINDOW_MAX_PACKETS) {
    return CARRY_NOTHING;
  }
  const ahead = flows[f + L.F_RATE] * (URGENT_US / SECOND_US) + limits.URGENT_BYTES;
  return tokens > -ahead && room > -limits.URGENT_BYTES ? CARRY_URGENT : CARRY_NOTHING;
}

/** Whether there is rate to spare for what nobody waits for. Not having it limits nobody. */
export function maySpare(core: Core, f: number, nowUs: number): boolean {
  const flows = core.flows;
  refill(core, f, nowUs);
  return flows[f + L.F_TOKENS] > 0 && inFlightMax(flows, f) > flows[f + L.F_BYTES_IN_FLIGHT];
}

/** Wakes the flow when there are tokens. Without room in flight an acknowledgement will. */
function armPacing(core: Core, f: number): void {
  core.flows[f + L.F_FLAGS] |= L.FLAG_PACING;
  core.wheel.scheduleNotLater(f >> L.FLOW_STRIDE_LOG2, pacingDeadlineUs(core.flows, f));
}

/** After tokens or rate changed: a flow that waits for tokens may have them earlier than it seemed. */
export function repace(core: Core, f: number): void {
  if ((core.flows[f + L.F_FLAGS] & L.FLAG_PACING) !== 0) {
    armPacing(core, f);
  }
}

/** When there will be tokens again, rounded up; meant while FLAG_PACING. */
export function pacingDeadlineUs(flows: Int32Array, f: number): number {
  const missing = 1 - flows[f + L.F_TOKENS];
  const waitUs = missing <= 0 ? 0 : Math.ceil((missing * SECOND_US) / flows[f + L.F_RATE]);
  const bounded = waitUs < REFILL_US_MAX ? waitUs : REFILL_US_MAX;
  return (flows[f + L.F_TOKENS_US] + bounded) | 0;
}

/** Bytes of messages that would leave at once, packet headers included. */
export function budgetBytes(core: Core, f: number, nowUs: number): number {
  const flows = core.flows;
  refill(core, f, nowUs);
  const room = inFlightMax(flows, f) - flows[f + L.F_BYTES_IN_FLIGHT];
  const tokens = flows[f + L.F_TOKENS];
  const inFlight = flows[f + L.F_BYTES_IN_FLIGHT];
  const reliable = flows[f + L.F_RELIABLE_BYTES];
  const unsent = reliable > inFlight ? reliable - inFlight : 0;
  const leave = (tokens < room ? tokens : room) - unsent - flows[f + L.F_UNRELIABLE_BYTES];
  return leave > 0 ? leave : 0;
}

/**
 * `packet` 0: nothing of it asks for an acknowledgement, so it is never in flight, and costs nothing: a
 * peer that makes us acknowledge must not keep our data from leaving (RFC 9002 §7). A probe does not count
 * as bytes in flight (one, so that its acknowledgement is noticed), and costs nothing: it must not hold back what follows, and what
 * it delivers is not counted, so that a low rate of which probes took most would never grow (seed 209933).
 */
export function rateOnSent(
  core: Core,
  f: number,
  packet: number,
  payloadBytes: number,
  isProbe: boolean,
): void {
  const bytes = payloadBytes + limits.DATAGRAM_OVERHEAD_BYTES;
  if (packet !== 0) {
    if (!isProbe) core.flows[f + L.F_TOKENS] -= bytes;
    const counted = isProbe ? 1 : bytes;
    core.packets.words[packet + L.P_BYTES] = counted;
    core.flows[f + L.F_BYTES_IN_FLIGHT] += counted;
  }
}

export function rateOnAcked(flows: Int32Array, f: number, bytes: number): void {
  flows[f + L.F_BYTES_IN_FLIGHT] -= bytes;
  flows[f + L.F_INTERVAL_BYTES] += bytes;
  flows[f + L.F_INTERVAL_PACKETS] += 1;
}

/** Losses on a path that was left say nothing about the present one. */
export function rateOnLost(flows: Int32Array, f: number, sequence: number, bytes: number): void {
  flows[f + L.F_BYTES_IN_FLIGHT] -= bytes;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_OLD_LOSSES) !== 0 &&
    sequenceDistance(sequence, flows[f + L.F_PATH_SEQUENCE]) < 0
  ) {
    return;
  }
  flows[f + L.F_INTERVAL_PACKETS] += 1 << 16;
}

/** A round trip without the peer's delay. */
export function rateOnRtt(flows: Int32Array, f: number, rttUs: number): void {
  const least = flows[f + L.F_INTERVAL_RTT_US];
  if (least === 0 || rttUs < least) {
    flows[f + L.F_INTERVAL_RTT_US] = rttUs > 0 ? rttUs : 1;
  }
}

/** The first round trip is known: ten packets of it are a better start than a guess. */
export function rateOnFirstRtt(flows: Int32Array, f: number): void {
  const rate = startRate(flows, f);
  if (rate > flows[f + L.F_RATE]) {
    flows[f + L.F_RATE] = rate;
  }
}

/**
 * After an ack block that acknowledged `bytes` more; `rttUs` −1 when it gave no sample. `instantUs` is
 * when the peer had the newest packet, on our clock and a constant later; so that late
 * acknowledgements do not make the delivered rate jump.
 */
export function rateOnAck(
  core: Core,
  f: number,
  bytes: number,
  rttUs: number,
  instantUs: number,
): void {
  measure(core, f, bytes, rttUs, instantUs);
  repace(core, f);
}

function measure(core: Core, f: number, bytes: number, rttUs: number, instantUs: number): void {
  const flows = core.flows;
  if (bytes > 0) {
    growAtStart(flows, f, bytes, rttUs - flows[f + L.F_MIN_RTT_US]);
  }
  const elapsedUs = (instantUs - flows[f + L.F_INTERVAL_US]) | 0;
  if ((flows[f + L.F_RATE_STATE] & RATE_WAIT) !== 0) {
    if (sequenceDistance(flows[f + L.F_LARGEST_ACKED], flows[f + L.F_RATE_SEQUENCE]) >= 0) {
      endWait(flows, f, elapsedUs);
      beginInterval(flows, f, instantUs);
    }
    return;
  }
  if ((flows[f + L.F_RATE_STATE] & RATE_SILENT) !== 0) {
    flows[f + L.F_RATE_STATE] &= ~(RATE_SILENT | RATE_LIMITED);
    beginInterval(flows, f, instantUs);
    return;
  }
  const packets = flows[f + L.F_INTERVAL_PACKETS];
  const acked = packets & 0xffff;
  const lost = packets >>> 16;
  if (
    elapsedUs >= 0 &&
    elapsedUs < intervalUs(flows, f, acked + lost) &&
    !startIsOver(flows, f, core.turnUs, elapsedUs, acked)
  ) {
    return;
  }
  if (elapsedUs > 0 && elapsedUs < limits.RATE_INTERVAL_US_MAX) {
    decide(flows, f, core.turnUs, elapsedUs, acked, lost);
  }
  beginInterval(flows, f, instantUs);
  if ((flows[f + L.F_FLAGS] & L.FLAG_OLD_PATH) === 0) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_OLD_LOSSES;
  }
}

/** A round trip, at least 50 ms (10 ms at the start) and 8 packets, at most a second. */
function intervalUs(flows: Int32Array, f: number, packets: number): number {
  if (packets < limits.RATE_INTERVAL_PACKETS) {
    return SECOND_US;
  }
  const isStartup = (flows[f + L.F_RATE_STATE] & RATE_MODE) === RATE_STARTUP;
  const least = isStartup ? limits.RATE_STARTUP_INTERVAL_US : limits.RATE_INTERVAL_US;
  const srtt = flows[f + L.F_SRTT_US];
  return srtt > least ? srtt : least;
}
