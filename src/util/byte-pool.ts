import { assert } from './assert.js';

const PAGE_BYTES = 64 * 1024;
const SMALLEST_LOG2 = 6;
const CLASSES = 6;
const SLOT_BITS = 10;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

/** The largest chunk: 2 KiB holds any payload. */
export const BYTE_CHUNK_MAX = 1 << (SMALLEST_LOG2 + CLASSES - 1);

/** Bytes a message of `length` takes from the pool. */
export function byteChunkSize(length: number): number {
  return 1 << (SMALLEST_LOG2 + classOf(length));
}

function classOf(length: number): number {
  return length <= 1 << SMALLEST_LOG2 ? 0 : 32 - SMALLEST_LOG2 - Math.clz32(length - 1);
}

/**
 * Chunks of 64…2048 bytes in pages of one size each. A handle is page « 10 | slot; chunks are read
 * and written at `page(handle)` from `offset(handle)`. Pages stay with the pool for reuse.
 *
 * Invariant: usedBytes = sum of the sizes of chunks handed out ≤ maxBytes.
 */
export class BytePool {
  usedBytes = 0;
  private readonly pages: Uint8Array[] = [];
  private readonly views: (Uint8Array | undefined)[][] = [];
  private pageClasses = new Uint8Array(64);
  private readonly freeStacks: Int32Array[] = [];
  private readonly freeCounts = new Int32Array(CLASSES);

  constructor(readonly maxBytes: number) {
    for (let index = 0; index < CLASSES; index += 1) {
      this.freeStacks.push(new Int32Array(16));
    }
  }

  /** A chunk of at least `length` ≤ BYTE_CHUNK_MAX bytes, or −1 when the pool is at its bound. */
  alloc(length: number): number {
    const sizeClass = classOf(length);
    const size = 1 << (SMALLEST_LOG2 + sizeClass);
    if (this.usedBytes + size > this.maxBytes) {
      return -1;
    }
    if (this.freeCounts[sizeClass] === 0) {
      this.addPage(sizeClass);
    }
    this.usedBytes += size;
    const count = this.freeCounts[sizeClass] - 1;
    this.freeCounts[sizeClass] = count;
    return this.freeStacks[sizeClass][count];
  }

  free(handle: number): void {
    const sizeClass = this.pageClasses[handle >> SLOT_BITS];
    this.usedBytes -= 1 << (SMALLEST_LOG2 + sizeClass);
    const count = this.freeCounts[sizeClass];
    this.freeStacks[sizeClass][count] = handle;
    this.freeCounts[sizeClass] = count + 1;
  }

  page(handle: number): Uint8Array {
    return this.pages[handle >> SLOT_BITS];
  }

  offset(handle: number): number {
    return (handle & SLOT_MASK) << (SMALLEST_LOG2 + this.pageClasses[handle >> SLOT_BITS]);
  }

  /**
   * The whole chunk, for `set`: a copy of a whole chunk by the engine is several times faster than
   * a loop. Views are made once per chunk and kept, so steady traffic makes none.
   */
  view(handle: number): Uint8Array {
    const views = this.views[handle >> SLOT_BITS];
    return views[handle & SLOT_MASK] ?? this.addView(views, handle);
  }

  private addView(views: (Uint8Array | undefined)[], handle: number): Uint8Array {
    const size = 1 << (SMALLEST_LOG2 + this.pageClasses[handle >> SLOT_BITS]);
    const offset = this.offset(handle);
    const view = this.page(handle).subarray(offset, offset + size);
    views[handle & SLOT_MASK] = view;
    return view;
  }

  private addPage(sizeClass: number): void {
    const page = this.pages.length;
    const slots = PAGE_BYTES >> (SMALLEST_LOG2 + sizeClass);
    this.pages.push(new Uint8Array(PAGE_BYTES));
    this.views.push(new Array<Uint8Array | undefined>(slots).fill(undefined));
    if (page >= this.pageClasses.length) {
      const grown = new Uint8Array(this.pageClasses.length * 2);
      grown.set(this.pageClasses);
      this.pageClasses = grown;
    }
    this.pageClasses[page] = sizeClass;
    this.growStack(sizeClass, slots);
    const stack = this.freeStacks[sizeClass];
    for (let slot = slots - 1; slot >= 0; slot -= 1) {
      stack[slots - 1 - slot] = (page << SLOT_BITS) | slot;
    }
    this.freeCounts[sizeClass] = slots;
  }

  /** Room for every chunk of the class: those handed out come back here. */
  private growStack(sizeClass: number, slots: number): void {
    let pages = 0;
    for (let page = 0; page < this.pages.length; page += 1) {
      pages += this.pageClasses[page] === sizeClass ? 1 : 0;
    }
    const stack = this.freeStacks[sizeClass];
    assert(this.freeCounts[sizeClass] === 0, 'byte pool: pages are added when none is free');
    if (pages * slots > stack.length) {
      this.freeStacks[sizeClass] = new Int32Array(pages * slots * 2);
    }
  }
}
