import {
  REDUNDANT_BYTES_MAX,
  REDUNDANT_MESSAGES_MAX,
  REDUNDANT_PACKET_BYTES,
  SPARE_LOSS_Q16,
  SPARE_LOSS_TWICE_Q16,
} from '../util/limits.js';
import { timeReached } from '../util/time.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { isOutstanding } from './loss.js';
import type { PacketWriter } from './packet-writer.js';
import { finishUnreliable } from './receipts.js';
import { pushReference, shiftReference } from './references.js';

/**
 * Copies of small messages in later packets.
 *
 * *Redundant* copies were asked for; they ride before the new messages of a packet, so that an older
 * input is delivered before a newer one. *Spare* copies are our own idea: where packets get lost, a
 * small reliable message rides again in the next packet that has room left, so that a loss costs
 * the time to that packet instead of a round trip. They come last and never make a packet.
 */

/** The message was sent once; `copies` more go with the next packets. */
export function keepRedundant(core: Core, f: number, message: number, copies: number): void {
  const flows = core.flows;
  if (flows[f + L.F_REDUNDANT_COUNT] === REDUNDANT_MESSAGES_MAX) {
    dropOldestRedundant(core, f);
  }
  flows[f + L.F_REDUNDANT_COUNT] += 1;
  const words = core.messages.words;
  words[message + L.M_FLAGS] |= L.MESSAGE_REDUNDANT;
  const generation = words[message + L.M_GENERATION];
  pushReference(core, flows, f + L.F_REDUNDANT_HEAD, message, generation, copies);
}

export function writeRedundant(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  const count = flows[f + L.F_REDUNDANT_COUNT];
  const most = writer.length + REDUNDANT_PACKET_BYTES;
  for (let index = 0; index < count && writer.length < most; index += 1) {
    const node = flows[f + L.F_REDUNDANT_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const generation = words[node + L.N_GENERATION];
    const left = words[node + L.N_FRAGMENT];
    const live = redundantIsLive(core, message, generation, nowUs);
    if (live && !writer.writeMessage(core, message, 0, false)) {
      return;
    }
    shiftReference(core, flows, f + L.F_REDUNDANT_HEAD);
    if (live && left > 1) {
      pushReference(core, flows, f + L.F_REDUNDANT_HEAD, message, generation, left - 1);
    } else {
      flows[f + L.F_REDUNDANT_COUNT] -= 1;
      releaseRedundant(core, f, message, generation);
    }
  }
}

function redundantIsLive(core: Core, message: number, generation: number, nowUs: number): boolean {
  const words = core.messages.words;
  if (!isOutstanding(core, message, generation, 0)) {
    return false;
  }
  return (
    (words[message + L.M_FLAGS] & L.MESSAGE_EXPIRES) === 0 ||
    !timeReached(nowUs, words[message + L.M_EXPIRES_US])
  );
}

/** An unreliable message lives by its copies alone; a reliable one is the sent list's. */
function releaseRedundant(core: Core, f: number, message: number, generation: number): void {
  const words = core.messages.words;
  if (words[message + L.M_GENERATION] !== generation) {
    return;
  }
  words[message + L.M_FLAGS] &= ~L.MESSAGE_REDUNDANT;
  const key = core.sendStreams.words[words[message + L.M_STREAM] + L.S_KEY];
  if ((key & 3) < 2) {
    finishUnreliable(core, f, message);
  }
}

export function dropOldestRedundant(core: Core, f: number): void {
  const flows = core.flows;
  const node = flows[f + L.F_REDUNDANT_HEAD];
  const words = core.references.words;
  const message = words[node + L.N_MESSAGE];
  const generation = words[node + L.N_GENERATION];
  shiftReference(core, flows, f + L.F_REDUNDANT_HEAD);
  flows[f + L.F_REDUNDANT_COUNT] -= 1;
  releaseRedundant(core, f, message, generation);
}

/** A reliable message was sent for the first time: a copy or two may follow where room is left. */
export function keepSpare(core: Core, f: number, message: number): void {
  const flows = core.flows;
  const words = core.messages.words;
  if (
    flows[f + L.F_LOSS_Q16] < SPARE_LOSS_Q16 ||
    words[message + L.M_FRAGMENTS] !== 0 ||
    words[message + L.M_LENGTH] > REDUNDANT_BYTES_MAX
  ) {
    return;
  }
  if (flows[f + L.F_SPARE_COUNT] === REDUNDANT_MESSAGES_MAX) {
    shiftReference(core, flows, f + L.F_SPARE_HEAD);
    flows[f + L.F_SPARE_COUNT] -= 1;
  }
  const copies = flows[f + L.F_LOSS_Q16] < SPARE_LOSS_TWICE_Q16 ? 1 : 2;
  flows[f + L.F_SPARE_COUNT] += 1;
  const generation = words[message + L.M_GENERATION];
  pushReference(core, flows, f + L.F_SPARE_HEAD, message, generation, copies);
}

/**
 * The packet is as good as finished: what room it has left goes to copies, of the first `count` in
 * the list; those behind them were sent in this very packet.
 */
export function writeSpare(core: Core, writer: PacketWriter, f: number, count: number): void {
  const flows = core.flows;
  for (let index = 0; index < count; index += 1) {
    const node = flows[f + L.F_SPARE_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const generation = words[node + L.N_GENERATION];
    const left = words[node + L.N_FRAGMENT];
    const live = isOutstanding(core, message, generation, 0);
    if (live && !writer.writeMessage(core, message, 0, false)) {
      return;
    }
    flows[f + L.F_SPARES] += live ? 1 : 0;
    shiftReference(core, flows, f + L.F_SPARE_HEAD);
    if (live && left > 1) {
      pushReference(core, flows, f + L.F_SPARE_HEAD, message, generation, left - 1);
    } else {
      flows[f + L.F_SPARE_COUNT] -= 1;
    }
  }
}
