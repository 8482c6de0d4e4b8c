import { assert } from '../util/assert.js';
import { copyBytes } from '../util/copy-bytes.js';
import * as limits from '../util/limits.js';
import { sequenceBufferFree } from '../util/sequence-buffer.js';
import {
  CLOSE_PROTOCOL_ERROR,
  EVENT_READY,
  EVENT_VIOLATION,
  ROLE_CLIENT,
  ROLE_RAW,
  VIOLATION_NAMES,
  VIOLATION_PARAMS,
} from './api.js';
import { clockDue, freeClock } from './clock.js';
import type { Core } from './core.js';
import { freeHeld, pushEvent } from './events.js';
import * as L from './layout.js';
import { freeMessage, popUnsent } from './messages.js';
import type { Params } from './params.js';
import { resetRate } from './rate.js';
import { dropOldestRedundant } from './redundancy.js';
import { shiftReference } from './references.js';
import { resetRtt, updateRtt } from './rtt.js';
import { closeSentRing, scheduleSkip } from './sent-packets.js';
import { markDirty } from './streams.js';

const SEEN_LOG2 = 4;

/** Clears the hot state but for the generation and the place in the dirty list. */
function clearFlow(flows: Int32Array, f: number): void {
  const generation = flows[f + L.F_GENERATION];
  const dirty = flows[f + L.F_FLAGS] & L.FLAG_DIRTY;
  const dirtyNext = flows[f + L.F_DIRTY_NEXT];
  flows.fill(0, f, f + L.FLOW_STRIDE);
  flows[f + L.F_GENERATION] = (generation + 1) | 0;
  flows[f + L.F_FLAGS] = dirty;
  flows[f + L.F_DIRTY_NEXT] = dirtyNext;
}

export function openFlow(
  core: Core,
  f: number,
  role: number,
  nowUs: number,
  maxPayloadBytes: number,
): void {
  const flows = core.flows;
  assert(flows[f + L.F_STATE] === L.STATE_FREE, 'the slot is in use');
  assert(role >= ROLE_CLIENT && role <= ROLE_RAW, 'role must be 0, 1 or 2');
  assert(
    maxPayloadBytes >= limits.PAYLOAD_BYTES_MIN && maxPayloadBytes <= limits.PAYLOAD_BYTES_MAX,
    'maxPayloadBytes must be 1080…1300',
  );
  clearFlow(flows, f);
  flows[f + L.F_MAX_PAYLOAD] = maxPayloadBytes;
  if (role === ROLE_RAW) {
    flows[f + L.F_STATE] = L.STATE_RAW;
    return;
  }
  flows[f + L.F_NEXT_SEQUENCE] = core.limits.firstSequence;
  flows[f + L.F_PACKET_THRESHOLD] = limits.PACKET_THRESHOLD;
  flows[f + L.F_PEER_CHANNELS] = core.limits.channels;
  flows[f + L.F_PEER_WINDOW] = limits.MESSAGE_WINDOW;
  flows[f + L.F_PEER_PARTIALS] = limits.RELIABLE_PARTIALS_MAX;
  flows[f + L.F_PEER_MESSAGE_BYTES] = limits.RELIABLE_MESSAGE_BYTES_MAX;
  flows[f + L.F_PEER_UNRELIABLE_BYTES] = limits.UNRELIABLE_MESSAGE_BYTES_MAX;
  flows[f + L.F_PEER_BUDGET] = limits.RECEIVE_BUDGET_BYTES;
  flows[f + L.F_PEER_ACK_DELAY_US] = limits.ACK_DELAY_US;
  resetRtt(flows, f);
  resetRate(flows, f, nowUs);
  scheduleSkip(core, f);
  if (role === ROLE_CLIENT) {
    flows[f + L.F_STATE] = L.STATE_HELLO;
    flows[f + L.F_FLAGS] |= L.FLAG_CLIENT;
    flows[f + L.F_HELLO_US] = nowUs;
    markDirty(core, f);
  } else {
    flows[f + L.F_STATE] = L.STATE_WAIT;
  }
}

