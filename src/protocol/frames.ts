import { CLOSE_REASON_BYTES_MAX, FRAGMENT_BYTES, FRAMES_PER_PACKET_MAX } from '../util/limits.js';
import { isUtf8 } from '../util/utf8.js';
import {
  DROP_CHANNEL_RANGE,
  DROP_CLOSE_MALFORMED,
  DROP_FRAGMENT_MALFORMED,
  DROP_FRAME_COUNT,
  DROP_FRAME_NON_CANONICAL,
  DROP_FRAME_TRUNCATED,
  DROP_FRAME_UNKNOWN,
  DROP_MESSAGE_TOO_LARGE,
} from './drop-reason.js';
import {
  FRAME_STRIDE,
  X_COUNT,
  X_ID,
  X_INDEX,
  X_KEY,
  X_LENGTH,
  X_OFFSET,
  X_STREAM,
  X_TYPE,
} from './layout.js';
import { readU16 } from './params.js';

/** Frame types (docs/wire/rl1.md §4). */
export const FRAME_PADDING = 0x00;
export const FRAME_PING = 0x01;
export const FRAME_TIME_REQUEST = 0x02;
export const FRAME_TIME_RESPONSE = 0x03;
export const FRAME_CLOSE = 0x04;
export const FRAME_RX_REPORT = 0x08;
export const FRAME_IGNORABLE_FIRST = 0x20;
export const FRAME_IGNORABLE_LAST = 0x3f;
export const FRAME_MESSAGE = 0x80;
export const FRAME_FRAGMENT_BIT = 0x40;
export const FRAME_LAST_BIT = 0x20;
export const FRAME_MODE_SHIFT = 3;
export const FRAME_CHANNEL_MASK = 7;
export const FRAME_CHANNEL_FOLLOWS = 7;

export const TIME_REQUEST_BYTES = 5;
export const TIME_RESPONSE_BYTES = 13;
export const RX_REPORT_BYTES = 9;

/** The frames of one packet; one object, reused. */
export class ParsedFrames {
  /** Records of FRAME_STRIDE words, X_… */
  readonly words = new Int32Array(FRAMES_PER_PACKET_MAX * FRAME_STRIDE);
  count = 0;
  /** The packet asks for an acknowledgement. */
  eliciting = false;
  /** Some frame is reliable or in pieces, so the sender's rule must be checked. */
  ruled = false;
}

/** What the receiver takes. */
export interface FrameLimits {
  readonly channels: number;
  readonly messageBytes: number;
  readonly unreliableMessageBytes: number;
}

/**
 * Checks every frame from `at` to `end` completely and notes it in `out`; nothing is applied.
 * Answers 0 or a DropReason.
 */
export function parseFrames(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: FrameLimits,
  out: ParsedFrames,
): number {
  out.count = 0;
  out.eliciting = false;
  out.ruled = false;
  let at = start;
  while (at < end) {
    if (out.count === FRAMES_PER_PACKET_MAX) {
      return DROP_FRAME_COUNT;
    }
    const result =
      bytes[at] >= FRAME_MESSAGE
        ? parseMessage(bytes, at, end, limits, out)
        : parseControl(bytes, at, end, out);
    if (result < 0) {
      return -result;
    }
    at = result;
    out.count += 1;
  }
  return 0;
}

/** The end of the frame, or a negated DropReason. */
function parseMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: FrameLimits,
  out: ParsedFrames,
): number {
  const words = out.words;
  const x = out.count * FRAME_STRIDE;
  const type = bytes[start];
  const mode = (type >> FRAME_MODE_SHIFT) & 3;
  const fragmented = (type & FRAME_FRAGMENT_BIT) !== 0;
  const withId = mode !== 0 || fragmented;
  let channel = type & FRAME_CHANNEL_MASK;
  let at = start + 1;
  const fixed =
    (channel === FRAME_CHANNEL_FOLLOWS ? 1 : 0) + (withId ? 2 : 0) + (fragmented ? 2 : 0);
  if (at + fixed > end) {
    return -DROP_FRAME_TRUNCATED;
  }
  if (channel === FRAME_CHANNEL_FOLLOWS) {
    channel = bytes[at];
    at += 1;
    if (channel < FRAME_CHANNEL_FOLLOWS) {
      return -DROP_FRAME_NON_CANONICAL;
    }
  }
  if (channel >= limits.channels) {
    return -DROP_CHANNEL_RANGE;
  }
  words[x + X_TYPE] = type;
  words[x + X_KEY] = (channel << 2) | mode;
  words[x + X_STREAM] = 0;
  words[x + X_COUNT] = 0;
  words[x + X_ID] = withId ? readU16(bytes, at) : 0;
  at += withId ? 2 : 0;
  if (fragmented) {
    words[x + X_INDEX] = bytes[at];
    words[x + X_COUNT] = bytes[at + 1] + 1;
    at += 2;
  }
  const reason = parseData(bytes, at, end, (type & FRAME_LAST_BIT) !== 0, words, x);
  if (reason !== 0) {
    return -reason;
  }
  const length = words[x + X_LENGTH];
  const bytesMax = mode >= 2 ? limits.messageBytes : limits.unreliableMessageBytes;
  if (fragmented) {
    const malformed = checkFragment(words[x + X_INDEX], words[x + X_COUNT], length, bytesMax);
    if (malformed !== 0) {
      return -malformed;
    }
  } else if (length > bytesMax) {
    return -DROP_MESSAGE_TOO_LARGE;
  }
  out.eliciting = true;
  out.ruled = out.ruled || mode >= 2 || fragmented;
  return words[x + X_OFFSET] + length;
}

