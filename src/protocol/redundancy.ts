import { REDUNDANT_MESSAGES_MAX } from '../util/limits.js';
import { timeReached } from '../util/time.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { isOutstanding, pushReference, shiftReference } from './loss.js';
import { freeMessage } from './messages.js';
import type { PacketWriter } from './packet-writer.js';

/**
 * The message was sent once; `copies` more go with the next packets. Of too many the oldest gives
 * way.
 */
export function keepRedundant(core: Core, f: number, message: number, copies: number): void {
  const flows = core.flows;
  if (flows[f + L.F_REDUNDANT_COUNT] === REDUNDANT_MESSAGES_MAX) {
    dropOldestRedundant(core, f);
  }
  flows[f + L.F_REDUNDANT_COUNT] += 1;
  const generation = core.messages.words[message + L.M_GENERATION];
  pushReference(core, f, L.F_REDUNDANT_HEAD, message, generation, copies);
}

/** Copies ride before the new messages, so that an older input is delivered before a newer one. */
export function writeRedundant(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  const count = flows[f + L.F_REDUNDANT_COUNT];
  for (let index = 0; index < count; index += 1) {
    const node = flows[f + L.F_REDUNDANT_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const generation = words[node + L.N_GENERATION];
    const left = words[node + L.N_FRAGMENT];
    const live = redundantIsLive(core, message, generation, nowUs);
    if (live && !writer.writeMessage(core, message, 0, false)) {
      return;
    }
    shiftReference(core, f, L.F_REDUNDANT_HEAD);
    if (live && left > 1) {
      pushReference(core, f, L.F_REDUNDANT_HEAD, message, generation, left - 1);
    } else {
      flows[f + L.F_REDUNDANT_COUNT] -= 1;
      releaseRedundant(core, message, generation);
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
function releaseRedundant(core: Core, message: number, generation: number): void {
  const words = core.messages.words;
  if (words[message + L.M_GENERATION] !== generation) {
    return;
  }
  const key = core.streams.words[words[message + L.M_STREAM] + L.S_KEY];
  if ((key & 3) < 2) {
    freeMessage(core, message);
  }
}

export function dropOldestRedundant(core: Core, f: number): void {
  const node = core.flows[f + L.F_REDUNDANT_HEAD];
  const words = core.references.words;
  const message = words[node + L.N_MESSAGE];
  const generation = words[node + L.N_GENERATION];
  shiftReference(core, f, L.F_REDUNDANT_HEAD);
  core.flows[f + L.F_REDUNDANT_COUNT] -= 1;
  releaseRedundant(core, message, generation);
}
