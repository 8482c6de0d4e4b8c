import type { Core } from './core.js';
import * as L from './layout.js';

const TABLE_START_LOG2 = 2;

/** Puts the flow into the list of flows that may have something to send. */
export function markDirty(core: Core, f: number): void {
  const flows = core.flows;
  if ((flows[f + L.F_FLAGS] & L.FLAG_DIRTY) !== 0) {
    return;
  }
  const slot = f >> L.FLOW_STRIDE_LOG2;
  flows[f + L.F_FLAGS] |= L.FLAG_DIRTY;
  flows[f + L.F_DIRTY_NEXT] = -1;
  if (core.dirtyTail < 0) {
    core.dirtyHead = slot;
  } else {
    flows[(core.dirtyTail << L.FLOW_STRIDE_LOG2) + L.F_DIRTY_NEXT] = slot;
  }
  core.dirtyTail = slot;
}

/** Takes the first flow out of that list. */
export function popDirty(core: Core): void {
  const flows = core.flows;
  const f = core.dirtyHead << L.FLOW_STRIDE_LOG2;
  flows[f + L.F_FLAGS] &= ~L.FLAG_DIRTY;
  core.dirtyHead = flows[f + L.F_DIRTY_NEXT];
  if (core.dirtyHead < 0) {
    core.dirtyTail = -1;
  }
}

/**
 * The flow's streams are found by key (channel, mode) in one small open-addressing table: a block
 * of handles, at most three quarters full. Handles of receive streams carry a mark in their lowest
 * bit, which no handle uses.
 */
const RECEIVE_MARK = 1;
/** Beyond every key, so that both directions of a channel have homes of their own. */
const RECEIVE_KEY = 1 << 10;

/** The send stream of the key, or 0. */
export function findSendStream(core: Core, f: number, key: number): number {
  const table = core.flows[f + L.F_TABLE];
  if (table === 0) {
    return 0;
  }
  const cells = core.blocks.words;
  const words = core.sendStreams.words;
  const mask = (1 << core.flows[f + L.F_TABLE_LOG2]) - 1;
  for (let index = hashKey(key) & mask; ; index = (index + 1) & mask) {
    const cell = cells[table + index];
    if (cell === 0 || ((cell & RECEIVE_MARK) === 0 && words[cell + L.S_KEY] === key)) {
      return cell;
    }
  }
}

/** The receive stream of the key, or 0. */
export function findReceiveStream(core: Core, f: number, key: number): number {
  const table = core.flows[f + L.F_TABLE];
  if (table === 0) {
    return 0;
  }
  const cells = core.blocks.words;
  const words = core.receiveStreams.words;
  const mask = (1 << core.flows[f + L.F_TABLE_LOG2]) - 1;
  for (let index = hashKey(key | RECEIVE_KEY) & mask; ; index = (index + 1) & mask) {
    const cell = cells[table + index];
    if (cell === 0) {
      return 0;
    }
    if ((cell & RECEIVE_MARK) !== 0 && words[cell - RECEIVE_MARK + L.R_KEY] === key) {
      return cell - RECEIVE_MARK;
    }
  }
}

/** The send stream of the key, made when it is new. */
export function ensureSendStream(core: Core, f: number, key: number): number {
  const found = findSendStream(core, f, key);
  return found !== 0 ? found : addSendStream(core, f, key);
}

/** The receive stream of the key, made when it is new. */
export function ensureReceiveStream(core: Core, f: number, key: number): number {
  const found = findReceiveStream(core, f, key);
  return found !== 0 ? found : addReceiveStream(core, f, key);
}

function addSendStream(core: Core, f: number, key: number): number {
  const flows = core.flows;
  const stream = core.sendStreams.alloc();
  const words = core.sendStreams.words;
  words.fill(0, stream, stream + L.SEND_STREAM_STRIDE);
  words[stream + L.S_KEY] = key;
  words[stream + L.S_FLOW_NEXT] = flows[f + L.F_SEND_STREAMS];
  words[stream + L.S_NEXT_ID] = core.limits.firstMessageId;
  flows[f + L.F_SEND_STREAMS] = stream;
  addToTable(core, f, stream);
  return stream;
}

function addReceiveStream(core: Core, f: number, key: number): number {
  const flows = core.flows;
  const stream = core.receiveStreams.alloc();
  const words = core.receiveStreams.words;
  const firstId = core.limits.firstMessageId;
  words.fill(0, stream, stream + L.RECEIVE_STREAM_STRIDE);
  words[stream + L.R_KEY] = key;
  words[stream + L.R_FLOW_NEXT] = flows[f + L.F_RECEIVE_STREAMS];
  // The newest sequenced id delivered so far is the one before the first.
  words[stream + L.R_NEXT_ID] = (key & 3) < 2 ? (firstId - 1) & 0xffff : firstId;
  flows[f + L.F_RECEIVE_STREAMS] = stream;
  addToTable(core, f, stream + RECEIVE_MARK);
  return stream;
}

function addToTable(core: Core, f: number, cell: number): void {
  const flows = core.flows;
  if (flows[f + L.F_TABLE] === 0) {
    flows[f + L.F_TABLE] = core.blocks.alloc(TABLE_START_LOG2);
    flows[f + L.F_TABLE_LOG2] = TABLE_START_LOG2;
  } else if (flows[f + L.F_TABLE_COUNT] * 4 >= 3 << flows[f + L.F_TABLE_LOG2]) {
    growTable(core, f);
  }
  flows[f + L.F_TABLE_COUNT] += 1;
  insert(core, f, cell);
}

function insert(core: Core, f: number, cell: number): void {
  const cells = core.blocks.words;
  const table = core.flows[f + L.F_TABLE];
  const mask = (1 << core.flows[f + L.F_TABLE_LOG2]) - 1;
  const key =
    (cell & RECEIVE_MARK) === 0
      ? core.sendStreams.words[cell + L.S_KEY]
      : core.receiveStreams.words[cell - RECEIVE_MARK + L.R_KEY] | RECEIVE_KEY;
  let index = hashKey(key) & mask;
  while (cells[table + index] !== 0) {
    index = (index + 1) & mask;
  }
  cells[table + index] = cell;
}

function growTable(core: Core, f: number): void {
  const flows = core.flows;
  const old = flows[f + L.F_TABLE];
  const log2 = flows[f + L.F_TABLE_LOG2];
  flows[f + L.F_TABLE] = core.blocks.alloc(log2 + 1);
  flows[f + L.F_TABLE_LOG2] = log2 + 1;
  for (let index = 0; index < 1 << log2; index += 1) {
    const cell = core.blocks.words[old + index];
    if (cell !== 0) {
      insert(core, f, cell);
    }
  }
  core.blocks.free(old, log2);
}

/** Spreads neighbouring channels and modes; keys are our own numbers, so no seed is needed. */
function hashKey(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> 16;
}
