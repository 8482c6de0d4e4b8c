import * as limits from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { timeReached } from '../util/time.js';
import { historyClear, historyHas, historySet } from './ack-block.js';
import { EVENT_CLOSED, EVENT_RAW, VIOLATION_ACK_NEVER_SENT, VIOLATION_SENDER_RULE } from './api.js';
import { receiveTimeRequest, receiveTimeResponse } from './clock.js';
import type { Core } from './core.js';
import * as drop from './drop-reason.js';
import { pushEvent } from './events.js';
import { acceptParams, releaseFlow, violate } from './flow.js';
import * as frames from './frames.js';
import { type PacketHeader, parseHeader } from './header.js';
import * as L from './layout.js';
import { isParams, parseParams } from './params.js';
import { ackWasSent, receiveAck } from './receive-ack.js';
import { receiveFragment } from './receive-fragment.js';
import { receiveWhole } from './receive-message.js';
import { checkSenderRule, hasRoomForFragment, needsNoRoom } from './sender-rule.js';
import { markDirty } from './streams.js';
import { armTimers } from './timers.js';

/** Protocol.handlePacket, with the slot already turned into `f`; 0 or a DropReason. */
export function receivePacket(
  core: Core,
  f: number,
  nowUs: number,
  arrivalUs: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const flows = core.flows;
  core.packetBytes = bytes;
  flows[f + L.F_PACKETS_IN] += 1;
  flows[f + L.F_BYTES_IN] += length;
  switch (flows[f + L.F_STATE]) {
    case L.STATE_READY:
      if (length > 0 && bytes[offset] === 0x47 && isParams(bytes, offset, length)) {
        return receiveParamsAgain(core, f, bytes, offset, length);
      }
      return receiveReady(core, f, nowUs, arrivalUs, bytes, offset, length);
    case L.STATE_HELLO:
    case L.STATE_WAIT:
      return receiveFirst(core, f, nowUs, arrivalUs, bytes, offset, length);
    case L.STATE_RAW:
      pushEvent(core, f, EVENT_RAW, 0, 0, 0, offset, length);
      return drop.ACCEPTED;
    case L.STATE_CLOSING:
      flows[f + L.F_FLAGS] |= L.FLAG_CLOSE_NOW;
      markDirty(core, f);
      return drop.DROP_FLOW_CLOSED;
    default:
      return drop.DROP_FLOW_CLOSED;
  }
}

/** Before PARAMS are known: a client waits for the answer, a server decides what the flow is. */
function receiveFirst(
  core: Core,
  f: number,
  nowUs: number,
  arrivalUs: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const flows = core.flows;
  const client = (flows[f + L.F_FLAGS] & L.FLAG_CLIENT) !== 0;
  if (length === 0) {
    return drop.DROP_HEADER_TRUNCATED;
  }
  if (!isParams(bytes, offset, length)) {
    if (client) {
      return drop.DROP_BEFORE_PARAMS;
    }
    releaseFlow(core, f);
    flows[f + L.F_STATE] = L.STATE_RAW;
    pushEvent(core, f, EVENT_RAW, 0, 0, 0, offset, length);
    return drop.ACCEPTED;
  }
  const reason = parseParams(bytes, offset, length, client, core.peerParams);
  if (reason !== 0) {
    return reason;
  }
  if (!client) {
    flows[f + L.F_FLAGS] |= L.FLAG_ANSWER_PARAMS;
  }
  acceptParams(core, f, core.peerParams, client ? arrivalUs : nowUs);
  armTimers(core, f);
  return drop.ACCEPTED;
}

/** The answer was lost or is late: a server answers again, a client has it already. */
function receiveParamsAgain(
  core: Core,
  f: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const client = (core.flows[f + L.F_FLAGS] & L.FLAG_CLIENT) !== 0;
  const reason = parseParams(bytes, offset, length, client, core.peerParams);
  if (reason === 0 && !client) {
    core.flows[f + L.F_FLAGS] |= L.FLAG_ANSWER_PARAMS;
    markDirty(core, f);
  }
  return reason;
}

