import { LOSS_SHARE_LOG2, RTT_US_MAX } from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { sequenceCell } from '../util/sequence-buffer.js';
import { bitmapFirst } from './ack-block.js';
import { EVENT_DRAINED, MODE_RELIABLE_ORDERED, RECEIPT_ACKED } from './api.js';
import type { Core } from './core.js';
import { pushEvent } from './events.js';
import { ACK_DELAY_UNKNOWN, type PacketHeader } from './header.js';
import * as L from './layout.js';
import { detectLost, onSpuriousLoss } from './loss.js';
import { freeData, freeMessage } from './messages.js';
import { checkWritable } from './pressure.js';
import { rateOnAck, rateOnAcked, rateOnFirstRtt, rateOnRtt } from './rate.js';
import { acknowledgeTracked, giveReceipt } from './receipts.js';
import { updateRtt } from './rtt.js';
import { unblockAll } from './schedule.js';
import { freePacket } from './sent-packets.js';
import { markDirty } from './streams.js';
import { armTimers } from './timers.js';

/**
 * True when every number the block names has been sent: none is ahead of the newest, none before
 * the first. Skipped numbers are found while the block is applied.
 */
export function ackWasSent(
  core: Core,
  f: number,
  header: PacketHeader,
  bytes: Uint8Array,
): boolean {
  const flows = core.flows;
  const used = flows[f + L.F_SEQUENCES_USED];
  const behind = sequenceDistance(flows[f + L.F_NEXT_SEQUENCE], header.largest);
  if (behind <= 0) {
    return false;
  }
  let lowest = behind + header.run;
  if (header.bitmapBytes > 0) {
    const lastByte = bytes[header.bitmapOffset + header.bitmapBytes - 1];
    const highBit = 31 - Math.clz32(lastByte);
    const first = bitmapFirst(header.largest, header.run);
    lowest =
      behind + sequenceDistance(header.largest, first) + (header.bitmapBytes - 1) * 8 + highBit;
  }
  return lowest <= used || used === 0x7fff;
}

/**
 * Applies a checked ack block: round trip, floor, messages acknowledged, losses.
 * False when it names a number that was skipped; the caller closes the flow.
 */
export function receiveAck(
  core: Core,
  f: number,
  header: PacketHeader,
  bytes: Uint8Array,
  nowUs: number,
  arrivalUs: number,
): boolean {
  const flows = core.flows;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  const reach = 1 << flows[f + L.F_SENT_RING_LOG2];
  const largest = header.largest;
  if (((next - largest) & 0xffff) > reach) {
    return true;
  }
  const rttUs = sampleRtt(core, f, header, arrivalUs);
  const bytesBefore = flows[f + L.F_INTERVAL_BYTES];
  for (let back = 0; back <= header.run; back += 1) {
    if (!acknowledge(core, f, (largest - back) & 0xffff, next, reach, arrivalUs)) {
      return false;
    }
  }
  if (
    header.bitmapBytes > 0 &&
    !acknowledgeBitmap(core, f, header, bytes, next, reach, arrivalUs)
  ) {
    return false;
  }
  const flags = flows[f + L.F_FLAGS] & ~L.FLAG_LOSS_TIMER;
  flows[f + L.F_FLAGS] = flags | L.FLAG_ACKED;
  if ((flags & L.FLAG_ACKED) === 0 || sequenceDistance(largest, flows[f + L.F_LARGEST_ACKED]) > 0) {
    flows[f + L.F_LARGEST_ACKED] = largest;
  }
  const ackedBytes = flows[f + L.F_INTERVAL_BYTES] - bytesBefore;
  if (ackedBytes > 0) {
    flows[f + L.F_PROGRESS_US] = nowUs;
  }
  if (flows[f + L.F_IN_FLIGHT] > 0) {
    detectLost(core, f, nowUs);
    // A shorter round trip or a new loss timer may be due before the wheel would look.
    armTimers(core, f);
  }
  const waitedUs = rttUs < 0 ? 0 : flows[f + L.F_LATEST_RTT_US] - rttUs;
  rateOnAck(core, f, ackedBytes, rttUs, (arrivalUs - waitedUs) | 0);
  if (flows[f + L.F_PRIORITIES] !== 0) {
    markDirty(core, f);
  }
  checkWritable(core, f);
  return true;
}

