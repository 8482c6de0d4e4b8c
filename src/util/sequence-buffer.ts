import type { BlockPool } from './block-pool.js';

/**
 * Sequence buffers: rings indexed by `sequence & mask`, as blocks of a BlockPool, two words a cell.
 * The owner knows which range of sequences is live (the last `size` of them), so a cell needs no
 * stored sequence; cells outside the live range are never read.
 *
 *   size 16, newest 37:  cell  0  1  2  3  4  5 │ 6  7 …
 *                        seq  32 33 34 35 36 37 │22 23 …
 */
export const SEQUENCE_CELL_WORDS = 2;

/** A buffer of 2^log2 empty (zero) cells. */
export function sequenceBufferCreate(pool: BlockPool, log2: number): number {
  return pool.alloc(log2 + 1);
}

export function sequenceBufferFree(pool: BlockPool, handle: number, log2: number): void {
  pool.free(handle, log2 + 1);
}

/** Index in `pool.words` of the first word of the cell. */
export function sequenceCell(handle: number, mask: number, sequence: number): number {
  return handle + ((sequence & mask) << 1);
}

/**
 * A buffer of 2^newLog2 cells that holds the last 2^log2 sequences up to `newest`; frees the old.
 */
export function sequenceBufferGrow(
  pool: BlockPool,
  handle: number,
  log2: number,
  newLog2: number,
  newest: number,
): number {
  const grown = pool.alloc(newLog2 + 1);
  const words = pool.words;
  const size = 1 << log2;
  for (let back = 0; back < size; back += 1) {
    const from = sequenceCell(handle, size - 1, newest - back);
    const to = sequenceCell(grown, (1 << newLog2) - 1, newest - back);
    words[to] = words[from];
    words[to + 1] = words[from + 1];
  }
  pool.free(handle, log2 + 1);
  return grown;
}
