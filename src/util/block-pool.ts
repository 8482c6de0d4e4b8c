import { assert } from './assert.js';
import { growWords } from './grow-words.js';

const CLASSES = 16;

/**
 * Blocks of 2^n int32 words in one growing Int32Array, with a free list per size.
 * A handle is the index of the first word; 0 is no block. The owner remembers n.
 * Reload `words` after every alloc: growing replaces the array.
 */
export class BlockPool {
  words: Int32Array;
  usedWords = 0;
  private readonly freeHeads = new Int32Array(CLASSES);
  private end = 1;

  constructor(startWords: number) {
    this.words = new Int32Array(Math.max(startWords, 16));
  }

  /** A block of 2^log2 words, all zero. */
  alloc(log2: number): number {
    assert(log2 < CLASSES, 'block pool: no blocks so large');
    const size = 1 << log2;
    this.usedWords += size;
    const recycled = this.freeHeads[log2];
    if (recycled !== 0) {
      this.freeHeads[log2] = this.words[recycled];
      this.words.fill(0, recycled, recycled + size);
      return recycled;
    }
    const handle = this.end;
    this.end += size;
    if (this.end > this.words.length) {
      this.words = growWords(this.words, this.end);
    }
    return handle;
  }

  free(handle: number, log2: number): void {
    assert(handle !== 0, 'block pool: free of no block');
    this.words[handle] = this.freeHeads[log2];
    this.freeHeads[log2] = handle;
    this.usedWords -= 1 << log2;
  }
}
