import { SEQUENCED_OUTRUN_US } from '../util/limits.js';
import { timeReached } from '../util/time.js';
import { MODE_UNRELIABLE_SEQUENCED, RECEIPT_LOST } from './api.js';
import type { Core } from './core.js';
import {
  TALLY_SEND_DISPLACED,
  TALLY_SEND_EXPIRED,
  TALLY_SEND_OUTRUN,
  TALLY_SEND_STALE,
} from './drop-reason.js';
import * as L from './layout.js';
import { accountUnsent, dropUnsent, freeMessage, popUnsent } from './messages.js';
import { giveReceipt } from './receipts.js';

/**
 * Messages that are given up before they were sent, or all of them was:
 *   expired, stale   their time is over, given by the application or the default of unreliable ones
 *   outrun           sequenced, and a newer one of the same kind waits behind
 *   displaced        unreliable, and the queue is full of them: the least urgent and oldest goes
 * No id was given to them, so no hole appears; only unreliable ones in pieces may have begun.
 */

/** Drops from the front of the stream's unsent queue what is not worth sending any more. */
export function purgeUnsent(core: Core, f: number, stream: number, nowUs: number): void {
  const words = core.messages.words;
  for (;;) {
    const message = core.sendStreams.words[stream + L.S_UNSENT_HEAD];
    if (message === 0) {
      return;
    }
    const flags = words[message + L.M_FLAGS];
    if ((flags & L.MESSAGE_EXPIRES) === 0) {
      return;
    }
    if (timeReached(nowUs, words[message + L.M_EXPIRES_US])) {
      core.tallies[expiryTally(flags)] += 1;
    } else if (words[message + L.M_NEXT] !== 0 && isOutrun(core, stream, message)) {
      core.tallies[TALLY_SEND_OUTRUN] += 1;
    } else {
      return;
    }
    dropUnsent(core, f, popUnsent(core, stream));
  }
}

function expiryTally(flags: number): number {
  return (flags & L.MESSAGE_DEFAULT_EXPIRY) !== 0 ? TALLY_SEND_STALE : TALLY_SEND_EXPIRED;
}

/**
 * True when a sequenced message of the same kind (a negative key) waits that was given some time
 * later. With the default lifetime, expiries are as far apart as the moments of sending.
 */
function isOutrun(core: Core, stream: number, message: number): boolean {
  const words = core.messages.words;
  const kind = words[message + L.M_KEY];
  if (
    kind >= 0 ||
    (core.sendStreams.words[stream + L.S_KEY] & 3) !== MODE_UNRELIABLE_SEQUENCED ||
    (words[message + L.M_FLAGS] & L.MESSAGE_DEFAULT_EXPIRY) === 0
  ) {
    return false;
  }
  const outrunUs = (words[message + L.M_EXPIRES_US] + SEQUENCED_OUTRUN_US) | 0;
  for (let newer = words[message + L.M_NEXT]; newer !== 0; newer = words[newer + L.M_NEXT]) {
    if (
      words[newer + L.M_KEY] === kind &&
      (words[newer + L.M_FLAGS] & L.MESSAGE_DEFAULT_EXPIRY) !== 0 &&
      timeReached(words[newer + L.M_EXPIRES_US], outrunUs)
    ) {
      return true;
    }
  }
  return false;
}

/** The rest of an unreliable message whose time is over is not sent; the peer drops what it has. */
export function abandonStale(core: Core, f: number, stream: number, nowUs: number): void {
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  const message = streams[stream + L.S_CURRENT];
  if (
    (streams[stream + L.S_KEY] & 3) >= 2 ||
    !timeReached(nowUs, words[message + L.M_EXPIRES_US])
  ) {
    return;
  }
  streams[stream + L.S_CURRENT] = 0;
  core.tallies[expiryTally(words[message + L.M_FLAGS])] += 1;
  core.flows[f + L.F_DROPPED] += 1;
  accountUnsent(core, f, message);
  giveReceipt(core, f, message, RECEIPT_LOST);
  // Packets in flight know it by its generation, which is over.
  freeMessage(core, message);
}

/**
 * Drops one unsent unreliable message of a channel of `priority` or less urgent: of the least urgent
 * that have any the oldest. False when there is none.
 */
export function displaceOne(core: Core, f: number, priority: number): boolean {
  for (let p = L.PRIORITIES - 1; p >= priority; p -= 1) {
    const last = core.flows[f + L.F_ACTIVE + p];
    const stream = last === 0 ? 0 : oldestUnreliable(core, last);
    if (stream !== 0) {
      core.tallies[TALLY_SEND_DISPLACED] += 1;
      dropUnsent(core, f, popUnsent(core, stream));
      return true;
    }
  }
  return false;
}

/** The stream of the ring whose unsent unreliable head expires first, or 0. */
function oldestUnreliable(core: Core, last: number): number {
  const streams = core.sendStreams.words;
  const words = core.messages.words;
  let found = 0;
  let expiresUs = 0;
  let stream = last;
  do {
    const head = streams[stream + L.S_UNSENT_HEAD];
    if ((streams[stream + L.S_KEY] & 3) < 2 && head !== 0) {
      const headUs = words[head + L.M_EXPIRES_US];
      if (found === 0 || !timeReached(headUs, expiresUs)) {
        found = stream;
        expiresUs = headUs;
      }
    }
    stream = streams[stream + L.S_LIST_NEXT];
  } while (stream !== last);
  return found;
}
