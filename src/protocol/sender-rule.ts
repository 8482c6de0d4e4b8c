import { byteChunkSize } from '../util/byte-pool.js';
import { FRAGMENT_BYTES, REASSEMBLY_HEAD_BYTES_MAX } from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED } from './api.js';
import type { Core } from './core.js';
import { DROP_FRAGMENT_MALFORMED, DROP_REASSEMBLY_FULL, DROP_SENDER_RULE } from './drop-reason.js';
import * as L from './layout.js';
import { findPartial } from './receive-fragment.js';
import { hasUnordered, isHeld } from './receive-message.js';
import { findReceiveStream } from './streams.js';

/** What the packet would add, summed over its frames before any is applied. */
const added = { budgetBytes: 0, reservedBytes: 0, partials: 0 };

/**
 * Checks a parsed packet against the sender's rule and the process's room, and notes the streams of
 * its frames. Answers 0 or a DropReason; nothing of the flow has changed either way, so a refused
 * packet can be sent again.
 */
export function checkSenderRule(core: Core, f: number): number {
  const count = core.frames.count;
  const words = core.frames.words;
  const windowIds = core.limits.windowIds;
  let charged = false;
  let pieces = core.flows[f + L.F_PARTIAL_COUNT] > 0;
  for (let x = 0; x < count * L.FRAME_STRIDE; x += L.FRAME_STRIDE) {
    const key = words[x + L.X_KEY];
    const fragmented = words[x + L.X_COUNT] !== 0;
    if (words[x + L.X_TYPE] < 0x80 || ((key & 3) < 2 && !fragmented)) {
      continue;
    }
    const stream = findReceiveStream(core, f, key);
    words[x + L.X_STREAM] = stream;
    const ahead = sequenceDistance(words[x + L.X_ID], nextId(core, stream));
    if ((key & 3) >= 2 && ahead >= windowIds) {
      return DROP_SENDER_RULE;
    }
    pieces = pieces || fragmented;
    if (!fragmented && pieces && isInPieces(core, f, words, x)) {
      return DROP_FRAGMENT_MALFORMED;
    }
    if (!fragmented && (ahead <= 0 || (key & 3) === MODE_RELIABLE_UNORDERED)) {
      continue;
    }
    if (!charged) {
      charged = true;
      added.budgetBytes = 0;
      added.reservedBytes = 0;
      added.partials = 0;
    }
    const reason = fragmented ? addFragment(core, f, words, x) : addHeld(core, words, x);
    if (reason !== 0) {
      return reason;
    }
  }
  return charged ? checkAdded(core, f) : 0;
}

function checkAdded(core: Core, f: number): number {
  if (
    core.flows[f + L.F_HELD_BYTES] + added.budgetBytes > core.limits.receiveBudgetBytes ||
    core.flows[f + L.F_PARTIAL_COUNT] + added.partials > core.limits.partials
  ) {
    return DROP_SENDER_RULE;
  }
  if (
    added.reservedBytes > 0 &&
    core.reservedBytes + added.reservedBytes > core.limits.reassemblyBytes
  ) {
    return DROP_REASSEMBLY_FULL;
  }
  return 0;
}

/** A message that comes whole although it is partial, or in fragments in the same packet. */
function isInPieces(core: Core, f: number, words: Int32Array, x: number): boolean {
  const stream = words[x + L.X_STREAM];
  const id = words[x + L.X_ID];
  return (
    earlierFragment(words, x, words[x + L.X_KEY], id) > CAME_WHOLE ||
    (stream !== 0 && findPartial(core, f, stream, id) !== 0)
  );
}

/** A whole ordered message ahead of its turn; a copy in the same packet is not held as well. */
function addHeld(core: Core, words: Int32Array, x: number): number {
  const stream = words[x + L.X_STREAM];
  const id = words[x + L.X_ID];
  const isNew = stream === 0 || !isHeld(core, stream, id);
  if (isNew && earlierFragment(words, x, words[x + L.X_KEY], id) === 0) {
    added.budgetBytes += words[x + L.X_LENGTH];
    added.reservedBytes += byteChunkSize(words[x + L.X_LENGTH]);
  }
  return 0;
}

