/**
 * Chance in a simulated world. One seed is the whole world, and each concern (loss of one link,
 * sizes of one workload, …) draws from a stream of its own: a draw added in one place does not move
 * the others. Probabilities are ratios of whole numbers; nothing here takes a logarithm, because
 * Math.log and Math.exp may differ from one engine to the next.
 */
import { Prng } from '../util/prng.js';

/** `n` out of `of`; both whole, 0 ≤ n ≤ of. */
export interface Ratio {
  readonly n: number;
  readonly of: number;
}

export const NEVER: Ratio = { n: 0, of: 1 };

export function ratio(n: number, of: number): Ratio {
  if (!(of > 0 && n >= 0 && n <= of)) throw new RangeError(`${n}/${of} is no probability`);
  return { n, of };
}

/** 31-bit draws below this number are hits. */
export function hitsBelow(chance: Ratio): number {
  return Math.floor((chance.n * 0x80000000) / chance.of);
}

/** Bits to spread seeds that differ little: the finaliser of MurmurHash3 (Austin Appleby). */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A generator for one concern of one world; `index` tells apart several of the same concern. */
export class Stream extends Prng {
  constructor(seed: number, concern: string, index = 0) {
    let h = mix32(seed);
    for (let i = 0; i < concern.length; i++) h = mix32(h ^ concern.charCodeAt(i));
    super(mix32(h + Math.imul(index + 1, 0x9e3779b1)));
  }

  /** 31 bits, never negative. */
  next31(): number {
    return this.nextInt32() >>> 1;
  }

  /** A hit with the probability behind `hitsBelow`. */
  hit(threshold: number): boolean {
    return this.nextInt32() >>> 1 < threshold;
  }

  /** A whole number from `low` to `high`, both included; the span may be up to 2^22. */
  between(low: number, high: number): number {
    return low + Math.floor((this.next31() * (high - low + 1)) / 0x80000000);
  }

  /** One of the entries. */
  pick<T>(entries: readonly T[]): T {
    return entries[this.between(0, entries.length - 1)];
  }

  /** True `n` times out of `of`. */
  isHit(n: number, of: number): boolean {
    return this.between(1, of) <= n;
  }
}
