/**
 * Copies without a view object: `set(subarray())` costs an allocation per call. Long copies within one
 * array should use copyWithin instead.
 */
export function copyBytes(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  length: number,
): void {
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
