/** Damages FlatBuffers bytes where it matters: offsets, sizes, counts, and what they lead to. */

export type Random = () => number;

const NASTY = [0, 1, 2, 3, 4, 6, 8, 0x7f, 0x80, 0xfc, 0xfe, 0xff];
const NASTY_WORDS = [0, 1, 4, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000, 0x15555556, 0xfffc];

/** One to four changes; `other` is a message to take pieces of. */
export function mutant(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let out: Uint8Array = bytes.slice();
  const changes = 1 + (random() % 4);
  for (let i = 0; i < changes; i++) out = change(out, other, random);
  return out;
}

/** Mostly near the front, where root and tables are. */
function place(length: number, random: Random): number {
  return random() % (random() % 2 === 0 ? Math.min(length, 64) : length);
}

function change(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 4) return other.slice();
  const at = place(bytes.length, random);
  const word = Math.min(at, bytes.length - 4) & ~3;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (random() % 10) {
    case 0:
      bytes[at] ^= 1 << (random() % 8);
      return bytes;
    case 1:
      bytes[at] = NASTY[random() % NASTY.length];
      return bytes;
    case 2:
      view.setUint32(word, random() % 3 === 0 ? random() : pick(NASTY_WORDS, random), true);
      return bytes;
    case 3: // an offset or a count somewhat larger or smaller
      view.setUint32(word, (view.getUint32(word, true) + delta(random)) >>> 0, true);
      return bytes;
    case 4: {
      const half = Math.min(at & ~1, bytes.length - 2);
      view.setUint16(half, view.getUint16(half, true) + delta(random), true);
      return bytes;
    }
    case 5: {
      // Two offsets to one thing, or each in the other's place.
      const from = Math.min(place(bytes.length, random) & ~3, bytes.length - 4);
      view.setUint32(word, view.getUint32(from, true) + from - word, true);
      return bytes;
    }
    case 6:
      return bytes.slice(0, at);
    case 7: // everything behind moves by a word
      return concat(bytes.subarray(0, word), new Uint8Array(4), bytes.subarray(word));
    case 8:
      return concat(bytes.subarray(0, word), bytes.subarray(Math.min(bytes.length, word + 4)));
    default:
      return concat(bytes.subarray(0, word), other.subarray(Math.min(word, other.length)));
  }
}

function delta(random: Random): number {
  const by = [1, 2, 4, 8, 12][random() % 5];
  return random() % 2 === 0 ? by : -by;
}

function pick(list: readonly number[], random: Random): number {
  return list[random() % list.length];
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
