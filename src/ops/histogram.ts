/**
 * Durations counted in powers of two, cumulative since the start: 64 µs, 128 µs … 2.1 s, and beyond.
 * `observe` is a few instructions and allocates nothing; only a reader makes seconds of it.
 */
const FIRST_POWER = 6;
const BUCKETS = 16;
const SUM_AT = BUCKETS + 1;
/** Upper bounds in seconds, inclusive. */
export const BUCKET_BOUNDS_S: readonly number[] = Array.from(
  { length: BUCKETS },
  (_, index) => 2 ** (FIRST_POWER + index) / 1e6,
);

export class DurationHistogram {
  /** Observations per bucket, those beyond all bounds, and the sum of all in µs. */
  readonly #counts = new Float64Array(BUCKETS + 2);

  observe(us: number): void {
    this.#counts[bucketOf(us)]++;
    this.#counts[SUM_AT] += Math.max(0, us);
  }

  get count(): number {
    return this.#counts.subarray(0, SUM_AT).reduce((sum, count) => sum + count, 0);
  }

  get sumS(): number {
    return this.#counts[SUM_AT] / 1e6;
  }

  /** Observations at or below each bound, as Prometheus counts them. */
  cumulative(): number[] {
    let sum = 0;
    return BUCKET_BOUNDS_S.map((_, index) => {
      sum += this.#counts[index];
      return sum;
    });
  }
}

function bucketOf(us: number): number {
  if (!(us > 2 ** FIRST_POWER)) return 0;
  if (us > 2 ** (FIRST_POWER + BUCKETS - 1)) return BUCKETS;
  // The smallest n with us ≤ 2^n.
  return 32 - Math.clz32(Math.ceil(us) - 1) - FIRST_POWER;
}
