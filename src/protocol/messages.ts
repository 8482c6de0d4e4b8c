import { FRAGMENT_BYTES } from '../util/limits.js';
import type { Core } from './core.js';
import {
  F_ACTIVE_HEAD,
  F_ACTIVE_TAIL,
  F_BLOCKED_HEAD,
  F_RELIABLE_BYTES,
  F_RELIABLE_COUNT,
  F_UNACKED_COUNT,
  F_UNRELIABLE_BYTES,
  F_UNRELIABLE_COUNT,
  M_DATA,
  M_FLAGS,
  M_FRAGMENT_BITS,
  M_FRAGMENTS,
  M_GENERATION,
  M_KEY,
  M_LENGTH,
  M_NEXT,
  M_STREAM,
  MESSAGE_KEYED,
  S_KEY,
  S_LIST_NEXT,
  S_STATE,
  S_UNSENT_HEAD,
  S_UNSENT_TAIL,
  STREAM_ACTIVE,
  STREAM_BLOCKED,
  STREAM_IDLE,
} from './layout.js';

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
  core.copier.copy(bytes, offset, pool.page(handle), pool.offset(handle), length);
  core.messages.words[message + M_DATA] = handle;
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
  core.messages.words[message + M_DATA] = block;
  return true;
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
  const data = words[message + M_DATA];
  if (data === NO_DATA) {
    return;
  }
  words[message + M_DATA] = NO_DATA;
  const fragments = words[message + M_FRAGMENTS];
  if (fragments !== 0) {
    freeFragments(core, data, fragments, fragmentBlockLog2(fragments));
  } else {
    core.sendBytes.free(data);
  }
  if (words[message + M_FRAGMENT_BITS] !== 0) {
    core.blocks.free(words[message + M_FRAGMENT_BITS], FRAGMENT_BITS_LOG2);
    words[message + M_FRAGMENT_BITS] = 0;
  }
}

/** The record is free; references to it go stale by its generation. */
export function freeMessage(core: Core, message: number): void {
  freeData(core, message);
  const words = core.messages.words;
  words[message + M_GENERATION] = (words[message + M_GENERATION] + 1) | 0;
  core.messages.free(message);
}

export function appendUnsent(core: Core, stream: number, message: number): void {
  const streams = core.streams.words;
  const words = core.messages.words;
  words[message + M_NEXT] = 0;
  const tail = streams[stream + S_UNSENT_TAIL];
  if (tail === 0) {
    streams[stream + S_UNSENT_HEAD] = message;
  } else {
    words[tail + M_NEXT] = message;
  }
  streams[stream + S_UNSENT_TAIL] = message;
}

/** Takes the first unsent message out of its queue; its key is no longer replaceable. */
export function popUnsent(core: Core, stream: number): number {
  const streams = core.streams.words;
  const words = core.messages.words;
  const message = streams[stream + S_UNSENT_HEAD];
  const next = words[message + M_NEXT];
  streams[stream + S_UNSENT_HEAD] = next;
  if (next === 0) {
    streams[stream + S_UNSENT_TAIL] = 0;
  }
  words[message + M_NEXT] = 0;
  if ((words[message + M_FLAGS] & MESSAGE_KEYED) !== 0) {
    core.keys.delete(stream, words[message + M_KEY]);
    words[message + M_FLAGS] &= ~MESSAGE_KEYED;
  }
  return message;
}

/** A message leaves the unsent queue's account: packed (unreliable), expired or dropped. */
export function dropUnsent(core: Core, f: number, message: number): void {
  accountUnsent(core, f, message);
  freeMessage(core, message);
}

export function accountUnsent(core: Core, f: number, message: number): void {
  const flows = core.flows;
  const words = core.messages.words;
  const length = words[message + M_LENGTH];
  if ((core.streams.words[words[message + M_STREAM] + S_KEY] & 3) >= 2) {
    flows[f + F_RELIABLE_BYTES] -= length;
    flows[f + F_RELIABLE_COUNT] -= 1;
    flows[f + F_UNACKED_COUNT] -= 1;
  } else {
    flows[f + F_UNRELIABLE_BYTES] -= length;
    flows[f + F_UNRELIABLE_COUNT] -= 1;
  }
}

/** The stream takes its turn at the end of the active list. */
export function activate(core: Core, f: number, stream: number): void {
  const flows = core.flows;
  const words = core.streams.words;
  words[stream + S_STATE] = STREAM_ACTIVE;
  words[stream + S_LIST_NEXT] = 0;
  const tail = flows[f + F_ACTIVE_TAIL];
  if (tail === 0) {
    flows[f + F_ACTIVE_HEAD] = stream;
  } else {
    words[tail + S_LIST_NEXT] = stream;
  }
  flows[f + F_ACTIVE_TAIL] = stream;
}

/** The first active stream steps out. */
export function deactivateFirst(core: Core, f: number): void {
  const flows = core.flows;
  const words = core.streams.words;
  const stream = flows[f + F_ACTIVE_HEAD];
  const next = words[stream + S_LIST_NEXT];
  flows[f + F_ACTIVE_HEAD] = next;
  if (next === 0) {
    flows[f + F_ACTIVE_TAIL] = 0;
  }
  words[stream + S_STATE] = STREAM_IDLE;
  words[stream + S_LIST_NEXT] = 0;
}

/** The first active stream must wait for an acknowledgement (the sender's rule). */
export function blockFirst(core: Core, f: number): void {
  const flows = core.flows;
  const stream = flows[f + F_ACTIVE_HEAD];
  deactivateFirst(core, f);
  const words = core.streams.words;
  words[stream + S_STATE] = STREAM_BLOCKED;
  words[stream + S_LIST_NEXT] = flows[f + F_BLOCKED_HEAD];
  flows[f + F_BLOCKED_HEAD] = stream;
}

/** The oldest unacknowledged message of some stream moved on: all who waited try again. */
export function unblockAll(core: Core, f: number): void {
  const flows = core.flows;
  while (flows[f + F_BLOCKED_HEAD] !== 0) {
    const stream = flows[f + F_BLOCKED_HEAD];
    flows[f + F_BLOCKED_HEAD] = core.streams.words[stream + S_LIST_NEXT];
    activate(core, f, stream);
  }
}