function acknowledgeBitmap(
  core: Core,
  f: number,
  header: PacketHeader,
  bytes: Uint8Array,
  next: number,
  reach: number,
  arrivalUs: number,
): boolean {
  const first = bitmapFirst(header.largest, header.run);
  for (let byte = 0; byte < header.bitmapBytes; byte += 1) {
    const value = bytes[header.bitmapOffset + byte];
    for (let bit = 0; bit < 8; bit += 1) {
      if ((value & (1 << bit)) === 0) {
        continue;
      }
      const sequence = (first - byte * 8 - bit) & 0xffff;
      if (!acknowledge(core, f, sequence, next, reach, arrivalUs)) {
        return false;
      }
    }
  }
  return true;
}

/**
 * RFC 9002 §5.1: a sample when the largest is newly acknowledged and was ack-eliciting. Answers it
 * without the peer's delay; −1 without a sample.
 */
function sampleRtt(core: Core, f: number, header: PacketHeader, arrivalUs: number): number {
  const flows = core.flows;
  if ((flows[f + L.F_FLAGS] & L.FLAG_OLD_PATH) !== 0) {
    if (sequenceDistance(header.largest, flows[f + L.F_PATH_SEQUENCE]) < 0) {
      return -1;
    }
    flows[f + L.F_FLAGS] &= ~L.FLAG_OLD_PATH;
  }
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const cell = sequenceCell(flows[f + L.F_SENT_RING], mask, header.largest);
  const packet = core.blocks.words[cell];
  if (packet <= 0 || header.ackDelay === ACK_DELAY_UNKNOWN) {
    return -1;
  }
  const latestUs = (arrivalUs - core.packets.words[packet + L.P_SENT_US]) | 0;
  // What was declared lost may be acknowledged at any time: hours say nothing about the path.
  if (latestUs >= 0 && latestUs <= RTT_US_MAX) {
    const delay = header.ackDelay * flows[f + L.F_PEER_DELAY_UNIT_US];
    const isFirst = (flows[f + L.F_FLAGS] & L.FLAG_HAS_RTT) === 0;
    const rttUs = updateRtt(flows, f, latestUs, delay, arrivalUs);
    rateOnRtt(flows, f, rttUs);
    if (isFirst && flows[f + L.F_PTO_COUNT] === 0) {
      rateOnFirstRtt(flows, f);
    }
    return rttUs;
  }
  return -1;
}

/** One number that the peer has received; false when it was skipped. */
function acknowledge(
  core: Core,
  f: number,
  sequence: number,
  next: number,
  reach: number,
  arrivalUs: number,
): boolean {
  if (((next - sequence) & 0xffff) > reach) {
    return true;
  }
  const flows = core.flows;
  const cells = core.blocks.words;
  const cell = sequenceCell(flows[f + L.F_SENT_RING], reach - 1, sequence);
  const packet = cells[cell];
  if (packet === L.CELL_SKIPPED) {
    return false;
  }
  if (cells[cell + 1] !== 0) {
    // The peer has our block up to there, so later blocks need not repeat it.
    const reported = cells[cell + 1] - 1;
    cells[cell + 1] = 0;
    // Far behind by now it would look ahead of everything.
    const isNear = sequenceDistance(flows[f + L.F_RX_LARGEST], reported) >= 0;
    if (isNear && sequenceDistance(reported, flows[f + L.F_RX_FLOOR]) > 0) {
      flows[f + L.F_RX_FLOOR] = reported;
    }
  }
  if (packet === 0) {
    return true;
  }
  cells[cell] = 0;
  const words = core.packets.words;
  if ((words[packet + L.P_FLAGS] & L.PACKET_LOST) !== 0) {
    onSpuriousLoss(flows, f, sequence, words[packet + L.P_SENT_US], arrivalUs);
  } else {
    flows[f + L.F_IN_FLIGHT] -= 1;
    flows[f + L.F_PTO_COUNT] = 0;
    flows[f + L.F_PROBES] = 0;
    flows[f + L.F_LOSS_Q16] -= flows[f + L.F_LOSS_Q16] >> LOSS_SHARE_LOG2;
    rateOnAcked(flows, f, words[packet + L.P_BYTES]);
  }
  const message = words[packet + L.P_MESSAGE];
  if (message !== 0) {
    acknowledgeOne(core, f, message, words[packet + L.P_GENERATION], words[packet + L.P_FRAGMENT]);
    if (words[packet + L.P_REFERENCES] !== 0) {
      acknowledgeRest(core, f, words[packet + L.P_REFERENCES]);
    }
  }
  freePacket(core, packet);
  return true;
}