/** An RL1 packet: checked from the first byte to the last, then applied. */
function receiveReady(
  core: Core,
  f: number,
  nowUs: number,
  arrivalUs: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
): number {
  const flows = core.flows;
  const header = core.header;
  let reason = parseHeader(bytes, offset, length, header);
  if (reason !== 0) {
    return reason;
  }
  reason = checkSequence(flows, f, header.sequence);
  if (reason !== 0) {
    return reason;
  }
  const end = offset + length;
  reason = frames.parseFrames(bytes, header.bodyOffset, end, core.limits, core.frames);
  if (reason !== 0) {
    return reason;
  }
  if (header.hasAck && !ackWasSent(core, f, header, bytes)) {
    violate(core, f, VIOLATION_ACK_NEVER_SENT);
    return drop.DROP_ACK_NEVER_SENT;
  }
  if ((flows[f + L.F_FLAGS] & L.FLAG_PARTING) !== 0) {
    if (header.hasAck) {
      receiveAck(core, f, header, bytes, nowUs, arrivalUs);
    }
    return drop.DROP_FLOW_CLOSED;
  }
  if (core.frames.ruled) {
    reason = checkSenderRule(core, f);
    if (reason !== 0) {
      if (reason === drop.DROP_SENDER_RULE) {
        strike(core, f);
      } else if (reason === drop.DROP_REASSEMBLY_FULL) {
        takeWithoutMemory(core, f, nowUs);
      }
      return reason;
    }
  }
  if (header.hasAck && !receiveAck(core, f, header, bytes, nowUs, arrivalUs)) {
    violate(core, f, VIOLATION_ACK_NEVER_SENT);
    return drop.DROP_ACK_NEVER_SENT;
  }
  applyPacket(core, f, header, bytes, nowUs, arrivalUs);
  return drop.ACCEPTED;
}

/**
 * There is no memory for all of the packet, so it is not acknowledged and comes again. Its reliable
 * messages that need none are taken all the same: what is held waits for just these.
 */
function takeWithoutMemory(core: Core, f: number, nowUs: number): void {
  const words = core.frames.words;
  for (let index = 0; index < core.frames.count; index += 1) {
    const x = index * L.FRAME_STRIDE;
    if (words[x + L.X_TYPE] < frames.FRAME_MESSAGE || (words[x + L.X_KEY] & 3) < 2) {
      continue;
    }
    if (words[x + L.X_COUNT] !== 0) {
      if (hasRoomForFragment(core, f, x)) {
        receiveFragment(core, f, x, nowUs);
      }
    } else if (needsNoRoom(core, f, x)) {
      receiveWhole(core, f, x);
    }
  }
}

function strike(core: Core, f: number): void {
  core.flows[f + L.F_STRIKES] += 1;
  if (core.flows[f + L.F_STRIKES] >= limits.STRIKES_MAX) {
    violate(core, f, VIOLATION_SENDER_RULE);
  }
}

function checkSequence(flows: Int32Array, f: number, sequence: number): number {
  if ((flows[f + L.F_FLAGS] & L.FLAG_RECEIVED) === 0) {
    return 0;
  }
  const ahead = sequenceDistance(sequence, flows[f + L.F_RX_LARGEST]);
  if (ahead > 0) {
    return 0;
  }
  if (ahead <= -limits.RECEIVE_HISTORY_PACKETS) {
    return drop.DROP_PACKET_OLD;
  }
  return historyHas(flows, f + L.F_RX_BITS, sequence) ? drop.DROP_PACKET_DUPLICATE : 0;
}

function applyPacket(
  core: Core,
  f: number,
  header: PacketHeader,
  bytes: Uint8Array,
  nowUs: number,
  arrivalUs: number,
): void {
  const flows = core.flows;
  const inOrder = noteSequence(flows, f, header.sequence, arrivalUs);
  if (header.hasTimestamp) {
    noteTimestamp(flows, f, header.timestamp, arrivalUs);
  }
  const parsed = core.frames;
  const words = parsed.words;
  let ackNow = !inOrder;
  for (let index = 0; index < parsed.count; index += 1) {
    const x = index * L.FRAME_STRIDE;
    const type = words[x + L.X_TYPE];
    if (type >= frames.FRAME_MESSAGE) {
      if (words[x + L.X_COUNT] === 0) {
        receiveWhole(core, f, x);
      } else {
        receiveFragment(core, f, x, nowUs);
      }
    } else if (type === frames.FRAME_PING) {
      ackNow = true;
    } else if (type === frames.FRAME_TIME_REQUEST) {
      receiveTimeRequest(core, f, bytes, words[x + L.X_OFFSET], arrivalUs);
    } else if (type === frames.FRAME_TIME_RESPONSE) {
      receiveTimeResponse(core, f, bytes, words[x + L.X_OFFSET], arrivalUs);
    } else if (type === frames.FRAME_CLOSE) {
      receiveClose(core, f, x);
      return;
    } else if (type !== frames.FRAME_PADDING) {
      core.tallies[drop.TALLY_FRAME_IGNORED] += 1;
    }
  }
  if (parsed.eliciting) {
    scheduleAck(core, f, ackNow, nowUs, arrivalUs);
  }
}

