/**
 * Assertions guard the API against its callers; bytes off the wire are never asserted, they are
 * refused.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) {
    throw new RangeError(message);
  }
}
