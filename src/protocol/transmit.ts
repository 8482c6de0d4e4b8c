import {
  CLOSE_PACKETS_MAX,
  MESSAGE_WINDOW,
  PARAMS_REPEAT_US,
  PARAMS_REPEAT_US_MAX,
  REDUNDANT_MESSAGES_MAX,
} from '../util/limits.js';
import { sequenceCell } from '../util/sequence-buffer.js';
import { timeReached } from '../util/time.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import {
  clearResend,
  isOutstanding,
  oldestInReach,
  pushReference,
  shiftReference,
} from './loss.js';
import {
  accountUnsent,
  activate,
  blockFirst,
  deactivateFirst,
  FRAGMENT_BITS_LOG2,
  freeMessage,
  popUnsent,
} from './messages.js';
import { FRAME_BYTES_MIN, idInWindow, type PacketWriter } from './packet-writer.js';
import { PARAMS_BYTES, writeParams } from './params.js';
import { checkDrained } from './receive-ack.js';
import { purgeExpired } from './send.js';
import { commitPacket, reserveCell } from './sent-packets.js';
import { windowOpen } from './window.js';

/** Streams whose next frame does not fit are passed over this often before the packet is closed. */
const PASS_OVER_MAX = 4;

/** Writes the flow's next payload and answers its length, 0 when it has nothing to say. */
export function transmitFlow(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  switch (flows[f + L.F_STATE]) {
    case L.STATE_HELLO:
      return transmitHello(core, f, nowUs, bytes, offset);
    case L.STATE_READY:
      if ((flows[f + L.F_FLAGS] & L.FLAG_ANSWER_PARAMS) !== 0) {
        flows[f + L.F_FLAGS] &= ~L.FLAG_ANSWER_PARAMS;
        flows[f + L.F_BYTES_OUT] += PARAMS_BYTES;
        flows[f + L.F_PACKETS_OUT] += 1;
        return writeParams(bytes, offset, core.ownParams, true);
      }
      return transmitData(core, writer, f, nowUs, bytes, offset);
    case L.STATE_CLOSING:
      return transmitClose(core, writer, f, nowUs, bytes, offset);
    default:
      return 0;
  }
}

/** True when the flow, having just sent a packet, has another one. */
export function hasWork(core: Core, f: number): boolean {
  const flows = core.flows;
  if (flows[f + L.F_STATE] !== L.STATE_READY) {
    return false;
  }
  const urgent = L.FLAG_ANSWER_PARAMS | L.FLAG_ACK_NOW | L.FLAG_TIME_REQUEST | L.FLAG_TIME_RESPONSE;
  return (
    (flows[f + L.F_FLAGS] & urgent) !== 0 ||
    flows[f + L.F_PROBES] > 0 ||
    ((flows[f + L.F_RESEND_HEAD] !== 0 || flows[f + L.F_ACTIVE_HEAD] !== 0) && windowOpen(flows, f))
  );
}

function transmitHello(
  core: Core,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  if (!timeReached(nowUs, flows[f + L.F_HELLO_US])) {
    return 0;
  }
  const count = flows[f + L.F_HELLO_COUNT];
  const interval = PARAMS_REPEAT_US << (count > 4 ? 4 : count);
  flows[f + L.F_HELLO_COUNT] = count + 1;
  flows[f + L.F_HELLO_SENT_US] = nowUs;
  flows[f + L.F_HELLO_US] =
    (nowUs + (interval > PARAMS_REPEAT_US_MAX ? PARAMS_REPEAT_US_MAX : interval)) | 0;
  flows[f + L.F_BYTES_OUT] += PARAMS_BYTES;
  flows[f + L.F_PACKETS_OUT] += 1;
  return writeParams(bytes, offset, core.ownParams, false);
}

function transmitClose(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_CLOSE_NOW) === 0 ||
    flows[f + L.F_CLOSE_SENT] >= CLOSE_PACKETS_MAX
  ) {
    return 0;
  }
  flows[f + L.F_FLAGS] &= ~L.FLAG_CLOSE_NOW;
  flows[f + L.F_CLOSE_SENT] += 1;
  writer.begin(core, f, nowUs, bytes, offset, offset + flows[f + L.F_MAX_PAYLOAD], false);
  const handle = flows[f + L.F_CLOSE_REASON] - 1;
  const size = flows[f + L.F_CLOSE_REASON_BYTES];
  if (handle >= 0) {
    const pool = core.sendBytes;
    writer.writeClose(flows[f + L.F_CLOSE_CODE], pool.page(handle), pool.offset(handle), size);
  } else {
    writer.writeClose(flows[f + L.F_CLOSE_CODE], bytes, offset, 0);
  }
  flows[f + L.F_NEXT_SEQUENCE] = (flows[f + L.F_NEXT_SEQUENCE] + 1) & 0xffff;
  const length = writer.finish();
  flows[f + L.F_BYTES_OUT] += length;
  flows[f + L.F_PACKETS_OUT] += 1;
  return length;
}

