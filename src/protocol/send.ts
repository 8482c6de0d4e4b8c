import { assert } from '../util/assert.js';
import * as limits from '../util/limits.js';
import { RECEIPT_DROPPED, SEND_CLOSED, SEND_OK, SEND_QUEUED, SEND_TOO_LARGE } from './api.js';
import type { Core } from './core.js';
import { TALLY_SEND_REFUSED, TALLY_SEND_SUPERSEDED } from './drop-reason.js';
import { purgeUnsent } from './give-up.js';
import * as L from './layout.js';
import { appendUnsent, freeData, freeMessage, NO_DATA, storeData } from './messages.js';
import { hasRoom, makeRoom, refuse } from './pressure.js';
import { giveReceipt } from './receipts.js';
import { activate } from './schedule.js';
import { ensureSendStream, markDirty } from './streams.js';

const REPLACED_FLAGS = L.MESSAGE_EXPIRES | L.MESSAGE_DEFAULT_EXPIRY | L.MESSAGE_TRACKED;

/** Bytes beside the data in the tightest packet: the header and an unfragmented frame's own. */
export const WHOLE_OVERHEAD_BYTES = 24 + 6;

/** Protocol.send, with the slot already turned into `f`. */
export function sendMessage(
  core: Core,
  f: number,
  nowUs: number,
  channel: number,
  mode: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  expiresUs: number,
  key: number,
  redundancy: number,
  receipt: number,
): number {
  const flows = core.flows;
  assert(channel >= 0 && channel < core.limits.channels, 'channel out of range');
  assert(mode >= 0 && mode <= 3, 'mode must be 0…3');
  assert(offset >= 0 && length >= 0 && offset + length <= bytes.length, 'bytes out of range');
  assert(expiresUs >= 0 && redundancy >= 0, 'expiresUs and redundancy must not be negative');
  const state = flows[f + L.F_STATE];
  if (state === L.STATE_FREE || state > L.STATE_READY) {
    return SEND_CLOSED;
  }
  const reliable = mode >= 2;
  const bytesMax = flows[f + (reliable ? L.F_PEER_MESSAGE_BYTES : L.F_PEER_UNRELIABLE_BYTES)];
  if (length > bytesMax || channel >= flows[f + L.F_PEER_CHANNELS]) {
    core.tallies[TALLY_SEND_REFUSED] += 1;
    return SEND_TOO_LARGE;
  }
  const streamKey = (channel << 2) | mode;
  const stream = ensureSendStream(core, f, streamKey);
  if (!reliable && core.sendStreams.words[stream + L.S_UNSENT_HEAD] !== 0) {
    purgeUnsent(core, f, stream, nowUs); // Those before it wait: perhaps for too long already.
  }
  const fragments = fragmentsOf(flows[f + L.F_MAX_PAYLOAD], length);
  if (key > 0) {
    const older = core.keys.get(stream, key);
    if (older !== 0) {
      const copies = copiesOf(mode, length, redundancy);
      return supersede(core, f, older, nowUs, bytes, offset, length, expiresUs, copies, receipt);
    }
  }
  const others = flows[f + (reliable ? L.F_RELIABLE_COUNT : L.F_UNRELIABLE_COUNT)];
  if (
    !hasRoom(core, f, streamKey, length, fragments !== 0, others, 0) &&
    !makeRoom(core, f, stream, nowUs, length, fragments !== 0)
  ) {
    return refuse(flows, f);
  }
  const message = core.messages.alloc();
  const words = core.messages.words;
  words[message + L.M_FLAGS] = 0;
  words[message + L.M_DATA] = NO_DATA;
  words[message + L.M_FRAGMENT_BITS] = 0;
  words[message + L.M_FRAGMENTS] = fragments;
  if (!storeData(core, message, bytes, offset, length, fragments)) {
    freeMessage(core, message);
    return refuse(flows, f);
  }
  words[message + L.M_STREAM] = stream;
  words[message + L.M_REDUNDANCY] = redundancy === 0 ? 0 : copiesOf(mode, length, redundancy);
  describe(words, message, nowUs, mode, length, expiresUs, receipt);
  words[message + L.M_KEY] = key;
  if (key > 0) {
    words[message + L.M_FLAGS] |= L.MESSAGE_KEYED;
    core.keys.set(stream, key, message);
  }
  return enqueue(core, f, stream, message, reliable, length);
}

/** Copies to follow the first: small messages that carry an id only. */
function copiesOf(mode: number, length: number, redundancy: number): number {
  if (mode === 0 || length > limits.REDUNDANT_BYTES_MAX) {
    return 0;
  }
  return redundancy > limits.REDUNDANT_COPIES_MAX ? limits.REDUNDANT_COPIES_MAX : redundancy;
}

