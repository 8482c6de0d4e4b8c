import { assert } from './assert.js';
import { growWords } from './grow-words.js';

/**
 * Fixed-size records of int32 words in one growing Int32Array.
 *
 *   words: | unused | record | record | free → | record | free → … |
 *
 * A handle is the index of a record's first word; 0 is no record. Word 0 of a record is the pool's
 * while it is free and the owner's while it is not; the other words keep their values across frees,
 * so a generation may live there. Reload `words` after every alloc: growing replaces the array.
 *
 * Invariant: used = records handed out and not freed; the free list holds only freed records.
 */
export class SlabPool {
  words: Int32Array;
  used = 0;
  private freeHead = 0;
  private end: number;

  constructor(
    readonly stride: number,
    startRecords: number,
  ) {
    this.words = new Int32Array(stride * (startRecords + 1));
    this.end = stride;
  }

  /** A record with word 0 cleared and the others as they were left. */
  alloc(): number {
    this.used += 1;
    const recycled = this.freeHead;
    if (recycled !== 0) {
      this.freeHead = this.words[recycled];
      this.words[recycled] = 0;
      return recycled;
    }
    const handle = this.end;
    this.end += this.stride;
    if (this.end > this.words.length) {
      this.words = growWords(this.words, this.end);
    }
    return handle;
  }

  free(handle: number): void {
    this.words[handle] = this.freeHead;
    this.freeHead = handle;
    this.used -= 1;
  }

  checkInvariants(): void {
    let free = 0;
    for (let handle = this.freeHead; handle !== 0; handle = this.words[handle]) {
      free += 1;
    }
    assert((this.used + free + 1) * this.stride === this.end, 'slab pool: records add up');
  }
}
