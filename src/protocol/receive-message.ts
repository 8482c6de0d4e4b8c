import { byteChunkSize } from '../util/byte-pool.js';
import { copyBytes } from '../util/copy-bytes.js';
import { sequenceDistance } from '../util/sequence.js';
import {
  sequenceBufferCreate,
  sequenceBufferFree,
  sequenceBufferGrow,
  sequenceCell,
} from '../util/sequence-buffer.js';
import { EVENT_MESSAGE, MODE_RELIABLE_ORDERED, MODE_UNRELIABLE } from './api.js';
import type { Core } from './core.js';
import { TALLY_MESSAGE_DUPLICATE, TALLY_MESSAGE_STALE } from './drop-reason.js';
import { pushEvent } from './events.js';
import * as L from './layout.js';
import { ensureReceiveStream } from './streams.js';

/** 512 bits: the ids after the oldest missing one, bit (id & 511). */
const SEEN_LOG2 = 4;
const HELD_START_LOG2 = 4;

/** A message that came whole, frame record `x`. */
export function receiveWhole(core: Core, f: number, x: number): void {
  const words = core.frames.words;
  const key = words[x + L.X_KEY];
  const mode = key & 3;
  const id = words[x + L.X_ID];
  const offset = words[x + L.X_OFFSET];
  const length = words[x + L.X_LENGTH];
  if (mode === MODE_UNRELIABLE) {
    deliverBytes(core, f, key, id, offset, length);
    return;
  }
  let stream = words[x + L.X_STREAM];
  if (stream === 0) {
    stream = ensureReceiveStream(core, f, key);
  }
  if (mode === MODE_RELIABLE_ORDERED) {
    const ahead = sequenceDistance(id, core.receiveStreams.words[stream + L.R_NEXT_ID]);
    if (ahead === 0) {
      deliverBytes(core, f, key, id, offset, length);
      const streams = core.receiveStreams.words;
      if (streams[stream + L.R_HELD_COUNT] === 0) {
        streams[stream + L.R_NEXT_ID] = (id + 1) & 0xffff;
      } else {
        advanceOrdered(core, f, stream, key);
      }
    } else if (isBehind(core, ahead) || isHeld(core, stream, id)) {
      core.tallies[TALLY_MESSAGE_DUPLICATE] += 1;
    } else {
      holdBytes(core, f, stream, id, offset, length);
    }
  } else if (mode < 2 ? takeSequenced(core, stream, id) : takeUnordered(core, stream, id)) {
    deliverBytes(core, f, key, id, offset, length);
  }
}

/**
 * Delivered already. The sender's rule has looked at where the stream stood before the packet; since
 * then an id far behind may have come to look far ahead.
 */
export function isBehind(core: Core, ahead: number): boolean {
  return ahead < 0 || ahead >= core.limits.windowIds;
}

function deliverBytes(
  core: Core,
  f: number,
  key: number,
  id: number,
  offset: number,
  length: number,
): void {
  core.flows[f + L.F_MESSAGES_IN] += 1;
  pushEvent(core, f, EVENT_MESSAGE, 0, key, id, offset, length);
}

/** The event queue owns the record from here on; the connection's budget is free of it. */
export function deliverHeld(core: Core, f: number, key: number, held: number): void {
  const words = core.held.words;
  core.flows[f + L.F_MESSAGES_IN] += 1;
  core.flows[f + L.F_HELD_BYTES] -= words[held + L.H_BUDGET];
  words[held + L.H_BUDGET] = 0;
  pushEvent(core, f, EVENT_MESSAGE, held, key, words[held + L.H_ID], 0, words[held + L.H_LENGTH]);
}

/** Newest wins: true when `id` is ahead of everything delivered (0 < d < 32768). */
export function takeSequenced(core: Core, stream: number, id: number): boolean {
  const words = core.receiveStreams.words;
  const ahead = sequenceDistance(id, words[stream + L.R_NEXT_ID]);
  if (ahead <= 0) {
    core.tallies[ahead === 0 ? TALLY_MESSAGE_DUPLICATE : TALLY_MESSAGE_STALE] += 1;
    return false;
  }
  words[stream + L.R_NEXT_ID] = id;
  return true;
}

/** True when `id` was not delivered before; the sender's rule has been checked. */
export function takeUnordered(core: Core, stream: number, id: number): boolean {
  if (hasUnordered(core, stream, id)) {
    core.tallies[TALLY_MESSAGE_DUPLICATE] += 1;
    return false;
  }
  const streams = core.receiveStreams.words;
  const next = streams[stream + L.R_NEXT_ID];
  if (id !== next) {
    if (streams[stream + L.R_BUFFER] === 0) {
      streams[stream + L.R_BUFFER] = core.blocks.alloc(SEEN_LOG2);
    }
    core.blocks.words[seenWord(streams, stream, id)] |= 1 << (id & 31);
    return true;
  }
  let oldest = (next + 1) & 0xffff;
  if (streams[stream + L.R_BUFFER] !== 0) {
    const blocks = core.blocks.words;
    while ((blocks[seenWord(streams, stream, oldest)] & (1 << (oldest & 31))) !== 0) {
      blocks[seenWord(streams, stream, oldest)] &= ~(1 << (oldest & 31));
      oldest = (oldest + 1) & 0xffff;
    }
  }
  streams[stream + L.R_NEXT_ID] = oldest;
  return true;
}

