/**
 * What messages contain: the first four bytes are the message's number, the rest is a piece of one
 * fixed stretch of noise that the number and the direction's salt choose. So a receiver's oracle can
 * tell which message it has and check every byte, and nothing needs to be kept.
 *
 *   noises[r]:  the same noise, r bytes further on, so that a message at any address can be compared
 *               with it word by word
 */
import { mix32, Stream } from '../random.js';

export const MESSAGE_BYTES_MAX = 256 * 1024;
/** Shorter messages have no room for their number; oracles find them by content. */
export const NUMBERED_BYTES_MIN = 4;

/** Pieces begin at a multiple of a word. */
const START_MASK = (1 << 16) - 4;
/** A view over the message costs more than going through fewer bytes. */
const VIEW_FROM_BYTES = 192;
const noises = makeNoises();
const [noise] = noises;
const noiseWords = noises.map((bytes) => new Int32Array(bytes.buffer));

function makeNoises(): Uint8Array<ArrayBuffer>[] {
  const stream = new Stream(0x600d, 'noise');
  const words = new Int32Array((MESSAGE_BYTES_MAX + (1 << 16)) >> 2);
  for (let i = 0; i < words.length; i++) words[i] = stream.nextInt32();
  const bytes = new Uint8Array(words.buffer);
  return [0, 1, 2, 3].map((ahead) => {
    const moved = new Uint8Array(bytes.length + 4);
    moved.set(bytes, ahead);
    return moved;
  });
}

function startOf(number: number, salt: number): number {
  return mix32(number ^ salt) & START_MASK;
}

/** Where messages are put together before they are sent; a word more than any of them has. */
export const scratch = new Uint8Array(MESSAGE_BYTES_MAX + 4);
const scratchWords = new Int32Array(scratch.buffer);

/** Writes message `number` of `length` bytes to the front of `scratch`. */
export function fillPayload(number: number, salt: number, length: number): void {
  const start = startOf(number, salt);
  if (length >= VIEW_FROM_BYTES) scratch.set(noise.subarray(start, start + length));
  else {
    const words = (length + 3) >> 2;
    for (let i = 0; i < words; i++) scratchWords[i] = noiseWords[0][(start >> 2) + i];
  }
  if (length >= NUMBERED_BYTES_MIN) scratchWords[0] = number;
}

/** The number in a message of at least NUMBERED_BYTES_MIN bytes. */
export function numberIn(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)
  );
}

/** Index of the first byte that is not as `fillPayload` wrote it; −1 when all are. */
export function firstWrongByte(
  bytes: Uint8Array,
  offset: number,
  length: number,
  number: number,
  salt: number,
): number {
  const start = startOf(number, salt);
  const from = length < NUMBERED_BYTES_MIN ? 0 : NUMBERED_BYTES_MIN;
  if (length < VIEW_FROM_BYTES) return firstDifference(bytes, offset, from, length, start);
  const address = bytes.byteOffset + offset;
  const ahead = address & 3;
  // Whole words of the message from its second or third word on; both ends byte by byte.
  const firstWord = 8 - ahead;
  const count = (length - firstWord) >> 2;
  const words = new Int32Array(bytes.buffer, address + firstWord, count);
  const expected = noiseWords[ahead];
  const shift = (start + ahead + firstWord) >> 2;
  for (let i = 0; i < count; i++) {
    if (words[i] !== expected[shift + i]) {
      return firstDifference(bytes, offset, firstWord + 4 * i, length, start);
    }
  }
  const head = firstDifference(bytes, offset, from, firstWord, start);
  return head >= 0 ? head : firstDifference(bytes, offset, firstWord + 4 * count, length, start);
}

function firstDifference(
  bytes: Uint8Array,
  offset: number,
  from: number,
  to: number,
  start: number,
): number {
  for (let i = from; i < to; i++) if (bytes[offset + i] !== noise[start + i]) return i;
  return -1;
}