/** Everything is free again; events that wait are of an earlier generation and will be skipped. */
export function freeFlow(core: Core, f: number): void {
  releaseFlow(core, f);
  core.wheel.cancel(f >> L.FLOW_STRIDE_LOG2);
  if (core.flows[f + L.F_CLOSE_REASON] !== 0) {
    core.sendBytes.free(core.flows[f + L.F_CLOSE_REASON] - 1);
  }
  clearFlow(core.flows, f);
}

/** The peer's PARAMS are known: the flow may carry messages. */
export function acceptParams(core: Core, f: number, params: Params, nowUs: number): void {
  const flows = core.flows;
  flows[f + L.F_PEER_CHANNELS] = params.channels;
  flows[f + L.F_PEER_WINDOW] = params.windowIds;
  flows[f + L.F_PEER_PARTIALS] = params.partials;
  flows[f + L.F_PEER_MESSAGE_BYTES] = params.messageBytes;
  flows[f + L.F_PEER_UNRELIABLE_BYTES] = params.unreliableMessageBytes;
  flows[f + L.F_PEER_BUDGET] = params.receiveBudgetBytes;
  flows[f + L.F_PEER_ACK_DELAY_US] = params.maxAckDelayMs * 1000;
  flows[f + L.F_PEER_HASH] = params.registryHash;
  flows[f + L.F_PEER_DELAY_UNIT_US] = params.coarseAckDelay
    ? limits.ACK_DELAY_UNIT_COARSE_US
    : limits.ACK_DELAY_UNIT_US;
  flows[f + L.F_STATE] = L.STATE_READY;
  if (!queuedFits(core, f)) {
    violate(core, f, VIOLATION_PARAMS);
    return;
  }
  pushEvent(core, f, EVENT_READY, 0, 0, 0, 0, 0);
  if ((flows[f + L.F_FLAGS] & L.FLAG_CLIENT) !== 0) {
    if (flows[f + L.F_HELLO_COUNT] === 1) {
      // Answered at the first try, so the round trip is unambiguous (Karn).
      const roundTripUs = (nowUs - flows[f + L.F_HELLO_SENT_US]) | 0;
      if (roundTripUs >= 0) {
        updateRtt(flows, f, roundTripUs, 0, nowUs);
      }
    }
    resetRate(flows, f, nowUs);
    flows[f + L.F_CLOCK_US] = nowUs;
    clockDue(core, f, nowUs);
  }
  flows[f + L.F_QUEUE_BYTES] = 0; // the word was F_HELLO_SENT_US
  markDirty(core, f);
}

/** What send took before the peer's limits were known must be within them. */
function queuedFits(core: Core, f: number): boolean {
  const flows = core.flows;
  const streams = core.sendStreams.words;
  const messages = core.messages.words;
  for (
    let stream = flows[f + L.F_SEND_STREAMS];
    stream !== 0;
    stream = streams[stream + L.S_FLOW_NEXT]
  ) {
    const key = streams[stream + L.S_KEY];
    const bytesMax =
      flows[f + ((key & 3) >= 2 ? L.F_PEER_MESSAGE_BYTES : L.F_PEER_UNRELIABLE_BYTES)];
    let message = streams[stream + L.S_UNSENT_HEAD];
    if (message !== 0 && key >> 2 >= flows[f + L.F_PEER_CHANNELS]) {
      return false;
    }
    for (; message !== 0; message = messages[message + L.M_NEXT]) {
      if (messages[message + L.M_LENGTH] > bytesMax) {
        return false;
      }
    }
  }
  return true;
}

/** The peer broke the protocol: tell the application and the peer, and stop. */
export function violate(core: Core, f: number, code: number): void {
  pushEvent(core, f, EVENT_VIOLATION, 0, 0, code, 0, 0);
  const name = VIOLATION_NAMES[code];
  const reason = new Uint8Array(name.length);
  for (let index = 0; index < name.length; index += 1) {
    reason[index] = name.charCodeAt(index);
  }
  startClose(core, f, CLOSE_PROTOCOL_ERROR, reason);
}

