/**
 * Token buckets by key (RFC 2697's single rate, one colour): `ratePerSecond` refills, `burst` is
 * the depth. A full bucket is forgotten, so the table holds only recent askers.
 */
const SWEEP_EVERY = 1024;

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RateLimiter {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #asked = 0;

  constructor(ratePerSecond: number, burst: number, nowMs: () => number) {
    this.#ratePerSecond = ratePerSecond;
    this.#burst = burst;
    this.#nowMs = nowMs;
  }

  /** Takes one token; 0 when it was there, else the seconds (≥ 1) until there is one. */
  take(key: string): number {
    if (++this.#asked % SWEEP_EVERY === 0) this.#sweep();
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, atMs: nowMs };
    this.#refill(bucket, nowMs);
    this.#buckets.set(key, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#ratePerSecond));
  }

  #refill(bucket: Bucket, nowMs: number): void {
    const gained = ((nowMs - bucket.atMs) / 1000) * this.#ratePerSecond;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + gained);
    bucket.atMs = nowMs;
  }

  #sweep(): void {
    const nowMs = this.#nowMs();
    for (const [key, bucket] of this.#buckets) {
      this.#refill(bucket, nowMs);
      if (bucket.tokens >= this.#burst) this.#buckets.delete(key);
    }
  }
}