/** The messages of a packet beyond its first. */
function acknowledgeRest(core: Core, f: number, first: number): void {
  const words = core.references.words;
  for (let node = first; node !== 0; node = words[node + L.N_NEXT]) {
    const generation = words[node + L.N_GENERATION];
    acknowledgeOne(core, f, words[node + L.N_MESSAGE], generation, words[node + L.N_FRAGMENT]);
  }
}

/** A message, or one fragment of it, unless that was known already (isOutstanding). */
function acknowledgeOne(
  core: Core,
  f: number,
  message: number,
  generation: number,
  fragment: number,
): void {
  const words = core.messages.words;
  const flags = words[message + L.M_FLAGS];
  if (words[message + L.M_GENERATION] !== generation || (flags & L.MESSAGE_ACKED) !== 0) {
    return;
  }
  if ((flags & L.MESSAGE_TRACKED) !== 0) {
    acknowledgeTracked(core, f, message);
    return;
  }
  if (words[message + L.M_FRAGMENTS] !== 0 && !completes(core, f, message, fragment)) {
    return;
  }
  const flows = core.flows;
  words[message + L.M_FLAGS] = flags | L.MESSAGE_ACKED;
  if (words[message + L.M_RECEIPT] !== 0) {
    giveReceipt(core, f, message, RECEIPT_ACKED);
  }
  flows[f + L.F_RELIABLE_BYTES] -= words[message + L.M_LENGTH];
  flows[f + L.F_UNACKED_COUNT] -= 1;
  const stream = words[message + L.M_STREAM];
  if (core.sendStreams.words[stream + L.S_SENT_HEAD] === message) {
    popAcknowledged(core, f, stream);
  } else if ((core.sendStreams.words[stream + L.S_KEY] & 3) !== MODE_RELIABLE_ORDERED) {
    freeData(core, message); // An ordered one is not delivered before those ahead of it (readUnacked).
  }
  if ((flows[f + L.F_FLAGS] & L.FLAG_WATCH_DRAINED) !== 0) {
    checkDrained(core, f);
  }
}

/** Notes the fragment as acknowledged; true when it was the last one missing. */
function completes(core: Core, f: number, message: number, fragment: number): boolean {
  const words = core.messages.words;
  const at = words[message + L.M_FRAGMENT_BITS] + (fragment >> 5);
  const bit = 1 << (fragment & 31);
  if ((core.blocks.words[at] & bit) !== 0) {
    return false;
  }
  core.blocks.words[at] |= bit;
  words[message + L.M_ACKED_FRAGMENTS] += 1;
  if (words[message + L.M_ACKED_FRAGMENTS] < words[message + L.M_FRAGMENTS]) {
    return false;
  }
  core.flows[f + L.F_SPAN_PARTIALS] -= 1;
  return true;
}

/**
 * The stream's oldest message is acknowledged: moves on to the oldest that is not; that is what the
 * sender's rule counts from.
 */
function popAcknowledged(core: Core, f: number, stream: number): void {
  const flows = core.flows;
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  let head = streams[stream + L.S_SENT_HEAD];
  while (head !== 0 && (words[head + L.M_FLAGS] & L.MESSAGE_ACKED) !== 0) {
    const next = words[head + L.M_NEXT];
    flows[f + L.F_SPAN_BYTES] -= words[head + L.M_LENGTH];
    flows[f + L.F_RELIABLE_COUNT] -= 1;
    freeMessage(core, head);
    head = next;
  }
  streams[stream + L.S_SENT_HEAD] = head;
  if (head === 0) {
    streams[stream + L.S_SENT_TAIL] = 0;
  }
  if (flows[f + L.F_BLOCKED_HEAD] !== 0) {
    unblockAll(core, f);
  }
}

/** Raises the event that watchDrained asked for. */
export function checkDrained(core: Core, f: number): void {
  const flows = core.flows;
  if (flows[f + L.F_UNACKED_COUNT] === 0 && (flows[f + L.F_FLAGS] & L.FLAG_WATCH_DRAINED) !== 0) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_WATCH_DRAINED;
    pushEvent(core, f, EVENT_DRAINED, 0, 0, 0, 0, 0);
  }
}
