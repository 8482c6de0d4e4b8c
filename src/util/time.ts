/**
 * Time is int32 wrapping microseconds: it never leaves the small-integer range, so it costs no heap
 * number. Two instants compare correctly while they are less than 2^31 µs (35 min) apart.
 */

/** Signed microseconds from b to a. */
export function timeDistanceUs(a: number, b: number): number {
  return (a - b) | 0;
}

/** True when a is later than b. */
export function timeAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** True when the deadline has come: now is at or after it. */
export function timeReached(nowUs: number, deadlineUs: number): boolean {
  return ((nowUs - deadlineUs) | 0) >= 0;
}

/** now + delta, wrapping. */
export function timeAdd(nowUs: number, deltaUs: number): number {
  return (nowUs + deltaUs) | 0;
}