/** What a newer message of the same key replaces beside the data. */
function describe(
  words: Int32Array,
  message: number,
  nowUs: number,
  mode: number,
  length: number,
  expiresUs: number,
  receipt: number,
): void {
  let flags = words[message + L.M_FLAGS] & ~REPLACED_FLAGS;
  if (expiresUs > 0) {
    flags |= L.MESSAGE_EXPIRES;
    words[message + L.M_EXPIRES_US] = (nowUs + expiresUs) | 0;
  } else if (mode < 2) {
    flags |= L.MESSAGE_EXPIRES | L.MESSAGE_DEFAULT_EXPIRY;
    words[message + L.M_EXPIRES_US] = (nowUs + limits.SEND_UNRELIABLE_LIFETIME_US) | 0;
  } else {
    words[message + L.M_EXPIRES_US] = nowUs;
  }
  if (receipt !== 0 && mode < 2) {
    flags |= L.MESSAGE_TRACKED;
  }
  words[message + L.M_FLAGS] = flags;
  words[message + L.M_LENGTH] = length;
  words[message + L.M_NEXT_FRAGMENT] = 0;
  words[message + L.M_ACKED_FRAGMENTS] = 0;
  words[message + L.M_RECEIPT] = receipt;
  words[message + L.M_OUT] = 0;
}

/** The older unsent message keeps its place in the queue and gets the newer content. */
function supersede(
  core: Core,
  f: number,
  message: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  expiresUs: number,
  copies: number,
  receipt: number,
): number {
  const flows = core.flows;
  const words = core.messages.words;
  const streamKey = core.sendStreams.words[words[message + L.M_STREAM] + L.S_KEY];
  const mode = streamKey & 3;
  const older = words[message + L.M_LENGTH];
  const fragments = fragmentsOf(flows[f + L.F_MAX_PAYLOAD], length);
  const others = flows[f + (mode >= 2 ? L.F_RELIABLE_COUNT : L.F_UNRELIABLE_COUNT)] - 1;
  if (length > older && !hasRoom(core, f, streamKey, length, fragments !== 0, others, older)) {
    return refuse(flows, f);
  }
  const olderData = words[message + L.M_DATA];
  if (!storeData(core, message, bytes, offset, length, fragments)) {
    return refuse(flows, f);
  }
  const newerData = words[message + L.M_DATA];
  words[message + L.M_DATA] = olderData;
  freeData(core, message);
  giveReceipt(core, f, message, RECEIPT_DROPPED);
  words[message + L.M_DATA] = newerData;
  words[message + L.M_FRAGMENTS] = fragments;
  words[message + L.M_REDUNDANCY] = copies;
  describe(words, message, nowUs, mode, length, expiresUs, receipt);
  flows[f + (mode >= 2 ? L.F_RELIABLE_BYTES : L.F_UNRELIABLE_BYTES)] += length - older;
  flows[f + L.F_DROPPED] += mode < 2 ? 1 : 0;
  core.tallies[TALLY_SEND_SUPERSEDED] += 1;
  return SEND_QUEUED;
}

/** 0 when the message travels whole. */
function fragmentsOf(maxPayloadBytes: number, length: number): number {
  return length > maxPayloadBytes - WHOLE_OVERHEAD_BYTES
    ? ((length + limits.FRAGMENT_BYTES - 1) / limits.FRAGMENT_BYTES) | 0
    : 0;
}

/** Counts the message, puts it last in its stream and the stream in its turn. */
function enqueue(
  core: Core,
  f: number,
  stream: number,
  message: number,
  reliable: boolean,
  length: number,
): number {
  const flows = core.flows;
  if (reliable) {
    flows[f + L.F_RELIABLE_BYTES] += length;
    flows[f + L.F_RELIABLE_COUNT] += 1;
    flows[f + L.F_UNACKED_COUNT] += 1;
    core.sendStreams.words[stream + L.S_COUNT] += 1;
  } else {
    flows[f + L.F_UNRELIABLE_BYTES] += length;
    flows[f + L.F_UNRELIABLE_COUNT] += 1;
  }
  appendUnsent(core, stream, message);
  const standing = core.sendStreams.words[stream + L.S_STATE];
  if (standing === L.STREAM_IDLE) {
    activate(core, f, stream);
  }
  if (flows[f + L.F_STATE] !== L.STATE_READY) {
    return SEND_QUEUED;
  }
  markDirty(core, f);
  return standing === L.STREAM_BLOCKED || (flows[f + L.F_FLAGS] & L.FLAG_PACING) !== 0
    ? SEND_QUEUED
    : SEND_OK;
}
