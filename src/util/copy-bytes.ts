/** Below this a loop is faster than a call into the engine's memory copy. */
const LOOP_BYTES = 32;
const CACHED_VIEWS = 1400;
const ADOPT_AFTER = 16;

/**
 * Copies without a view object: `set(subarray())` costs an allocation per call. Where both sides
 * have views at hand, `set` is several times faster.
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

/**
 * Copies from an array that the caller uses again and again from offset 0, as encoders use their
 * scratch: its views are kept by length, so that the engine's copy serves without an allocation.
 * Any other source is copied by a loop.
 */
export class ScratchCopier {
  private adopted: Uint8Array | null = null;
  private candidate: Uint8Array | null = null;
  private streak = 0;
  private views: (Uint8Array | undefined)[] = [];

  copy(
    from: Uint8Array,
    fromOffset: number,
    to: Uint8Array,
    toOffset: number,
    length: number,
  ): void {
    if (length >= LOOP_BYTES && fromOffset === 0 && length < CACHED_VIEWS) {
      if (from === this.adopted) {
        to.set(this.views[length] ?? this.addView(from, length), toOffset);
        return;
      }
      this.consider(from);
    }
    copyBytes(from, fromOffset, to, toOffset, length);
  }

  private addView(from: Uint8Array, length: number): Uint8Array {
    const view = from.subarray(0, length);
    this.views[length] = view;
    return view;
  }

  private consider(from: Uint8Array): void {
    if (from !== this.candidate) {
      this.candidate = from;
      this.streak = 0;
      return;
    }
    this.streak += 1;
    if (this.streak >= ADOPT_AFTER) {
      this.adopted = from;
      this.views = new Array<Uint8Array | undefined>(CACHED_VIEWS).fill(undefined);
      this.streak = 0;
    }
  }
}
