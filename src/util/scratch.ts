/** Heads are kept up to the length of a message that travels in one packet; the others are rare. */
const HEADS_MAX = 1400;

/**
 * Bytes that an encoder uses again and again from the start, and views of their first `length`, made
 * once each: what is handed on as a whole array is copied by the engine at a quarter of a loop's cost
 * (`copyBytes`), and no view is made per message.
 */
export class Scratch {
  readonly bytes: Uint8Array;
  readonly #heads = new Array<Uint8Array | null>(HEADS_MAX).fill(null);

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** An array that begins with the first `length` bytes, and for lengths of one packet is just these. */
  head(length: number): Uint8Array {
    if (length >= HEADS_MAX) return this.bytes;
    return this.#heads[length] ?? this.#addHead(length);
  }

  #addHead(length: number): Uint8Array {
    const head = this.bytes.subarray(0, length);
    this.#heads[length] = head;
    return head;
  }
}
