/**
 * Arithmetic on 16-bit sequence numbers and message ids (RFC 1982 serial numbers with 16 bits).
 * These are the only functions that compare two of them.
 */

/** Signed distance a − b in −32768…32767: positive when a is newer than b. */
export function sequenceDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}

/** True when a is newer than b. */
export function sequenceNewer(a: number, b: number): boolean {
  return ((a - b) << 16) >> 16 > 0;
}

/** a + n modulo 2^16; n may be negative. */
export function sequenceAdd(a: number, n: number): number {
  return (a + n) & 0xffff;
}