function transmitData(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  const flags = flows[f + L.F_FLAGS];
  const probing = flows[f + L.F_PROBES] > 0;
  const mayCarry = probing || windowOpen(flows, f);
  const hasData = flows[f + L.F_RESEND_HEAD] !== 0 || flows[f + L.F_ACTIVE_HEAD] !== 0;
  const control = flags & (L.FLAG_ACK_NOW | L.FLAG_TIME_REQUEST | L.FLAG_TIME_RESPONSE);
  if (!(mayCarry && hasData) && !probing && control === 0) {
    return 0;
  }
  reserveCell(core, f);
  const stamped = hasData || probing || (control & L.FLAG_TIME_REQUEST) !== 0;
  const limit = offset + flows[f + L.F_MAX_PAYLOAD];
  writer.begin(core, f, nowUs, bytes, offset, limit, stamped);
  if (control !== 0) {
    writeClockFrames(core, writer, f, nowUs);
  }
  if (mayCarry) {
    if (probing) {
      writeProbe(core, writer, f);
    }
    if (hasData && flows[f + L.F_REDUNDANT_HEAD] !== 0) {
      writeRedundant(core, writer, f, nowUs);
    }
    writeResends(core, writer, f);
    writeNew(core, writer, f, nowUs);
    if (probing) {
      flows[f + L.F_PROBES] -= 1;
      if (writer.packet === 0) {
        writer.writePing(core);
      }
    }
    checkDrained(core, f);
  }
  if (writer.frames === 0 && (flags & L.FLAG_ACK_NOW) === 0) {
    return 0;
  }
  if (writer.packet !== 0 && flows[f + L.F_SKIP_IN] === 1 && writer.room > 5) {
    writer.writeGrease(core);
  }
  return commit(core, writer, f, nowUs);
}

function commit(core: Core, writer: PacketWriter, f: number, nowUs: number): number {
  const flows = core.flows;
  const length = writer.finish();
  if (writer.packet === 0) {
    flows[f + L.F_ACKS_OUT] += 1;
  }
  commitPacket(core, f, nowUs, writer.packet, writer.ackLargest);
  flows[f + L.F_FLAGS] &= ~(L.FLAG_ACK_NOW | L.FLAG_ACK_TIMER);
  flows[f + L.F_RX_UNACKED] = 0;
  flows[f + L.F_PACKETS_OUT] += 1;
  flows[f + L.F_BYTES_OUT] += length;
  return length;
}

function writeClockFrames(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  const flags = flows[f + L.F_FLAGS];
  if ((flags & L.FLAG_TIME_RESPONSE) !== 0) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_TIME_RESPONSE;
    writer.writeTimeResponse(flows[f + L.F_TIME_REQUEST_T0], flows[f + L.F_TIME_REQUEST_T1], nowUs);
  }
  if ((flags & L.FLAG_TIME_REQUEST) !== 0) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_TIME_REQUEST;
    flows[f + L.F_FLAGS] |= L.FLAG_TIME_OUTSTANDING;
    flows[f + L.F_CLOCK_REQUEST_US] = nowUs;
    writer.writeTimeRequest(core, nowUs);
  }
}

/** RFC 9002 §6.2.4: a probe carries the oldest data that still waits for its acknowledgement. */
function writeProbe(core: Core, writer: PacketWriter, f: number): void {
  const flows = core.flows;
  const ring = flows[f + L.F_SENT_RING];
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  for (let sequence = oldestInReach(flows, f); sequence !== next; ) {
    const packet = core.blocks.words[sequenceCell(ring, mask, sequence)];
    if (packet > 0 && writeCopyOf(core, writer, f, packet)) {
      return;
    }
    sequence = (sequence + 1) & 0xffff;
  }
}

/** Writes what of the packet is outstanding; true when there was something. */
function writeCopyOf(core: Core, writer: PacketWriter, f: number, packet: number): boolean {
  const words = core.packets.words;
  const message = words[packet + L.P_MESSAGE];
  if (message === 0) {
    return false;
  }
  let written = writeCopy(
    core,
    writer,
    f,
    message,
    words[packet + L.P_GENERATION],
    words[packet + L.P_FRAGMENT],
  );
  // The writer takes references of its own, which may grow the pool: read `words` afresh.
  for (let node = core.packets.words[packet + L.P_REFERENCES]; node !== 0; ) {
    const references = core.references.words;
    const next = references[node + L.N_NEXT];
    const copied = writeCopy(
      core,
      writer,
      f,
      references[node + L.N_MESSAGE],
      references[node + L.N_GENERATION],
      references[node + L.N_FRAGMENT],
    );
    written = written || copied;
    node = next;
  }
  return written;
}

