import { copyBytes } from '../util/copy-bytes.js';
import {
  FRAGMENT_BYTES,
  UNRELIABLE_PARTIAL_BYTES_MAX,
  UNRELIABLE_PARTIAL_LIFETIME_US,
  UNRELIABLE_PARTIALS_MAX,
} from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { timeReached } from '../util/time.js';
import { MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED, MODE_UNRELIABLE } from './api.js';
import type { Core } from './core.js';
import {
  TALLY_FRAGMENT_DUPLICATE,
  TALLY_PARTIAL_EVICTED,
  TALLY_PARTIAL_EXPIRED,
} from './drop-reason.js';
import { freeHeld } from './events.js';
import * as L from './layout.js';
import {
  advanceOrdered,
  deliverHeld,
  hasUnordered,
  hold,
  isBehind,
  isHeld,
  takeSequenced,
  takeUnordered,
} from './receive-message.js';
import { ensureReceiveStream } from './streams.js';

/** The flow's message in pieces with this stream and id, or 0. At most 8 + 2 are looked at. */
export function findPartial(core: Core, f: number, stream: number, id: number): number {
  const words = core.held.words;
  let partial = core.flows[f + L.F_PARTIAL_HEAD];
  while (
    partial !== 0 &&
    (words[partial + L.H_STREAM] !== stream || words[partial + L.H_ID] !== id)
  ) {
    partial = words[partial + L.H_NEXT];
  }
  return partial;
}

/** One fragment, frame record `x`; the sender's rule has been checked. */
export function receiveFragment(core: Core, f: number, x: number, nowUs: number): void {
  const frames = core.frames.words;
  const key = frames[x + L.X_KEY];
  const mode = key & 3;
  const id = frames[x + L.X_ID];
  const index = frames[x + L.X_INDEX];
  const stream = ensureReceiveStream(core, f, key);
  if (isDelivered(core, stream, mode, id)) {
    core.tallies[TALLY_FRAGMENT_DUPLICATE] += 1;
    return;
  }
  let partial = findPartial(core, f, stream, id);
  if (partial === 0) {
    if (mode < 2) {
      makeRoom(core, f, frames[x + L.X_COUNT], nowUs);
    }
    partial = startPartial(core, f, stream, id, frames[x + L.X_COUNT], mode, nowUs);
  }
  const words = core.held.words;
  const cell = words[partial + L.H_DATA] + index;
  if (core.blocks.words[cell] !== 0) {
    core.tallies[TALLY_FRAGMENT_DUPLICATE] += 1;
    return;
  }
  const length = frames[x + L.X_LENGTH];
  const handle = core.receiveBytes.alloc(FRAGMENT_BYTES);
  copyBytes(
    core.packetBytes,
    frames[x + L.X_OFFSET],
    core.receiveBytes.page(handle),
    core.receiveBytes.offset(handle),
    length,
  );
  core.blocks.words[cell] = handle + 1;
  words[partial + L.H_RECEIVED] += 1;
  words[partial + L.H_LENGTH] += length;
  if (mode >= 2 && index === words[partial + L.H_FRAGMENTS] - 1) {
    // The first fragment counted one byte for the last.
    words[partial + L.H_BUDGET] += length - 1;
    core.flows[f + L.F_HELD_BYTES] += length - 1;
  }
  if (words[partial + L.H_RECEIVED] === words[partial + L.H_FRAGMENTS]) {
    completePartial(core, f, stream, key, partial);
  }
}

function isDelivered(core: Core, stream: number, mode: number, id: number): boolean {
  if (mode === MODE_RELIABLE_UNORDERED) {
    return hasUnordered(core, stream, id);
  }
  if (mode === MODE_RELIABLE_ORDERED) {
    const ahead = sequenceDistance(id, core.receiveStreams.words[stream + L.R_NEXT_ID]);
    return isBehind(core, ahead) || (ahead > 0 && isHeld(core, stream, id));
  }
  return (
    mode !== MODE_UNRELIABLE &&
    sequenceDistance(id, core.receiveStreams.words[stream + L.R_NEXT_ID]) <= 0
  );
}

function startPartial(
  core: Core,
  f: number,
  stream: number,
  id: number,
  fragments: number,
  mode: number,
  nowUs: number,
): number {
  const flows = core.flows;
  const log2 = 32 - Math.clz32(fragments - 1);
  const block = core.blocks.alloc(log2);
  const partial = core.held.alloc();
  const words = core.held.words;
  const leastBytes = (fragments - 1) * FRAGMENT_BYTES + 1;
  words[partial + L.H_NEXT] = flows[f + L.F_PARTIAL_HEAD];
  words[partial + L.H_STREAM] = stream;
  words[partial + L.H_ID] = id;
  words[partial + L.H_FRAGMENTS] = fragments;
  words[partial + L.H_RECEIVED] = 0;
  words[partial + L.H_LENGTH] = 0;
  words[partial + L.H_DATA] = block;
  words[partial + L.H_DATA_LOG2] = log2;
  words[partial + L.H_STARTED_US] = nowUs;
  words[partial + L.H_BUDGET] = mode >= 2 ? leastBytes : 0;
  words[partial + L.H_RESERVED] = fragments * FRAGMENT_BYTES;
  core.reservedBytes += fragments * FRAGMENT_BYTES;
  flows[f + L.F_PARTIAL_HEAD] = partial;
  if (mode >= 2) {
    flows[f + L.F_PARTIAL_COUNT] += 1;
    flows[f + L.F_HELD_BYTES] += leastBytes;
  } else {
    flows[f + L.F_UNRELIABLE_PARTIALS] += 1;
    const endUs = (nowUs + UNRELIABLE_PARTIAL_LIFETIME_US) | 0;
    core.wheel.scheduleNotLater(f >> L.FLOW_STRIDE_LOG2, endUs);
  }
  return partial;
}