/** What was sent stays until the caller frees the flow: it may ask for it (readUnacked). */
function receiveClose(core: Core, f: number, x: number): void {
  const words = core.frames.words;
  const code = words[x + L.X_ID];
  pushEvent(core, f, EVENT_CLOSED, 0, 0, code, words[x + L.X_OFFSET], words[x + L.X_LENGTH]);
  core.flows[f + L.F_STATE] = L.STATE_CLOSED;
}

/**
 * Acknowledge at once on a gap, PING or 10 packets, otherwise when the delay is over (§5): it counts
 * from the arrival, as the peer's probe timeout does, also when the packet waited for a tick.
 */
function scheduleAck(core: Core, f: number, now: boolean, nowUs: number, arrivalUs: number): void {
  const flows = core.flows;
  const deadlineUs = (arrivalUs + core.maxAckDelayUs) | 0;
  flows[f + L.F_RX_UNACKED] += 1;
  const isDue = now || timeReached(nowUs, deadlineUs);
  if (isDue || flows[f + L.F_RX_UNACKED] >= limits.ACK_EVERY_PACKETS) {
    flows[f + L.F_FLAGS] |= L.FLAG_ACK_NOW;
    markDirty(core, f);
  } else if ((flows[f + L.F_FLAGS] & L.FLAG_ACK_TIMER) === 0) {
    flows[f + L.F_FLAGS] |= L.FLAG_ACK_TIMER;
    flows[f + L.F_ACK_DEADLINE_US] = deadlineUs;
    core.wheel.scheduleNotLater(f >> L.FLOW_STRIDE_LOG2, deadlineUs);
  }
}

/** Notes the number as received; true when it is the one after the largest so far. */
function noteSequence(flows: Int32Array, f: number, sequence: number, arrivalUs: number): boolean {
  const bits = f + L.F_RX_BITS;
  if ((flows[f + L.F_FLAGS] & L.FLAG_RECEIVED) === 0) {
    flows[f + L.F_FLAGS] |= L.FLAG_RECEIVED;
    flows[f + L.F_RX_LARGEST] = sequence;
    flows[f + L.F_RX_LARGEST_ARRIVAL_US] = arrivalUs;
    flows[f + L.F_RX_FLOOR] = (sequence - 1) & 0xffff;
    historySet(flows, bits, sequence);
    return true;
  }
  const largest = flows[f + L.F_RX_LARGEST];
  const ahead = sequenceDistance(sequence, largest);
  if (ahead > 0) {
    if (ahead > 1) {
      clearHistory(flows, bits, sequence, ahead);
    }
    flows[f + L.F_RX_LARGEST] = sequence;
    flows[f + L.F_RX_LARGEST_ARRIVAL_US] = arrivalUs;
    const lowest = (sequence - limits.RECEIVE_HISTORY_PACKETS) & 0xffff;
    if (sequenceDistance(lowest, flows[f + L.F_RX_FLOOR]) > 0) {
      flows[f + L.F_RX_FLOOR] = lowest;
    }
  } else if (sequenceDistance(sequence, flows[f + L.F_RX_FLOOR]) <= 0) {
    // A latecomer that no block has named yet: report from below it again.
    flows[f + L.F_RX_FLOOR] = (sequence - 1) & 0xffff;
  }
  historySet(flows, bits, sequence);
  return ahead === 1;
}

/** Numbers below `sequence` that were passed over have not been received. */
function clearHistory(flows: Int32Array, bits: number, sequence: number, ahead: number): void {
  const clear = ahead < limits.RECEIVE_HISTORY_PACKETS ? ahead : limits.RECEIVE_HISTORY_PACKETS;
  for (let back = 1; back < clear; back += 1) {
    historyClear(flows, bits, sequence - back);
  }
}

/** RFC 3550 §6.4.1 and appendix A.8, in 256 µs ticks, scaled by 16. */
function noteTimestamp(flows: Int32Array, f: number, timestamp: number, arrivalUs: number): void {
  const transit = ((arrivalUs >>> 8) - timestamp) & 0xffff;
  if ((flows[f + L.F_FLAGS] & L.FLAG_TRANSIT) !== 0) {
    const change = sequenceDistance(transit, flows[f + L.F_TRANSIT_TICKS]);
    const magnitude = change < 0 ? -change : change;
    flows[f + L.F_JITTER_Q4] += magnitude - ((flows[f + L.F_JITTER_Q4] + 8) >> 4);
  }
  flows[f + L.F_FLAGS] |= L.FLAG_TRANSIT;
  flows[f + L.F_TRANSIT_TICKS] = transit;
}
