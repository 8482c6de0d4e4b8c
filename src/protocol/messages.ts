import { copyBytes } from '../util/copy-bytes.js';
import { FRAGMENT_BYTES } from '../util/limits.js';
import { RECEIPT_DROPPED } from './api.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { giveReceipt } from './receipts.js';

export const FRAGMENT_BITS_LOG2 = 4;
export const NO_DATA = -1;

/**
 * Copies a message's bytes into the store: one chunk, or with `fragments` ≠ 0 a block of one chunk
 * per fragment. False, and nothing kept, when the store is at its bound.
 */
export function storeData(
  core: Core,
  message: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  fragments: number,
): boolean {
  if (fragments !== 0) {
    return storeFragments(core, message, bytes, offset, length, fragments);
  }
  const pool = core.sendBytes;
  const handle = pool.alloc(length);
  if (handle < 0) {
    return false;
  }
  copyBytes(bytes, offset, pool.page(handle), pool.offset(handle), length);
  core.messages.words[message + L.M_DATA] = handle;
  return true;
}

function storeFragments(
  core: Core,
  message: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  fragments: number,
): boolean {
  const pool = core.sendBytes;
  const log2 = fragmentBlockLog2(fragments);
  const block = core.blocks.alloc(log2);
  for (let index = 0; index < fragments; index += 1) {
    const at = index * FRAGMENT_BYTES;
    const size = length - at < FRAGMENT_BYTES ? length - at : FRAGMENT_BYTES;
    const handle = pool.alloc(size);
    if (handle < 0) {
      freeFragments(core, block, index, log2);
      return false;
    }
    // A view object per fragment of a large message is cheaper than a loop over its bytes.
    pool.view(handle).set(bytes.subarray(offset + at, offset + at + size));
    core.blocks.words[block + index] = handle;
  }
  core.messages.words[message + L.M_DATA] = block;
  return true;
}

/** Data bytes of the message's only frame or of one of its fragments. */
export function frameBytes(core: Core, message: number, fragment: number): number {
  const words = core.messages.words;
  const fragments = words[message + L.M_FRAGMENTS];
  if (fragments === 0) {
    return words[message + L.M_LENGTH];
  }
  return fragment === fragments - 1
    ? words[message + L.M_LENGTH] - fragment * FRAGMENT_BYTES
    : FRAGMENT_BYTES;
}

function fragmentBlockLog2(fragments: number): number {
  return 32 - Math.clz32(fragments - 1);
}

function freeFragments(core: Core, block: number, count: number, log2: number): void {
  for (let index = 0; index < count; index += 1) {
    core.sendBytes.free(core.blocks.words[block + index]);
  }
  core.blocks.free(block, log2);
}

export function freeData(core: Core, message: number): void {
  const words = core.messages.words;
  const data = words[message + L.M_DATA];
  if (data === NO_DATA) {
    return;
  }
  words[message + L.M_DATA] = NO_DATA;
  const fragments = words[message + L.M_FRAGMENTS];
  if (fragments !== 0) {
    freeFragments(core, data, fragments, fragmentBlockLog2(fragments));
  } else {
    core.sendBytes.free(data);
  }
  if (words[message + L.M_FRAGMENT_BITS] !== 0) {
    core.blocks.free(words[message + L.M_FRAGMENT_BITS], FRAGMENT_BITS_LOG2);
    words[message + L.M_FRAGMENT_BITS] = 0;
  }
}

/** The record is free; references to it go stale by its generation. */
export function freeMessage(core: Core, message: number): void {
  freeData(core, message);
  const words = core.messages.words;
  words[message + L.M_GENERATION] = (words[message + L.M_GENERATION] + 1) | 0;
  core.messages.free(message);
}

export function appendUnsent(core: Core, stream: number, message: number): void {
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  words[message + L.M_NEXT] = 0;
  const tail = streams[stream + L.S_UNSENT_TAIL];
  if (tail === 0) {
    streams[stream + L.S_UNSENT_HEAD] = message;
  } else {
    words[tail + L.M_NEXT] = message;
  }
  streams[stream + L.S_UNSENT_TAIL] = message;
}

/** Takes the first unsent message out of its queue; its key is no longer replaceable. */
export function popUnsent(core: Core, stream: number): number {
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  const message = streams[stream + L.S_UNSENT_HEAD];
  const next = words[message + L.M_NEXT];
  streams[stream + L.S_UNSENT_HEAD] = next;
  if (next === 0) {
    streams[stream + L.S_UNSENT_TAIL] = 0;
  }
  words[message + L.M_NEXT] = 0;
  if ((words[message + L.M_FLAGS] & L.MESSAGE_KEYED) !== 0) {
    core.keys.delete(stream, words[message + L.M_KEY]);
    words[message + L.M_FLAGS] &= ~L.MESSAGE_KEYED;
  }
  return message;
}

/** An unsent message is given up. */
export function dropUnsent(core: Core, f: number, message: number): void {
  const key = core.sendStreams.words[core.messages.words[message + L.M_STREAM] + L.S_KEY];
  core.flows[f + L.F_DROPPED] += (key & 3) < 2 ? 1 : 0;
  accountUnsent(core, f, message);
  giveReceipt(core, f, message, RECEIPT_DROPPED);
  freeMessage(core, message);
}

/** A message leaves the unsent queue's account: packed (unreliable) or dropped. */
export function accountUnsent(core: Core, f: number, message: number): void {
  const flows = core.flows;
  const words = core.messages.words;
  const length = words[message + L.M_LENGTH];
  if ((core.sendStreams.words[words[message + L.M_STREAM] + L.S_KEY] & 3) >= 2) {
    flows[f + L.F_RELIABLE_BYTES] -= length;
    flows[f + L.F_RELIABLE_COUNT] -= 1;
    flows[f + L.F_UNACKED_COUNT] -= 1;
  } else {
    flows[f + L.F_UNRELIABLE_BYTES] -= length;
    flows[f + L.F_UNRELIABLE_COUNT] -= 1;
  }
}
