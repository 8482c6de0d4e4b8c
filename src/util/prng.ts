/**
 * Seeded pseudo-random numbers for the sans-IO parts: sfc32 (Chris Doty-Humphrey, PractRand), 128
 * bits of state in four int32. Not for keys. The same seed gives the same run.
 */
export class Prng {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  constructor(seed: number) {
    this.a = seed | 0;
    this.b = 0x9e3779b9 | 0;
    this.c = 0x243f6a88 | 0;
    this.counter = 1;
    for (let round = 0; round < 12; round += 1) {
      this.nextInt32();
    }
  }

  /** All 32 bits, signed. */
  nextInt32(): number {
    const result = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0;
    return result;
  }

  /** An integer in [0, bound); bound ≤ 65536. Bias ≤ bound / 2^16. */
  below(bound: number): number {
    return (((this.nextInt32() >>> 16) * bound) / 0x10000) | 0;
  }

  /** True with probability numerator / denominator, denominator ≤ 65536. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }
}