/** From here on the flow only says CLOSE. */
export function startClose(core: Core, f: number, code: number, reason: Uint8Array | null): void {
  const flows = core.flows;
  const state = flows[f + L.F_STATE];
  releaseFlow(core, f);
  if (state !== L.STATE_READY) {
    flows[f + L.F_STATE] = L.STATE_CLOSED;
    return;
  }
  flows[f + L.F_STATE] = L.STATE_CLOSING;
  flows[f + L.F_CLOSE_CODE] = code;
  if (reason !== null && reason.length > 0) {
    const handle = core.sendBytes.alloc(reason.length);
    if (handle >= 0) {
      copyBytes(
        reason,
        0,
        core.sendBytes.page(handle),
        core.sendBytes.offset(handle),
        reason.length,
      );
      flows[f + L.F_CLOSE_REASON] = handle + 1;
      flows[f + L.F_CLOSE_REASON_BYTES] = reason.length;
    }
  }
  flows[f + L.F_FLAGS] |= L.FLAG_CLOSE_NOW;
  markDirty(core, f);
}

/** Frees every record of the flow; its hot words stay. */
export function releaseFlow(core: Core, f: number): void {
  const flows = core.flows;
  while (flows[f + L.F_REDUNDANT_HEAD] !== 0) {
    dropOldestRedundant(core, f);
  }
  while (flows[f + L.F_SPARE_HEAD] !== 0) {
    shiftReference(core, flows, f + L.F_SPARE_HEAD);
  }
  while (flows[f + L.F_PARTIAL_HEAD] !== 0) {
    const partial = flows[f + L.F_PARTIAL_HEAD];
    flows[f + L.F_PARTIAL_HEAD] = core.held.words[partial + L.H_NEXT];
    freeHeld(core, partial);
  }
  for (let stream = flows[f + L.F_SEND_STREAMS]; stream !== 0; ) {
    const next = core.sendStreams.words[stream + L.S_FLOW_NEXT];
    releaseSending(core, stream);
    core.sendStreams.free(stream);
    stream = next;
  }
  for (let stream = flows[f + L.F_RECEIVE_STREAMS]; stream !== 0; ) {
    const next = core.receiveStreams.words[stream + L.R_FLOW_NEXT];
    releaseReceiving(core, stream);
    core.receiveStreams.free(stream);
    stream = next;
  }
  flows[f + L.F_RECEIVE_STREAMS] = 0;
  if (flows[f + L.F_TABLE] !== 0) {
    core.blocks.free(flows[f + L.F_TABLE], flows[f + L.F_TABLE_LOG2]);
  }
  closeSentRing(core, f);
  freeClock(core, f);
  flows.fill(0, f + L.F_TABLE, f + L.F_STRIKES);
  flows.fill(0, f + L.F_ACTIVE, f + L.F_ACTIVE + L.PRIORITIES);
}

function releaseSending(core: Core, stream: number): void {
  const words = core.sendStreams.words;
  while (words[stream + L.S_RESEND_HEAD] !== 0) {
    shiftReference(core, words, stream + L.S_RESEND_HEAD);
  }
  while (words[stream + L.S_UNSENT_HEAD] !== 0) {
    freeMessage(core, popUnsent(core, stream));
  }
  const current = words[stream + L.S_CURRENT];
  if (current !== 0 && (words[stream + L.S_KEY] & 3) < 2) {
    freeMessage(core, current);
  }
  let message = words[stream + L.S_SENT_HEAD];
  while (message !== 0) {
    const next = core.messages.words[message + L.M_NEXT];
    freeMessage(core, message);
    message = next;
  }
}

function releaseReceiving(core: Core, stream: number): void {
  const words = core.receiveStreams.words;
  const buffer = words[stream + L.R_BUFFER];
  if (buffer === 0) {
    return;
  }
  if ((words[stream + L.R_KEY] & 3) !== 3) {
    core.blocks.free(buffer, SEEN_LOG2);
    return;
  }
  const log2 = words[stream + L.R_BUFFER_LOG2];
  for (let index = 0; index < 1 << log2; index += 1) {
    const held = core.blocks.words[buffer + (index << 1)];
    if (held !== 0) {
      freeHeld(core, held);
    }
  }
  sequenceBufferFree(core.blocks, buffer, log2);
}