export function hasUnordered(core: Core, stream: number, id: number): boolean {
  const streams = core.receiveStreams.words;
  const ahead = sequenceDistance(id, streams[stream + L.R_NEXT_ID]);
  if (isBehind(core, ahead)) {
    return true;
  }
  if (ahead === 0 || streams[stream + L.R_BUFFER] === 0) {
    return false;
  }
  return (core.blocks.words[seenWord(streams, stream, id)] & (1 << (id & 31))) !== 0;
}

function seenWord(streams: Int32Array, stream: number, id: number): number {
  return streams[stream + L.R_BUFFER] + ((id >> 5) & 15);
}

/** The wanted id was delivered: so are those behind it that had to wait. */
export function advanceOrdered(core: Core, f: number, stream: number, key: number): void {
  const words = core.receiveStreams.words;
  let next = (words[stream + L.R_NEXT_ID] + 1) & 0xffff;
  while (words[stream + L.R_HELD_COUNT] > 0) {
    const cell = heldCell(core, stream, next);
    const held = core.blocks.words[cell];
    if (held === 0) {
      break;
    }
    core.blocks.words[cell] = 0;
    words[stream + L.R_HELD_COUNT] -= 1;
    deliverHeld(core, f, key, held);
    next = (next + 1) & 0xffff;
  }
  words[stream + L.R_NEXT_ID] = next;
  if (words[stream + L.R_BUFFER] !== 0 && words[stream + L.R_HELD_COUNT] === 0) {
    sequenceBufferFree(core.blocks, words[stream + L.R_BUFFER], words[stream + L.R_BUFFER_LOG2]);
    words[stream + L.R_BUFFER] = 0;
  }
}

function heldCell(core: Core, stream: number, id: number): number {
  const words = core.receiveStreams.words;
  return sequenceCell(words[stream + L.R_BUFFER], (1 << words[stream + L.R_BUFFER_LOG2]) - 1, id);
}

/** True when an ordered message ahead of its turn is already here. */
export function isHeld(core: Core, stream: number, id: number): boolean {
  const words = core.receiveStreams.words;
  const ahead = sequenceDistance(id, words[stream + L.R_NEXT_ID]);
  if (words[stream + L.R_BUFFER] === 0 || ahead >= 1 << words[stream + L.R_BUFFER_LOG2]) {
    return false;
  }
  return core.blocks.words[heldCell(core, stream, id)] !== 0;
}

/** Puts a complete ordered message where its turn will find it. */
export function hold(core: Core, stream: number, id: number, held: number): void {
  const words = core.receiveStreams.words;
  const ahead = sequenceDistance(id, words[stream + L.R_NEXT_ID]);
  let log2 = words[stream + L.R_BUFFER_LOG2];
  if (words[stream + L.R_BUFFER] === 0) {
    log2 = HELD_START_LOG2;
    while (ahead >= 1 << log2) {
      log2 += 1;
    }
    words[stream + L.R_BUFFER] = sequenceBufferCreate(core.blocks, log2);
  } else if (ahead >= 1 << log2) {
    const old = log2;
    while (ahead >= 1 << log2) {
      log2 += 1;
    }
    const newest = (words[stream + L.R_NEXT_ID] + (1 << old) - 1) & 0xffff;
    words[stream + L.R_BUFFER] = sequenceBufferGrow(
      core.blocks,
      words[stream + L.R_BUFFER],
      old,
      log2,
      newest,
    );
  }
  words[stream + L.R_BUFFER_LOG2] = log2;
  core.blocks.words[heldCell(core, stream, id)] = held;
  words[stream + L.R_HELD_COUNT] += 1;
}

function holdBytes(
  core: Core,
  f: number,
  stream: number,
  id: number,
  offset: number,
  length: number,
): void {
  const handle = core.receiveBytes.alloc(length);
  const held = core.held.alloc();
  const words = core.held.words;
  copyBytes(
    core.packetBytes,
    offset,
    core.receiveBytes.page(handle),
    core.receiveBytes.offset(handle),
    length,
  );
  words[held + L.H_STREAM] = stream;
  words[held + L.H_ID] = id;
  words[held + L.H_FRAGMENTS] = 0;
  words[held + L.H_LENGTH] = length;
  words[held + L.H_DATA] = handle;
  words[held + L.H_BUDGET] = length;
  words[held + L.H_RESERVED] = byteChunkSize(length);
  core.flows[f + L.F_HELD_BYTES] += length;
  core.reservedBytes += byteChunkSize(length);
  hold(core, stream, id, held);
}
