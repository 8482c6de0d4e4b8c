import type { Core } from './core.js';
import {
  F_DIRTY_NEXT,
  F_FLAGS,
  F_STREAMS,
  F_TABLE,
  F_TABLE_COUNT,
  F_TABLE_LOG2,
  FLAG_DIRTY,
  FLOW_STRIDE_LOG2,
  KEY_RECEIVE,
  R_BUFFER,
  R_BUFFER_LOG2,
  R_HELD_COUNT,
  R_NEXT_ID,
  S_CURRENT,
  S_FLOW_NEXT,
  S_KEY,
  S_LIST_NEXT,
  S_NEXT_ID,
  S_SENT_HEAD,
  S_SENT_TAIL,
  S_SLOT,
  S_STATE,
  S_UNSENT_HEAD,
  S_UNSENT_TAIL,
  STREAM_IDLE,
} from './layout.js';

const TABLE_START_LOG2 = 2;

/** Puts the flow into the list of flows that may have something to send. */
export function markDirty(core: Core, f: number): void {
  const flows = core.flows;
  if ((flows[f + F_FLAGS] & FLAG_DIRTY) !== 0) {
    return;
  }
  const slot = f >> FLOW_STRIDE_LOG2;
  flows[f + F_FLAGS] |= FLAG_DIRTY;
  flows[f + F_DIRTY_NEXT] = -1;
  if (core.dirtyTail < 0) {
    core.dirtyHead = slot;
  } else {
    flows[(core.dirtyTail << FLOW_STRIDE_LOG2) + F_DIRTY_NEXT] = slot;
  }
  core.dirtyTail = slot;
}

/** Takes the first flow out of that list. */
export function popDirty(core: Core): void {
  const flows = core.flows;
  const f = core.dirtyHead << FLOW_STRIDE_LOG2;
  flows[f + F_FLAGS] &= ~FLAG_DIRTY;
  core.dirtyHead = flows[f + F_DIRTY_NEXT];
  if (core.dirtyHead < 0) {
    core.dirtyTail = -1;
  }
}

/**
 * The flow's streams are found by key (direction, channel, mode) in a small open-addressing table:
 * a block of handles, at most three quarters full. The handle, or 0.
 */
export function findStream(core: Core, f: number, key: number): number {
  const flows = core.flows;
  const table = flows[f + F_TABLE];
  if (table === 0) {
    return 0;
  }
  const cells = core.blocks.words;
  const streams = core.streams.words;
  const mask = (1 << flows[f + F_TABLE_LOG2]) - 1;
  let index = hashKey(key) & mask;
  for (;;) {
    const stream = cells[table + index];
    if (stream === 0 || streams[stream + S_KEY] === key) {
      return stream;
    }
    index = (index + 1) & mask;
  }
}

/** The stream of the key, made when it is new. */
export function ensureStream(core: Core, f: number, key: number): number {
  const found = findStream(core, f, key);
  return found !== 0 ? found : addStream(core, f, key);
}

function addStream(core: Core, f: number, key: number): number {
  const flows = core.flows;
  const stream = core.streams.alloc();
  const words = core.streams.words;
  words.fill(0, stream, stream + core.streams.stride);
  words[stream + S_KEY] = key;
  words[stream + S_SLOT] = f >> FLOW_STRIDE_LOG2;
  words[stream + S_FLOW_NEXT] = flows[f + F_STREAMS];
  flows[f + F_STREAMS] = stream;
  const firstId = core.limits.firstMessageId;
  if ((key & KEY_RECEIVE) !== 0) {
    // The newest sequenced id delivered so far is the one before the first.
    words[stream + R_NEXT_ID] = (key & 3) < 2 ? (firstId - 1) & 0xffff : firstId;
    words[stream + R_BUFFER] = 0;
    words[stream + R_BUFFER_LOG2] = 0;
    words[stream + R_HELD_COUNT] = 0;
  } else {
    words[stream + S_STATE] = STREAM_IDLE;
    words[stream + S_LIST_NEXT] = 0;
    words[stream + S_NEXT_ID] = firstId;
    words[stream + S_UNSENT_HEAD] = 0;
    words[stream + S_UNSENT_TAIL] = 0;
    words[stream + S_SENT_HEAD] = 0;
    words[stream + S_SENT_TAIL] = 0;
    words[stream + S_CURRENT] = 0;
  }
  if (flows[f + F_TABLE] === 0) {
    flows[f + F_TABLE] = core.blocks.alloc(TABLE_START_LOG2);
    flows[f + F_TABLE_LOG2] = TABLE_START_LOG2;
  } else if (flows[f + F_TABLE_COUNT] * 4 >= 3 << flows[f + F_TABLE_LOG2]) {
    growTable(core, f);
  }
  flows[f + F_TABLE_COUNT] += 1;
  insert(core, f, stream);
  return stream;
}

function insert(core: Core, f: number, stream: number): void {
  const cells = core.blocks.words;
  const table = core.flows[f + F_TABLE];
  const mask = (1 << core.flows[f + F_TABLE_LOG2]) - 1;
  let index = hashKey(core.streams.words[stream + S_KEY]) & mask;
  while (cells[table + index] !== 0) {
    index = (index + 1) & mask;
  }
  cells[table + index] = stream;
}

function growTable(core: Core, f: number): void {
  const flows = core.flows;
  const old = flows[f + F_TABLE];
  const log2 = flows[f + F_TABLE_LOG2];
  flows[f + F_TABLE] = core.blocks.alloc(log2 + 1);
  flows[f + F_TABLE_LOG2] = log2 + 1;
  for (let index = 0; index < 1 << log2; index += 1) {
    const stream = core.blocks.words[old + index];
    if (stream !== 0) {
      insert(core, f, stream);
    }
  }
  core.blocks.free(old, log2);
}

/** Spreads neighbouring channels and modes; keys are our own numbers, so no seed is needed. */
function hashKey(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> 16;
}