/** Length (LEB128 of one or two bytes, or to the end) and place of the data; 0 or a DropReason. */
function parseData(
  bytes: Uint8Array,
  start: number,
  end: number,
  last: boolean,
  words: Int32Array,
  x: number,
): number {
  let at = start;
  let length = end - at;
  if (!last) {
    if (at === end) {
      return DROP_FRAME_TRUNCATED;
    }
    length = bytes[at];
    at += 1;
    if (length >= 0x80) {
      if (at === end) {
        return DROP_FRAME_TRUNCATED;
      }
      const high = bytes[at];
      at += 1;
      if (high === 0 || high >= 0x80) {
        return DROP_FRAME_NON_CANONICAL;
      }
      length = (length & 0x7f) | (high << 7);
    }
    if (at + length >= end) {
      // A frame that ends with the packet must say so with L instead of a length.
      return at + length > end ? DROP_FRAME_TRUNCATED : DROP_FRAME_NON_CANONICAL;
    }
  }
  words[x + X_OFFSET] = at;
  words[x + X_LENGTH] = length;
  return 0;
}

function checkFragment(index: number, count: number, length: number, bytesMax: number): number {
  if (index >= count || count < 2 || length === 0) {
    return DROP_FRAGMENT_MALFORMED;
  }
  if (index === count - 1 ? length > FRAGMENT_BYTES : length !== FRAGMENT_BYTES) {
    return DROP_FRAGMENT_MALFORMED;
  }
  // The last fragment tells the exact length, the others how much it is at least.
  const tail = index === count - 1 ? length : 1;
  return (count - 1) * FRAGMENT_BYTES + tail > bytesMax ? DROP_MESSAGE_TOO_LARGE : 0;
}

/** The end of the frame, or a negated DropReason. */
function parseControl(bytes: Uint8Array, start: number, end: number, out: ParsedFrames): number {
  const words = out.words;
  const x = out.count * FRAME_STRIDE;
  const type = bytes[start];
  words[x + X_TYPE] = type;
  words[x + X_OFFSET] = start + 1;
  let size = 1;
  if (type === FRAME_PING) {
    out.eliciting = true;
  } else if (type === FRAME_TIME_REQUEST) {
    out.eliciting = true;
    size = TIME_REQUEST_BYTES;
  } else if (type === FRAME_TIME_RESPONSE) {
    size = TIME_RESPONSE_BYTES;
  } else if (type === FRAME_RX_REPORT) {
    size = RX_REPORT_BYTES;
  } else if (type === FRAME_CLOSE) {
    return parseClose(bytes, start, end, words, x);
  } else if (type >= FRAME_IGNORABLE_FIRST && type <= FRAME_IGNORABLE_LAST) {
    out.eliciting = true;
    if (start + 2 > end) {
      return -DROP_FRAME_TRUNCATED;
    }
    size = 2 + bytes[start + 1];
  } else if (type !== FRAME_PADDING) {
    return -DROP_FRAME_UNKNOWN;
  }
  return start + size > end ? -DROP_FRAME_TRUNCATED : start + size;
}

function parseClose(
  bytes: Uint8Array,
  start: number,
  end: number,
  words: Int32Array,
  x: number,
): number {
  if (start + 4 > end) {
    return -DROP_FRAME_TRUNCATED;
  }
  const length = bytes[start + 3];
  if (start + 4 + length > end) {
    return -DROP_FRAME_TRUNCATED;
  }
  if (length > CLOSE_REASON_BYTES_MAX || !isUtf8(bytes, start + 4, length)) {
    return -DROP_CLOSE_MALFORMED;
  }
  words[x + X_ID] = readU16(bytes, start + 1);
  words[x + X_OFFSET] = start + 4;
  words[x + X_LENGTH] = length;
  return start + 4 + length;
}
