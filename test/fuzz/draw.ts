/** Draws of a fuzzer: mostly ordinary values, often the ones beside a bound. */
import type { Prng } from '../../src/util/prng.js';

export function pick<T>(prng: Prng, values: readonly T[]): T {
  const value = values[prng.below(values.length)];
  if (value === undefined) {
    throw new RangeError('nothing to pick from');
  }
  return value;
}

/** 0 … 2^16 − 1, near 0, near 2^15 or anywhere. */
export function drawU16(prng: Prng): number {
  const near = pick(prng, [0, 0x8000, prng.below(0x10000)]);
  return (near + prng.below(5) - 2) & 0xffff;
}

export function drawBytes(prng: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) {
    bytes[index] = prng.nextInt32();
  }
  return bytes;
}

/** A length of a message up to `bytesMax`: empty, small, around a length of two bytes, in pieces. */
export function drawLength(prng: Prng, bytesMax: number): number {
  const length = pick(prng, [
    prng.below(20),
    prng.below(20),
    120 + prng.below(20),
    prng.below(1000),
    1020 + prng.below(10),
    1024 + prng.below(3000),
    prng.chance(1, 8) ? 1024 * (2 + prng.below(254)) + prng.below(1025) : prng.below(60),
  ]);
  return Math.min(length, bytesMax);
}
