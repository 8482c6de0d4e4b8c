/** Below this a loop is faster than a call into the engine's memory copy. */
const LOOP_BYTES = 32;

/**
 * Copies without a view object: `set(subarray())` costs an allocation per call. An array that is copied
 * whole needs none (see Scratch), and the engine's copy takes a quarter of the loop's time.
 */
export function copyBytes(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  length: number,
): void {
  if (from.length === length && length >= LOOP_BYTES) {
    to.set(from, toOffset);
    return;
  }
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    to[toOffset + index] = from[fromOffset + index];
    to[toOffset + index + 1] = from[fromOffset + index + 1];
    to[toOffset + index + 2] = from[fromOffset + index + 2];
    to[toOffset + index + 3] = from[fromOffset + index + 3];
  }
  for (; index < length; index += 1) {
    to[toOffset + index] = from[fromOffset + index];
  }
}
