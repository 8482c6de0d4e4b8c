/**
 * First in, first out, records of `stride` int32 words; grows by doubling, never shrinks.
 * push and shift answer the index in `words` of the record's first word.
 *
 * Invariant: head ≤ tail; size = tail − head ≤ capacity (a power of two).
 */
export class RingQueue {
  words: Int32Array;
  private head = 0;
  private tail = 0;
  private mask: number;

  constructor(
    readonly stride: number,
    capacityLog2: number,
  ) {
    this.words = new Int32Array(stride << capacityLog2);
    this.mask = (1 << capacityLog2) - 1;
  }

  get size(): number {
    return (this.tail - this.head) | 0;
  }

  push(): number {
    if (((this.tail - this.head) | 0) > this.mask) {
      this.grow();
    }
    const index = (this.tail & this.mask) * this.stride;
    this.tail = (this.tail + 1) | 0;
    return index;
  }

  /**
   * The oldest record, taken out but readable until the next push; −1 when there is none.
   */
  shift(): number {
    if (this.head === this.tail) {
      return -1;
    }
    const index = (this.head & this.mask) * this.stride;
    this.head = (this.head + 1) | 0;
    return index;
  }

  private grow(): void {
    const grown = new Int32Array(this.words.length * 2);
    const count = this.size;
    for (let index = 0; index < count; index += 1) {
      const from = ((this.head + index) & this.mask) * this.stride;
      for (let word = 0; word < this.stride; word += 1) {
        grown[index * this.stride + word] = this.words[from + word];
      }
    }
    this.words = grown;
    this.mask = this.mask * 2 + 1;
    this.head = 0;
    this.tail = count;
  }
}
