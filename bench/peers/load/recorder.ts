/** Counts of durations in buckets of at most 1/64 of their value, as native/bench/src/histogram.rs. */
import type { Histogram } from '../../suite/histogram.js';

const SUB_BITS = 6;
const SUB = 1 << SUB_BITS;
/** Values from 2^40 ns (18 minutes) on share the last bucket. */
const BUCKETS = (40 - SUB_BITS + 1) * SUB;

export class Recorder {
  private readonly counts = new Float64Array(BUCKETS);
  private max = 0;

  /** @param duration nanoseconds, not negative */
  record(duration: number): void {
    const ns = Math.round(duration);
    this.counts[bucketOf(ns)] += 1;
    if (ns > this.max) this.max = ns;
  }

  /** What was recorded since the last call. */
  take(): Histogram {
    const buckets: [number, number][] = [];
    for (let index = 0; index < BUCKETS; index += 1) {
      if (this.counts[index] > 0) buckets.push([lowestOf(index), this.counts[index]]);
    }
    const taken = { max: this.max, buckets };
    this.counts.fill(0);
    this.max = 0;
    return taken;
  }
}

export function bucketOf(value: number): number {
  if (value < SUB) return Math.floor(value);
  let shift = Math.floor(Math.log2(value)) - SUB_BITS;
  // log2 rounds: just below a power of two it may say that power.
  if (value < 2 ** (shift + SUB_BITS)) shift -= 1;
  const index = (shift + 1) * SUB + Math.floor(value / 2 ** shift) - SUB;
  return Math.min(index, BUCKETS - 1);
}

export function lowestOf(index: number): number {
  if (index < SUB) return index;
  const shift = Math.floor(index / SUB) - 1;
  return (SUB + (index % SUB)) * 2 ** shift;
}
