/**
 * What messages contain: the first four bytes are the message's number, the rest is a piece of one
 * fixed stretch of noise that the number and the direction's salt choose. So a receiver's oracle can
 * tell which message it has and check every byte, and nothing needs to be kept.
 */
import { mix32, Stream } from '../random.js';

export const MESSAGE_BYTES_MAX = 256 * 1024;
/** Shorter messages have no room for their number; oracles find them by content. */
export const NUMBERED_BYTES_MIN = 4;

/** Pieces begin at a multiple of a word, in so few bytes that a processor keeps them at hand. */
const START_MASK = (1 << 12) - 4;
/** Below, a loop is faster than a view and the engine's copy. */
const COPY_FROM_BYTES = 192;
const noiseWords = makeNoise();
const noise = new Uint8Array(noiseWords.buffer);

function makeNoise(): Int32Array<ArrayBuffer> {
  const stream = new Stream(0x600d, 'noise');
  const words = new Int32Array((MESSAGE_BYTES_MAX + START_MASK + 8) >> 2);
  for (let i = 0; i < words.length; i++) words[i] = stream.nextInt32();
  return words;
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
  if (length >= COPY_FROM_BYTES) scratch.set(noise.subarray(start, start + length));
  else {
    const words = (length + 3) >> 2;
    for (let i = 0; i < words; i++) scratchWords[i] = noiseWords[(start >> 2) + i];
  }
  if (length >= NUMBERED_BYTES_MIN) scratchWords[0] = number;
}

/** The number in a message of at least NUMBERED_BYTES_MIN bytes. */
export function numberIn(bytes: Uint8Array, offset: number): number {
  return (
    bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)
  );
}

/** A view of the array that was looked at last: messages come in runs out of one page. */
let viewed: Uint8Array = scratch;
let view: DataView = new DataView(scratch.buffer);

/** Index of the first byte that is not as `fillPayload` wrote it; −1 when all are. */
export function firstWrongByte(
  bytes: Uint8Array,
  offset: number,
  length: number,
  number: number,
  salt: number,
): number {
  const start = startOf(number, salt);
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    viewed = bytes;
  }
  const from = length < NUMBERED_BYTES_MIN ? 0 : NUMBERED_BYTES_MIN;
  const wholeWords = length & ~3;
  const shift = start >> 2;
  for (let i = from; i < wholeWords; i += 4) {
    if (view.getInt32(offset + i, true) !== noiseWords[shift + (i >> 2)]) {
      return firstDifference(bytes, offset, i, i + 4, start);
    }
  }
  return firstDifference(bytes, offset, wholeWords, length, start);
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