function writeCopy(
  core: Core,
  writer: PacketWriter,
  f: number,
  message: number,
  generation: number,
  fragment: number,
): boolean {
  if (
    !isOutstanding(core, message, generation, fragment) ||
    !writer.writeMessage(core, message, fragment, false)
  ) {
    return false;
  }
  core.flows[f + L.F_RESENDS] += 1;
  return true;
}

function writeResends(core: Core, writer: PacketWriter, f: number): void {
  const flows = core.flows;
  while (flows[f + L.F_RESEND_HEAD] !== 0) {
    const node = flows[f + L.F_RESEND_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const fragment = words[node + L.N_FRAGMENT];
    if (isOutstanding(core, message, words[node + L.N_GENERATION], fragment)) {
      if (!writer.writeMessage(core, message, fragment, false)) {
        return;
      }
      clearResend(core, message, fragment);
      flows[f + L.F_RESENDS] += 1;
    }
    shiftReference(core, f, L.F_RESEND_HEAD);
  }
}

/** Copies ride before the new messages, so that an older input is delivered before a newer one. */
function writeRedundant(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  const count = flows[f + L.F_REDUNDANT_COUNT];
  for (let index = 0; index < count; index += 1) {
    const node = flows[f + L.F_REDUNDANT_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const generation = words[node + L.N_GENERATION];
    const left = words[node + L.N_FRAGMENT];
    const live = redundantIsLive(core, message, generation, nowUs);
    if (live && !writer.writeMessage(core, message, 0, false)) {
      return;
    }
    shiftReference(core, f, L.F_REDUNDANT_HEAD);
    if (live && left > 1) {
      pushReference(core, f, L.F_REDUNDANT_HEAD, message, generation, left - 1);
    } else {
      flows[f + L.F_REDUNDANT_COUNT] -= 1;
      releaseRedundant(core, message, generation);
    }
  }
}

function redundantIsLive(core: Core, message: number, generation: number, nowUs: number): boolean {
  const words = core.messages.words;
  if (!isOutstanding(core, message, generation, 0)) {
    return false;
  }
  return (
    (words[message + L.M_FLAGS] & L.MESSAGE_EXPIRES) === 0 ||
    !timeReached(nowUs, words[message + L.M_EXPIRES_US])
  );
}

/** An unreliable message lives by its copies alone; a reliable one is the sent list's. */
export function releaseRedundant(core: Core, message: number, generation: number): void {
  const words = core.messages.words;
  if (words[message + L.M_GENERATION] !== generation) {
    return;
  }
  const key = core.streams.words[words[message + L.M_STREAM] + L.S_KEY];
  if ((key & 3) < 2) {
    freeMessage(core, message);
  }
}

/** New messages, one frame per stream in turn, as far as the packet and the sender's rule allow. */
function writeNew(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  let passedOver = 0;
  while (flows[f + L.F_ACTIVE_HEAD] !== 0 && writer.room >= FRAME_BYTES_MIN) {
    const stream = flows[f + L.F_ACTIVE_HEAD];
    const streams = core.streams.words;
    let message = streams[stream + L.S_CURRENT];
    if (message === 0) {
      purgeExpired(core, f, stream, nowUs);
      message = streams[stream + L.S_UNSENT_HEAD];
      if (message === 0) {
        deactivateFirst(core, f);
        continue;
      }
      if ((streams[stream + L.S_KEY] & 3) >= 2 && !senderRuleAllows(core, f, stream, message)) {
        blockFirst(core, f);
        continue;
      }
    }
    if (!writeNext(core, writer, f, stream, message)) {
      passedOver += 1;
      if (passedOver > PASS_OVER_MAX) {
        return;
      }
    }
    deactivateFirst(core, f);
    if (streams[stream + L.S_CURRENT] !== 0 || streams[stream + L.S_UNSENT_HEAD] !== 0) {
      activate(core, f, stream);
    }
  }
}

/** Ids, bytes and partial messages from the oldest unacknowledged one on (docs/wire/rl1.md §7). */
function senderRuleAllows(core: Core, f: number, stream: number, message: number): boolean {
  const flows = core.flows;
  const streams = core.streams.words;
  const words = core.messages.words;
  const oldest = streams[stream + L.S_SENT_HEAD];
  if (oldest !== 0) {
    const window = flows[f + L.F_PEER_WINDOW];
    const ids = window < MESSAGE_WINDOW ? window : MESSAGE_WINDOW;
    if (!idInWindow(streams[stream + L.S_NEXT_ID], words[oldest + L.M_ID], ids)) {
      return false;
    }
  }
  if (
    words[message + L.M_FRAGMENTS] !== 0 &&
    flows[f + L.F_SPAN_PARTIALS] >= flows[f + L.F_PEER_PARTIALS]
  ) {
    return false;
  }
  return flows[f + L.F_SPAN_BYTES] + words[message + L.M_LENGTH] <= flows[f + L.F_PEER_BUDGET];
}

/** Writes the message, or its next fragment; false when it does not fit. */
function writeNext(
  core: Core,
  writer: PacketWriter,
  f: number,
  stream: number,
  message: number,
): boolean {
  const streams = core.streams.words;
  const words = core.messages.words;
  const mode = streams[stream + L.S_KEY] & 3;
  const fragments = words[message + L.M_FRAGMENTS];
  const started = (words[message + L.M_FLAGS] & L.MESSAGE_STARTED) !== 0;
  if (!started) {
    words[message + L.M_ID] = streams[stream + L.S_NEXT_ID];
  }
  const fragment = words[message + L.M_NEXT_FRAGMENT];
  const alone = fragments === 0 && isAlone(core, f, stream, message);
  if (fragments !== 0 && mode >= 2 && words[message + L.M_FRAGMENT_BITS] === 0) {
    words[message + L.M_FRAGMENT_BITS] = core.blocks.alloc(FRAGMENT_BITS_LOG2);
  }
  if (!writer.writeMessage(core, message, fragment, alone)) {
    return false;
  }
  if (!started) {
    startMessage(core, f, stream, message);
  }
  if (fragments !== 0) {
    words[message + L.M_NEXT_FRAGMENT] = fragment + 1;
    streams[stream + L.S_CURRENT] = fragment + 1 < fragments ? message : 0;
  }
  if (fragments === 0 || fragment + 1 === fragments) {
    finishMessage(core, f, message, mode);
  }
  return true;
}

/** Nothing else waits in the flow, so the frame can be written without its length at once. */
function isAlone(core: Core, f: number, stream: number, message: number): boolean {
  const flows = core.flows;
  return (
    core.streams.words[stream + L.S_LIST_NEXT] === 0 &&
    core.messages.words[message + L.M_NEXT] === 0 &&
    flows[f + L.F_RESEND_HEAD] === 0 &&
    flows[f + L.F_SKIP_IN] !== 1
  );
}

/** The message has its id now and leaves the unsent queue. */
function startMessage(core: Core, f: number, stream: number, message: number): void {
  const flows = core.flows;
  const streams = core.streams.words;
  const words = core.messages.words;
  const mode = streams[stream + L.S_KEY] & 3;
  popUnsent(core, stream);
  words[message + L.M_FLAGS] |= L.MESSAGE_STARTED;
  if (mode !== 0 || words[message + L.M_FRAGMENTS] !== 0) {
    streams[stream + L.S_NEXT_ID] = (streams[stream + L.S_NEXT_ID] + 1) & 0xffff;
  }
  if (mode < 2) {
    return;
  }
  const tail = streams[stream + L.S_SENT_TAIL];
  if (tail === 0) {
    streams[stream + L.S_SENT_HEAD] = message;
  } else {
    words[tail + L.M_NEXT] = message;
  }
  streams[stream + L.S_SENT_TAIL] = message;
  flows[f + L.F_SPAN_BYTES] += words[message + L.M_LENGTH];
  if (words[message + L.M_FRAGMENTS] !== 0) {
    flows[f + L.F_SPAN_PARTIALS] += 1;
  }
}

/** All of the message has been packed once. */
function finishMessage(core: Core, f: number, message: number, mode: number): void {
  const flows = core.flows;
  const words = core.messages.words;
  flows[f + L.F_MESSAGES_OUT] += 1;
  const copies = words[message + L.M_REDUNDANCY];
  if (mode < 2) {
    accountUnsent(core, f, message);
  }
  if (copies > 0 && words[message + L.M_FRAGMENTS] === 0) {
    if (flows[f + L.F_REDUNDANT_COUNT] === REDUNDANT_MESSAGES_MAX) {
      dropOldestRedundant(core, f);
    }
    flows[f + L.F_REDUNDANT_COUNT] += 1;
    pushReference(core, f, L.F_REDUNDANT_HEAD, message, words[message + L.M_GENERATION], copies);
    return;
  }
  if (mode < 2) {
    freeMessage(core, message);
  }
}

export function dropOldestRedundant(core: Core, f: number): void {
  const node = core.flows[f + L.F_REDUNDANT_HEAD];
  const words = core.references.words;
  const message = words[node + L.N_MESSAGE];
  const generation = words[node + L.N_GENERATION];
  shiftReference(core, f, L.F_REDUNDANT_HEAD);
  core.flows[f + L.F_REDUNDANT_COUNT] -= 1;
  releaseRedundant(core, message, generation);
}
