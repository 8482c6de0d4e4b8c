/** Ack blocks that no honest receiver writes. */
import type { Prng } from '../../src/util/prng.js';
import { drawU16, pick } from './draw.js';
import type { AckFields } from './encode.js';

/** What the other side has shown of its packet numbers. */
export interface Heard {
  readonly newestHeard: number;
  readonly firstHeard: number;
  readonly skipped: readonly number[];
}

export function isHostile(prng: Prng, perMille: number): boolean {
  return prng.chance(perMille, 1000);
}

export function hostileAck(prng: Prng, heard: Heard): AckFields {
  const newest = heard.newestHeard;
  const largest = pick(prng, [
    newest,
    newest + 1,
    newest + 2,
    newest + 1 + prng.below(40000),
    newest - prng.below(8),
    newest - prng.below(1100),
    newest - 1024 - prng.below(8),
    newest - prng.below(40000),
    heard.firstHeard,
    heard.firstHeard - 1,
    heard.skipped.at(-1) ?? newest,
    (heard.skipped.at(-1) ?? newest) + prng.below(4),
    drawU16(prng),
  ]);
  const bitmap: number[] = [];
  for (let bytes = prng.chance(1, 2) ? prng.below(16) : 0; bytes > 0; bytes -= 1) {
    bitmap.push(pick(prng, [0, 1, 0x80, 0xff, prng.below(256)]));
  }
  if (bitmap.length > 0 && !prng.chance(1, 2)) {
    bitmap[bitmap.length - 1] = 1 + prng.below(255);
  }
  const run = pick(prng, [0, 0, 1, prng.below(20), 254, 255]);
  return { largest: largest & 0xffff, delay: prng.below(256), run, bitmap };
}