function addFragment(core: Core, f: number, words: Int32Array, x: number): number {
  const key = words[x + L.X_KEY];
  const stream = words[x + L.X_STREAM];
  const mode = key & 3;
  const id = words[x + L.X_ID];
  const count = words[x + L.X_COUNT];
  const earlier = earlierFragment(words, x, key, id);
  if (earlier === SAME_FRAGMENT) {
    return 0;
  }
  if (earlier > 0 && earlier !== count) {
    return DROP_FRAGMENT_MALFORMED;
  }
  const partial = stream === 0 ? 0 : findPartial(core, f, stream, id);
  if (partial !== 0) {
    if (core.held.words[partial + L.H_FRAGMENTS] !== count) {
      return DROP_FRAGMENT_MALFORMED;
    }
    if (mode >= 2 && words[x + L.X_INDEX] === count - 1) {
      const handle = core.blocks.words[core.held.words[partial + L.H_DATA] + count - 1];
      added.budgetBytes += handle === 0 ? words[x + L.X_LENGTH] - 1 : 0;
    }
    return 0;
  }
  if (mode >= 2 && isDone(core, stream, mode, id)) {
    return 0;
  }
  if (earlier === 0) {
    added.reservedBytes += count * FRAGMENT_BYTES;
    added.partials += mode >= 2 ? 1 : 0;
    added.budgetBytes += mode >= 2 ? (count - 1) * FRAGMENT_BYTES + 1 : 0;
  }
  if (mode >= 2 && words[x + L.X_INDEX] === count - 1) {
    added.budgetBytes += words[x + L.X_LENGTH] - 1;
  }
  return 0;
}

const SAME_FRAGMENT = -1;
const CAME_WHOLE = 1;

/**
 * What the frames before `x` say of the same message: 0 nothing, SAME_FRAGMENT, or the number of its
 * fragments, CAME_WHOLE when a reliable one has none. A packet has at most 64 frames.
 */
function earlierFragment(words: Int32Array, x: number, key: number, id: number): number {
  let count = 0;
  for (let y = x - L.FRAME_STRIDE; y >= 0; y -= L.FRAME_STRIDE) {
    if (
      words[y + L.X_TYPE] < 0x80 ||
      (words[y + L.X_COUNT] === 0 && (key & 3) < 2) ||
      words[y + L.X_ID] !== id ||
      words[y + L.X_KEY] !== key
    ) {
      continue;
    }
    count = words[y + L.X_COUNT] || CAME_WHOLE;
    if (words[y + L.X_INDEX] === words[x + L.X_INDEX] && count === words[x + L.X_COUNT]) {
      return SAME_FRAGMENT;
    }
  }
  return count;
}

function isDone(core: Core, stream: number, mode: number, id: number): boolean {
  if (stream === 0) {
    return sequenceDistance(id, core.limits.firstMessageId) < 0;
  }
  if (mode === MODE_RELIABLE_UNORDERED) {
    return hasUnordered(core, stream, id);
  }
  const ahead = sequenceDistance(id, core.receiveStreams.words[stream + L.R_NEXT_ID]);
  return ahead < 0 || (ahead > 0 && isHeld(core, stream, id));
}

/** Short of memory: a whole message that is delivered at once. */
export function needsNoRoom(core: Core, f: number, x: number): boolean {
  const words = core.frames.words;
  const key = words[x + L.X_KEY];
  return (
    (key & 3) !== MODE_RELIABLE_ORDERED ||
    words[x + L.X_ID] === nextId(core, findReceiveStream(core, f, key))
  );
}

/**
 * Short of memory: a fragment of a message begun, or of the one that an ordered channel waits for;
 * for those there is a little more, so that one of them can always begin.
 */
export function hasRoomForFragment(core: Core, f: number, x: number): boolean {
  const words = core.frames.words;
  const key = words[x + L.X_KEY];
  const stream = findReceiveStream(core, f, key);
  const id = words[x + L.X_ID];
  if (stream !== 0 && findPartial(core, f, stream, id) !== 0) {
    return true;
  }
  const bytes = words[x + L.X_COUNT] * FRAGMENT_BYTES;
  return (
    (key & 3) === MODE_RELIABLE_ORDERED &&
    id === nextId(core, stream) &&
    core.reservedBytes + bytes <= core.limits.reassemblyBytes + REASSEMBLY_HEAD_BYTES_MAX
  );
}

function nextId(core: Core, stream: number): number {
  return stream === 0
    ? core.limits.firstMessageId
    : core.receiveStreams.words[stream + L.R_NEXT_ID];
}
