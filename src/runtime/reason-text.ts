import { CLOSE_REASON_BYTES_MAX } from '../util/limits.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The reason of a CLOSE: at most 64 B of UTF-8. */
export function encodeReason(reason: string): Uint8Array {
  return encoder.encode(reason).subarray(0, CLOSE_REASON_BYTES_MAX);
}

export function decodeReason(bytes: Uint8Array, offset: number, length: number): string {
  return decoder.decode(bytes.subarray(offset, offset + length));
}
