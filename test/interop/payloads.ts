/**
 * The payloads of a run, made like those of peers/common/src/drive.rs: payload `index` has
 * `1 + (389·index mod max)` bytes (389 is prime to 1200 and to 1300, so `max` payloads have every size
 * exactly once), filled by a 32-bit LCG seeded with (seed, index).
 */

export function payloadLength(index: number, maxBytes: number): number {
  return 1 + ((389 * index) % maxBytes);
}

/** Writes payload `index` at `out[offset]` and returns its length in bytes. */
export function fillPayload(
  seed: number,
  index: number,
  maxBytes: number,
  out: Uint8Array,
  offset: number,
): number {
  const length = payloadLength(index, maxBytes);
  let state = (Math.imul(seed, 2_654_435_761) + index) | 0;
  for (let at = offset; at < offset + length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    out[at] = state >>> 24;
  }
  return length;
}

const INDEX_BYTES = 4;

/** As `fillPayload` behind its own index, little endian: recognised whatever came before it. */
export function fillNumbered(
  seed: number,
  index: number,
  maxBytes: number,
  out: Uint8Array,
  offset: number,
): number {
  new DataView(out.buffer, out.byteOffset).setUint32(offset, index, true);
  return INDEX_BYTES + fillPayload(seed, index, maxBytes - INDEX_BYTES, out, offset + INDEX_BYTES);
}

/** Length in bytes of what `fillNumbered` writes. */
export function numberedLength(index: number, maxBytes: number): number {
  return INDEX_BYTES + payloadLength(index, maxBytes - INDEX_BYTES);
}
