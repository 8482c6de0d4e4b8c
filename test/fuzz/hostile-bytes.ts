/** Payloads that are broken as bytes: cut, flipped, grown, or something else altogether. */
import type { Prng } from '../../src/util/prng.js';
import type { FlowConfig } from './config.js';
import { drawBytes, drawU16, pick } from './draw.js';
import { PARAMS, type ParamsFields, paramsBytes } from './encode.js';

/** A broken relative of `bytes`, never empty: netcode has no empty payload. */
export function hostileBytes(prng: Prng, bytes: Uint8Array, config: FlowConfig): Uint8Array {
  const way = pick(prng, [cut, flip, flip, flipBody, grow, overwrite, params, noise]);
  const made = way(prng, bytes, config);
  return made.length === 0 ? new Uint8Array([prng.below(256)]) : made;
}

function cut(prng: Prng, bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, prng.below(bytes.length));
}

function flip(prng: Prng, bytes: Uint8Array): Uint8Array {
  return flipFrom(prng, bytes, 0, Math.min(bytes.length, 48));
}

/** Behind the smallest header, so that the number and the mark stay. */
function flipBody(prng: Prng, bytes: Uint8Array): Uint8Array {
  return bytes.length <= 3 ? flip(prng, bytes) : flipFrom(prng, bytes, 3, bytes.length);
}

function flipFrom(prng: Prng, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + prng.below(4); count > 0; count -= 1) {
    const at = from + prng.below(to - from);
    copy[at] = (copy[at] ?? 0) ^ (1 << prng.below(8));
  }
  return copy;
}

function grow(prng: Prng, bytes: Uint8Array): Uint8Array {
  const more = drawBytes(prng, 1 + prng.below(12));
  const at = prng.chance(1, 2) ? bytes.length : prng.below(bytes.length);
  return new Uint8Array([...bytes.subarray(0, at), ...more, ...bytes.subarray(at)]);
}

function overwrite(prng: Prng, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = prng.below(bytes.length);
  copy.set(drawBytes(prng, Math.min(bytes.length - at, 1 + prng.below(8))), at);
  return copy;
}

function params(prng: Prng, _bytes: Uint8Array, config: FlowConfig): Uint8Array {
  const right = config.side === 'client' ? 1 : 0;
  const bounds: [keyof ParamsFields, readonly number[]][] = [
    ['version', [0, 1, 2, 255]],
    ['flags', [0, 1, 1 - right, 2, 3, 0xfd]],
    ['channels', [0, 1, 255]],
    ['partials', [0, 1, 255]],
    ['window', [0, 1, 16384, 16385, 65535]],
    ['maxAckDelayMs', [0, 1, 1000, 1001, 65535]],
    ['unreliableBytes', [0, 1023, 1024, 16384, 16385]],
    ['reliableBytes', [0, 1023, 1024, 262144, 262145, -1]],
    ['budgetBytes', [0, 262143, 262144, 1 << 30, (1 << 30) + 1, -1]],
  ];
  const fields: ParamsFields = { ...PARAMS, flags: right };
  for (let count = prng.below(3); count > 0; count -= 1) {
    const [name, values] = pick(prng, bounds);
    fields[name] = pick(prng, values);
  }
  const made = paramsBytes(fields);
  return prng.chance(1, 4) ? made.slice(0, prng.below(made.length + 1)) : made;
}

/** Random bytes behind a header that may be right. */
function noise(prng: Prng): Uint8Array {
  const bytes = drawBytes(prng, prng.below(prng.chance(1, 4) ? 1300 : 60));
  if (bytes.length > 3 && prng.chance(3, 4)) {
    bytes[0] = 0x40 | (prng.chance(1, 2) ? 0x20 : 0);
    const number = drawU16(prng);
    bytes[1] = number;
    bytes[2] = number >> 8;
  }
  return bytes;
}
