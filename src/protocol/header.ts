import {
  DROP_ACK_NON_CANONICAL,
  DROP_HEADER_MALFORMED,
  DROP_HEADER_TRUNCATED,
} from './drop-reason.js';
import { readU16 } from './params.js';

/**
 * The packet header (docs/wire/rl1.md §3):
 *
 *   H u8 · seq u16 · [ts u16 if T] · [largest u16 · ack_delay u8 · run u8 · bitmap N × u8 if A]
 */
export const HEADER_MARK = 0x40;
export const HEADER_TIMESTAMP = 0x20;
export const HEADER_ACK = 0x10;
export const HEADER_BITMAP_MASK = 0x0f;
export const HEADER_BYTES_MIN = 3;
export const HEADER_BYTES_MAX = 24;
export const ACK_DELAY_UNKNOWN = 255;
export const BITMAP_BYTES_MAX = 15;

/** A parsed header; one object, reused. */
export class PacketHeader {
  sequence = 0;
  hasTimestamp = false;
  /** 256 µs ticks of the sender's clock, u16 */
  timestamp = 0;
  hasAck = false;
  largest = 0;
  ackDelay = ACK_DELAY_UNKNOWN;
  run = 0;
  bitmapOffset = 0;
  bitmapBytes = 0;
  /** Where the frames begin. */
  bodyOffset = 0;
}

/** Fills `out` and answers 0, or a DropReason. */
export function parseHeader(
  bytes: Uint8Array,
  offset: number,
  length: number,
  out: PacketHeader,
): number {
  if (length < HEADER_BYTES_MIN) {
    return DROP_HEADER_TRUNCATED;
  }
  const first = bytes[offset];
  const bitmapBytes = first & HEADER_BITMAP_MASK;
  const hasAck = (first & HEADER_ACK) !== 0;
  const hasTimestamp = (first & HEADER_TIMESTAMP) !== 0;
  if ((first & 0xc0) !== HEADER_MARK || (!hasAck && bitmapBytes !== 0)) {
    return DROP_HEADER_MALFORMED;
  }
  const size = HEADER_BYTES_MIN + (hasTimestamp ? 2 : 0) + (hasAck ? 4 + bitmapBytes : 0);
  if (length < size) {
    return DROP_HEADER_TRUNCATED;
  }
  let at = offset + 1;
  out.sequence = readU16(bytes, at);
  at += 2;
  out.hasTimestamp = hasTimestamp;
  if (hasTimestamp) {
    out.timestamp = readU16(bytes, at);
    at += 2;
  }
  out.hasAck = hasAck;
  if (hasAck) {
    out.largest = readU16(bytes, at);
    out.ackDelay = bytes[at + 2];
    out.run = bytes[at + 3];
    out.bitmapOffset = at + 4;
    out.bitmapBytes = bitmapBytes;
    at += 4 + bitmapBytes;
    if (bitmapBytes !== 0 && bytes[at - 1] === 0) {
      return DROP_ACK_NON_CANONICAL;
    }
  }
  out.bodyOffset = at;
  return 0;
}
