import { SEND_RELIABLE_MESSAGES_MAX, SEND_UNRELIABLE_MESSAGES_MAX } from '../util/limits.js';
import { EVENT_WRITABLE, SEND_FULL } from './api.js';
import type { Core } from './core.js';
import { pushEvent } from './events.js';
import { displaceOne, purgeUnsent } from './give-up.js';
import * as L from './layout.js';
import { shareOfBytes, shareOfMessages } from './reserve.js';

/**
 * What a flow may have waiting, and how a sender learns of it: SEND_FULL when there is no room,
 * EVENT_WRITABLE when half of it is free again. Nobody is disconnected for being slow.
 *
 * A flow also gets no more of what all flows share than is still free of it (Choudhury and Hahne,
 * "Dynamic queue length thresholds", 1998): many slow flows leave room for the others by themselves.
 */

/**
 * Whether a message of `length` may wait beside `others` of its kind, reliable or not; it takes the
 * place of `replaced` bytes. One is always taken by an empty queue, so nothing that fits the peer is
 * refused for ever.
 */
export function hasRoom(
  core: Core,
  f: number,
  key: number,
  length: number,
  inPieces: boolean,
  others: number,
  replaced: number,
): boolean {
  if (others === 0) {
    return true;
  }
  const flows = core.flows;
  if ((key & 3) < 2) {
    const bytes = flows[f + L.F_UNRELIABLE_BYTES] + length - replaced;
    return bytes <= core.limits.sendUnreliableBytes && others < SEND_UNRELIABLE_MESSAGES_MAX;
  }
  const priority = core.channelPriority[key >> 2];
  const most = core.limits.sendReliableBytes;
  const largest = flows[f + L.F_PEER_MESSAGE_BYTES];
  const bytes = flows[f + L.F_RELIABLE_BYTES] + length - replaced;
  return (
    bytes <= shareOfBytes(most, largest, priority, inPieces) &&
    bytes <= core.sendBytes.maxBytes - core.sendBytes.usedBytes &&
    others < shareOfMessages(SEND_RELIABLE_MESSAGES_MAX, priority)
  );
}

/**
 * What is not worth sending leaves the stream, and for an unreliable message others that are older or
 * less urgent leave the queue. False when there is no room all the same.
 */
export function makeRoom(
  core: Core,
  f: number,
  stream: number,
  nowUs: number,
  length: number,
  inPieces: boolean,
): boolean {
  const flows = core.flows;
  const key = core.sendStreams.words[stream + L.S_KEY];
  const count = f + ((key & 3) >= 2 ? L.F_RELIABLE_COUNT : L.F_UNRELIABLE_COUNT);
  purgeUnsent(core, f, stream, nowUs);
  while (!hasRoom(core, f, key, length, inPieces, flows[count], 0)) {
    if ((key & 3) >= 2 || !displaceOne(core, f, core.channelPriority[key >> 2])) {
      return false;
    }
  }
  return true;
}

/** SEND_FULL, of which EVENT_WRITABLE will tell the end. */
export function refuse(flows: Int32Array, f: number): number {
  flows[f + L.F_FLAGS] |= L.FLAG_REFUSED;
  return SEND_FULL;
}

/** Something left the queues: tells a sender that was refused once half of each is free. */
export function checkWritable(core: Core, f: number): void {
  const flows = core.flows;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_REFUSED) === 0 ||
    flows[f + L.F_RELIABLE_BYTES] * 2 > core.limits.sendReliableBytes ||
    flows[f + L.F_RELIABLE_COUNT] * 2 > SEND_RELIABLE_MESSAGES_MAX ||
    flows[f + L.F_UNRELIABLE_BYTES] * 2 > core.limits.sendUnreliableBytes ||
    flows[f + L.F_UNRELIABLE_COUNT] * 2 > SEND_UNRELIABLE_MESSAGES_MAX
  ) {
    return;
  }
  flows[f + L.F_FLAGS] &= ~L.FLAG_REFUSED;
  pushEvent(core, f, EVENT_WRITABLE, 0, 0, 0, 0, 0);
}
