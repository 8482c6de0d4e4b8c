/** Below this many bytes a loop beats `set(subarray())`, and allocates no view. */
const LOOP_BYTES_MAX = 192;

/** Copies `length` bytes between arrays. Small copies allocate nothing. */
export function copyBytes(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  length: number,
): void {
  if (length > LOOP_BYTES_MAX) {
    to.set(from.subarray(fromOffset, fromOffset + length), toOffset);
    return;
  }
  for (let i = 0; i < length; i++) to[toOffset + i] = from[fromOffset + i];
}
