import { MESSAGE_WINDOW, PASS_OVER_MAX } from '../util/limits.js';
import type { Core } from './core.js';
import { abandonStale, purgeUnsent } from './give-up.js';
import * as L from './layout.js';
import { accountUnsent, FRAGMENT_BITS_LOG2, frameBytes, popUnsent } from './messages.js';
import { FRAME_BYTES_MIN, idInWindow, type PacketWriter } from './packet-writer.js';
import { finishUnreliable } from './receipts.js';
import { keepRedundant, keepSpare } from './redundancy.js';
import { writeResend } from './resend.js';
import { shareOfBytes, shareOfPartials } from './reserve.js';
import { block, deactivateAfter, quantumOf } from './schedule.js';

/** What one look at a stream led to. */
const TURN_WROTE = 0;
/** Written, or nothing was left: the stream steps out. */
const TURN_EMPTY = 1;
const TURN_BLOCKED = 2;
/** Its credit is used up: the next stream of the priority follows. */
const TURN_OVER = 3;
/** Its next frame is larger than the room in this packet. */
const TURN_NO_ROOM = 4;

/**
 * Fills the packet with lost and new data: priority by priority, by weight inside a priority, a
 * stream's lost data before its new. Where a frame does not fit, up to PASS_OVER_MAX others are
 * tried, of lower priorities too; its stream stays first for the next packet.
 */
export function writeData(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  all: boolean,
): void {
  let passes = PASS_OVER_MAX;
  let rest = core.flows[f + L.F_PRIORITIES];
  if (!all) {
    rest &= ~(1 << (31 - Math.clz32(rest)));
  }
  while (rest !== 0 && passes >= 0) {
    const priority = 31 - Math.clz32(rest & -rest);
    rest &= rest - 1;
    passes = writePriority(core, writer, f, nowUs, priority, passes);
  }
}

/** Answers the passes that are left; −1 ends the packet. */
function writePriority(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  priority: number,
  passesBefore: number,
): number {
  const last = f + L.F_ACTIVE + priority;
  let passes = passesBefore;
  let previous = core.flows[last];
  let passedOver = 0;
  while (previous !== 0) {
    if (writer.room < FRAME_BYTES_MIN) {
      return -1;
    }
    const stream = core.sendStreams.words[previous + L.S_LIST_NEXT];
    if (stream === passedOver) {
      break;
    }
    const turn = takeTurn(core, writer, f, stream, nowUs);
    if (turn === TURN_EMPTY || turn === TURN_BLOCKED) {
      previous = deactivateAfter(core, f, priority, previous);
      if (turn === TURN_BLOCKED) {
        block(core, f, stream);
      }
    } else if (turn === TURN_OVER) {
      if (previous === core.flows[last]) {
        core.flows[last] = stream;
      }
      previous = stream;
    } else if (turn === TURN_NO_ROOM) {
      passes -= 1;
      if (passes < 0) {
        break;
      }
      passedOver = passedOver === 0 ? stream : passedOver;
      previous = stream;
    }
  }
  return passes;
}

function takeTurn(
  core: Core,
  writer: PacketWriter,
  f: number,
  stream: number,
  nowUs: number,
): number {
  const streams = core.sendStreams.words;
  if (streams[stream + L.S_RESEND_HEAD] !== 0) {
    return takeResend(core, writer, f, stream);
  }
  const words = core.messages.words;
  if (streams[stream + L.S_CURRENT] !== 0) {
    abandonStale(core, f, stream, nowUs);
  }
  let message = streams[stream + L.S_CURRENT];
  if (message === 0) {
    message = streams[stream + L.S_UNSENT_HEAD];
    if (message !== 0 && (words[message + L.M_FLAGS] & L.MESSAGE_EXPIRES) !== 0) {
      purgeUnsent(core, f, stream, nowUs);
      message = streams[stream + L.S_UNSENT_HEAD];
    }
    if (message === 0) {
      return TURN_EMPTY;
    }
    if ((streams[stream + L.S_KEY] & 3) >= 2 && !senderRuleAllows(core, f, stream, message)) {
      return TURN_BLOCKED;
    }
  }
  const bytes = frameBytes(core, message, words[message + L.M_NEXT_FRAGMENT]);
  if (bytes > streams[stream + L.S_DEFICIT]) {
    streams[stream + L.S_DEFICIT] += quantumOf(core, streams[stream + L.S_KEY] >> 2);
    return TURN_OVER;
  }
  if (!writeNext(core, writer, f, stream, message)) {
    return TURN_NO_ROOM;
  }
  streams[stream + L.S_DEFICIT] -= bytes;
  return streams[stream + L.S_CURRENT] === 0 && streams[stream + L.S_UNSENT_HEAD] === 0
    ? TURN_EMPTY
    : TURN_WROTE;
}

