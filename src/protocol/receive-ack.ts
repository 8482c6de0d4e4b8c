import { sequenceDistance } from '../util/sequence.js';
import { sequenceCell } from '../util/sequence-buffer.js';
import { bitmapFirst } from './ack-block.js';
import { EVENT_DRAINED } from './api.js';
import type { Core } from './core.js';
import { pushEvent } from './events.js';
import { ACK_DELAY_UNKNOWN, type PacketHeader } from './header.js';
import * as L from './layout.js';
import { detectLost, isOutstanding, onSpuriousLoss } from './loss.js';
import { freeData, freeMessage, unblockAll } from './messages.js';
import { updateRtt } from './rtt.js';
import { freePacket } from './sent-packets.js';
import { markDirty } from './streams.js';
import { windowOnAcked } from './window.js';

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
  const inFlightBefore = flows[f + L.F_IN_FLIGHT];
  sampleRtt(core, f, header, arrivalUs);
  for (let back = 0; back <= header.run; back += 1) {
    if (!acknowledge(core, f, (largest - back) & 0xffff, next, reach, inFlightBefore, arrivalUs)) {
      return false;
    }
  }
  const first = bitmapFirst(largest, header.run);
  for (let byte = 0; byte < header.bitmapBytes; byte += 1) {
    const value = bytes[header.bitmapOffset + byte];
    for (let bit = 0; bit < 8; bit += 1) {
      if ((value & (1 << bit)) === 0) {
        continue;
      }
      const sequence = (first - byte * 8 - bit) & 0xffff;
      if (!acknowledge(core, f, sequence, next, reach, inFlightBefore, arrivalUs)) {
        return false;
      }
    }
  }
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_ACKED) === 0 ||
    sequenceDistance(largest, flows[f + L.F_LARGEST_ACKED]) > 0
  ) {
    flows[f + L.F_LARGEST_ACKED] = largest;
    flows[f + L.F_FLAGS] |= L.FLAG_ACKED;
  }
  if (inFlightBefore > 0) {
    detectLost(core, f, nowUs);
  }
  if (flows[f + L.F_RESEND_HEAD] !== 0 || flows[f + L.F_ACTIVE_HEAD] !== 0) {
    markDirty(core, f);
  }
  return true;
}

/** RFC 9002 §5.1: a sample when the largest is newly acknowledged and was ack-eliciting. */
function sampleRtt(core: Core, f: number, header: PacketHeader, arrivalUs: number): void {
  const flows = core.flows;
  if ((flows[f + L.F_FLAGS] & L.FLAG_OLD_PATH) !== 0) {
    if (sequenceDistance(header.largest, flows[f + L.F_PATH_SEQUENCE]) < 0) {
      return;
    }
    flows[f + L.F_FLAGS] &= ~L.FLAG_OLD_PATH;
  }
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const cell = sequenceCell(flows[f + L.F_SENT_RING], mask, header.largest);
  const packet = core.blocks.words[cell];
  if (packet <= 0 || header.ackDelay === ACK_DELAY_UNKNOWN) {
    return;
  }
  const latestUs = (arrivalUs - core.packets.words[packet + L.P_SENT_US]) | 0;
  if (latestUs >= 0) {
    updateRtt(flows, f, latestUs, header.ackDelay * flows[f + L.F_PEER_DELAY_UNIT_US]);
  }
}

/** One number that the peer has received; false when it was skipped. */
function acknowledge(
  core: Core,
  f: number,
  sequence: number,
  next: number,
  reach: number,
  inFlightBefore: number,
  arrivalUs: number,
): boolean {
  if (((next - sequence) & 0xffff) > reach) {
    return true;
  }
  const flows = core.flows;
  const words = core.blocks.words;
  const cell = sequenceCell(flows[f + L.F_SENT_RING], reach - 1, sequence);
  const packet = words[cell];
  if (packet === L.CELL_SKIPPED) {
    return false;
  }
  if (words[cell + 1] !== 0) {
    // The peer has our block up to there, so later blocks need not repeat it.
    const reported = words[cell + 1] - 1;
    words[cell + 1] = 0;
    if (sequenceDistance(reported, flows[f + L.F_RX_FLOOR]) > 0) {
      flows[f + L.F_RX_FLOOR] = reported;
    }
  }
  if (packet === 0) {
    return true;
  }
  words[cell] = 0;
  if ((core.packets.words[packet + L.P_FLAGS] & L.PACKET_LOST) !== 0) {
    onSpuriousLoss(flows, f, sequence, core.packets.words[packet + L.P_SENT_US], arrivalUs);
  } else {
    flows[f + L.F_IN_FLIGHT] -= 1;
    flows[f + L.F_PTO_COUNT] = 0;
    flows[f + L.F_PROBES] = 0;
    windowOnAcked(flows, f, inFlightBefore);
  }
  acknowledgeMessages(core, f, packet);
  freePacket(core, packet);
  return true;
}

function acknowledgeMessages(core: Core, f: number, packet: number): void {
  const words = core.packets.words;
  const message = words[packet + L.P_MESSAGE];
  if (message === 0) {
    return;
  }
  acknowledgeOne(core, f, message, words[packet + L.P_GENERATION], words[packet + L.P_FRAGMENT]);
  const references = core.references.words;
  let node = words[packet + L.P_REFERENCES];
  while (node !== 0) {
    acknowledgeOne(
      core,
      f,
      references[node + L.N_MESSAGE],
      references[node + L.N_GENERATION],
      references[node + L.N_FRAGMENT],
    );
    node = references[node + L.N_NEXT];
  }
}

function acknowledgeOne(
  core: Core,
  f: number,
  message: number,
  generation: number,
  fragment: number,
): void {
  if (!isOutstanding(core, message, generation, fragment)) {
    return;
  }
  const words = core.messages.words;
  if (words[message + L.M_FRAGMENTS] !== 0) {
    const bits = words[message + L.M_FRAGMENT_BITS];
    core.blocks.words[bits + (fragment >> 5)] |= 1 << (fragment & 31);
    words[message + L.M_ACKED_FRAGMENTS] += 1;
    if (words[message + L.M_ACKED_FRAGMENTS] < words[message + L.M_FRAGMENTS]) {
      return;
    }
    core.flows[f + L.F_SPAN_PARTIALS] -= 1;
  }
  words[message + L.M_FLAGS] |= L.MESSAGE_ACKED;
  core.flows[f + L.F_RELIABLE_BYTES] -= words[message + L.M_LENGTH];
  core.flows[f + L.F_UNACKED_COUNT] -= 1;
  freeData(core, message);
  popAcknowledged(core, f, words[message + L.M_STREAM]);
  checkDrained(core, f);
}

/**
 * Moves the stream's oldest unacknowledged message on; that is what the sender's rule counts from.
 */
function popAcknowledged(core: Core, f: number, stream: number): void {
  const flows = core.flows;
  const streams = core.streams.words;
  const words = core.messages.words;
  let head = streams[stream + L.S_SENT_HEAD];
  if (head === 0 || (words[head + L.M_FLAGS] & L.MESSAGE_ACKED) === 0) {
    return;
  }
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