function completePartial(
  core: Core,
  f: number,
  stream: number,
  key: number,
  partial: number,
): void {
  const words = core.held.words;
  const id = words[partial + L.H_ID];
  const mode = key & 3;
  unlinkPartial(core, f, partial, mode);
  if (mode === MODE_UNRELIABLE) {
    deliverHeld(core, f, key, partial);
  } else if (mode < 2) {
    if (takeSequenced(core, stream, id)) {
      deliverHeld(core, f, key, partial);
    } else {
      freeHeld(core, partial);
    }
  } else if (mode === MODE_RELIABLE_UNORDERED) {
    takeUnordered(core, stream, id);
    deliverHeld(core, f, key, partial);
  } else if (id === core.receiveStreams.words[stream + L.R_NEXT_ID]) {
    deliverHeld(core, f, key, partial);
    advanceOrdered(core, f, stream, key);
  } else {
    hold(core, stream, id, partial);
  }
}

/** Takes the record out of the flow's list of partials; its bytes stay counted. */
function unlinkPartial(core: Core, f: number, partial: number, mode: number): void {
  const flows = core.flows;
  const words = core.held.words;
  if (flows[f + L.F_PARTIAL_HEAD] === partial) {
    flows[f + L.F_PARTIAL_HEAD] = words[partial + L.H_NEXT];
  } else {
    let before = flows[f + L.F_PARTIAL_HEAD];
    while (words[before + L.H_NEXT] !== partial) {
      before = words[before + L.H_NEXT];
    }
    words[before + L.H_NEXT] = words[partial + L.H_NEXT];
  }
  flows[f + (mode >= 2 ? L.F_PARTIAL_COUNT : L.F_UNRELIABLE_PARTIALS)] -= 1;
}

/** Unreliable messages in pieces: two, 64 KiB, 500 ms; the oldest gives way. */
function makeRoom(core: Core, f: number, fragments: number, nowUs: number): void {
  expirePartials(core, f, nowUs);
  const flows = core.flows;
  while (flows[f + L.F_UNRELIABLE_PARTIALS] > 0) {
    const { oldest, bytes } = surveyUnreliable(core, f);
    if (
      flows[f + L.F_UNRELIABLE_PARTIALS] < UNRELIABLE_PARTIALS_MAX &&
      bytes + fragments * FRAGMENT_BYTES <= UNRELIABLE_PARTIAL_BYTES_MAX
    ) {
      return;
    }
    discardUnreliable(core, f, oldest);
    core.tallies[TALLY_PARTIAL_EVICTED] += 1;
  }
}

const survey = { oldest: 0, bytes: 0 };

/** The list is newest first, so the last unreliable one is the oldest. */
function surveyUnreliable(core: Core, f: number): { oldest: number; bytes: number } {
  const words = core.held.words;
  survey.oldest = 0;
  survey.bytes = 0;
  let partial = core.flows[f + L.F_PARTIAL_HEAD];
  while (partial !== 0) {
    if (isUnreliable(core, partial)) {
      survey.oldest = partial;
      survey.bytes += words[partial + L.H_RESERVED];
    }
    partial = words[partial + L.H_NEXT];
  }
  return survey;
}

function isUnreliable(core: Core, partial: number): boolean {
  const stream = core.held.words[partial + L.H_STREAM];
  return (core.receiveStreams.words[stream + L.R_KEY] & 3) < 2;
}

function discardUnreliable(core: Core, f: number, partial: number): void {
  unlinkPartial(core, f, partial, 0);
  freeHeld(core, partial);
}

/** Drops unreliable partials that have waited too long. */
export function expirePartials(core: Core, f: number, nowUs: number): void {
  const words = core.held.words;
  let partial = core.flows[f + L.F_PARTIAL_HEAD];
  while (partial !== 0) {
    const next = words[partial + L.H_NEXT];
    const endUs = (words[partial + L.H_STARTED_US] + UNRELIABLE_PARTIAL_LIFETIME_US) | 0;
    if (isUnreliable(core, partial) && timeReached(nowUs, endUs)) {
      discardUnreliable(core, f, partial);
      core.tallies[TALLY_PARTIAL_EXPIRED] += 1;
    }
    partial = next;
  }
}

/** When the oldest unreliable partial expires; call only while there is one. */
export function partialDeadlineUs(core: Core, f: number): number {
  const { oldest } = surveyUnreliable(core, f);
  return (core.held.words[oldest + L.H_STARTED_US] + UNRELIABLE_PARTIAL_LIFETIME_US) | 0;
}