function takeResend(core: Core, writer: PacketWriter, f: number, stream: number): number {
  const streams = core.sendStreams.words;
  if (streams[stream + L.S_DEFICIT] <= 0) {
    streams[stream + L.S_DEFICIT] += quantumOf(core, streams[stream + L.S_KEY] >> 2);
    return TURN_OVER;
  }
  const bytes = writeResend(core, writer, f, stream);
  if (bytes < 0) {
    return TURN_NO_ROOM;
  }
  // What it overdraws is paid back before its next turn.
  streams[stream + L.S_DEFICIT] -= bytes;
  return streams[stream + L.S_RESEND_HEAD] === 0 &&
    streams[stream + L.S_CURRENT] === 0 &&
    streams[stream + L.S_UNSENT_HEAD] === 0
    ? TURN_EMPTY
    : TURN_WROTE;
}

/**
 * Ids, bytes and partial messages from the oldest unacknowledged one on (docs/wire/rl1.md §7); of
 * what all channels share, a reserve is for the more urgent.
 */
function senderRuleAllows(core: Core, f: number, stream: number, message: number): boolean {
  const flows = core.flows;
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  const oldest = streams[stream + L.S_SENT_HEAD];
  if (oldest !== 0) {
    const window = flows[f + L.F_PEER_WINDOW];
    const ids = window < MESSAGE_WINDOW ? window : MESSAGE_WINDOW;
    if (!idInWindow(streams[stream + L.S_NEXT_ID], words[oldest + L.M_ID], ids)) {
      return false;
    }
  }
  const priority = core.channelPriority[streams[stream + L.S_KEY] >> 2];
  const inPieces = words[message + L.M_FRAGMENTS] !== 0;
  const partials = flows[f + L.F_PEER_PARTIALS];
  if (inPieces && flows[f + L.F_SPAN_PARTIALS] >= shareOfPartials(partials, priority)) {
    return false;
  }
  const largest = flows[f + L.F_PEER_MESSAGE_BYTES];
  const bytes = shareOfBytes(flows[f + L.F_PEER_BUDGET], largest, priority, inPieces);
  return flows[f + L.F_SPAN_BYTES] + words[message + L.M_LENGTH] <= bytes;
}

/** Writes the message, or its next fragment; false when it does not fit. */
function writeNext(
  core: Core,
  writer: PacketWriter,
  f: number,
  stream: number,
  message: number,
): boolean {
  const streams = core.sendStreams.words;
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
  const priorities = flows[f + L.F_PRIORITIES];
  return (
    core.sendStreams.words[stream + L.S_LIST_NEXT] === stream &&
    (priorities & (priorities - 1)) === 0 &&
    core.messages.words[message + L.M_NEXT] === 0 &&
    flows[f + L.F_SPARE_HEAD] === 0 &&
    flows[f + L.F_SKIP_IN] !== 1
  );
}

/** The message has its id now and leaves the unsent queue. */
function startMessage(core: Core, f: number, stream: number, message: number): void {
  const flows = core.flows;
  const streams = core.sendStreams.words;
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
  } else if (mode >= 2) {
    keepSpare(core, f, message);
  } else {
    finishUnreliable(core, f, message);
  }
}
