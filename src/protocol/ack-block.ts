import { sequenceDistance } from '../util/sequence.js';
import { ACK_DELAY_UNKNOWN, BITMAP_BYTES_MAX } from './header.js';
import { writeU16 } from './params.js';

/** Packets the run can name below `largest`. */
export const RUN_MAX = 255;

/**
 * The receive history: 512 bits at `bits` of `words`, bit (sequence & 511). Only the 512 numbers up
 * to the largest received are meaningful.
 */
export function historyHas(words: Int32Array, bits: number, sequence: number): boolean {
  return (words[bits + ((sequence >> 5) & 15)] & (1 << (sequence & 31))) !== 0;
}

export function historySet(words: Int32Array, bits: number, sequence: number): void {
  words[bits + ((sequence >> 5) & 15)] |= 1 << (sequence & 31);
}

export function historyClear(words: Int32Array, bits: number, sequence: number): void {
  words[bits + ((sequence >> 5) & 15)] &= ~(1 << (sequence & 31));
}

/** The number that bit 0 of the bitmap stands for. A full run implies no gap below it. */
export function bitmapFirst(largest: number, run: number): number {
  return (largest - run - (run === RUN_MAX ? 1 : 2)) & 0xffff;
}

/** How many numbers from `sequence` down were received without a gap, at most `limit` ≥ 0; by words. */
function countRun(words: Int32Array, bits: number, sequence: number, limit: number): number {
  let run = 0;
  let at = sequence;
  while (run < limit) {
    const below = at & 31; // this many bits of the word stand below it
    const ones = Math.clz32(~(words[bits + ((at >> 5) & 15)] << (31 - below)));
    run += ones;
    if (ones <= below) {
      break;
    }
    at -= ones;
  }
  return Math.min(run, limit);
}

/**
 * Writes `largest · ack_delay · run · bitmap` and answers the bytes of the bitmap (0…15).
 * Everything above `floor` that was received is named as far as the block reaches: 376 packets.
 */
export function writeAckBlock(
  words: Int32Array,
  bits: number,
  largest: number,
  floor: number,
  ackDelay: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const above = sequenceDistance(largest, floor);
  const limit = Math.max(0, Math.min(above - 1, RUN_MAX));
  const run = countRun(words, bits, largest - 1, limit);
  writeU16(bytes, offset, largest);
  bytes[offset + 2] = ackDelay > ACK_DELAY_UNKNOWN - 1 ? ACK_DELAY_UNKNOWN : ackDelay;
  bytes[offset + 3] = run;
  const first = bitmapFirst(largest, run);
  let remaining = sequenceDistance(first, floor);
  if (remaining > BITMAP_BYTES_MAX * 8) {
    remaining = BITMAP_BYTES_MAX * 8;
  }
  let used = 0;
  for (let byte = 0; byte * 8 < remaining; byte += 1) {
    let value = 0;
    for (let bit = 0; bit < 8 && byte * 8 + bit < remaining; bit += 1) {
      if (historyHas(words, bits, first - byte * 8 - bit)) {
        value |= 1 << bit;
      }
    }
    bytes[offset + 4 + byte] = value;
    if (value !== 0) {
      used = byte + 1;
    }
  }
  return used;
}
