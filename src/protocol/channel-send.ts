import { MESSAGE_WINDOW } from '../util/limits.js';
import type { Core } from './core.js';
import * as L from './layout.js';
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
import { keepRedundant } from './redundancy.js';
import { purgeExpired } from './send.js';

/** Streams whose next frame does not fit are passed over this often before the packet is closed. */
const PASS_OVER_MAX = 4;

/** New messages, one frame per stream in turn, as far as the packet and the sender's rule allow. */
export function writeNew(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
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
    keepRedundant(core, f, message, copies);
    return;
  }
  if (mode < 2) {
    freeMessage(core, message);
  }
}
