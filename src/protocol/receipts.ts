import { EVENT_RECEIPT, RECEIPT_ACKED, RECEIPT_LOST } from './api.js';
import type { Core } from './core.js';
import { pushEvent } from './events.js';
import * as L from './layout.js';
import { freeData, freeMessage } from './messages.js';

/**
 * Receipts: what became of a message, once, for those sent with a receipt number.
 *
 * Reliable messages are acknowledged, or dropped unsent. Unreliable ones with a receipt are
 * *tracked*: the record outlives its data, the packets that carry it refer to it, and M_OUT counts
 * them. It is acknowledged with one of them, and lost when the last that was sent is declared lost:
 * copies that still wait have had no packet to ride in, and may never have one. Of a message in pieces
 * every piece must arrive, so the first loss decides.
 */
export function giveReceipt(core: Core, f: number, message: number, result: number): void {
  const words = core.messages.words;
  const receipt = words[message + L.M_RECEIPT];
  if (receipt === 0) {
    return;
  }
  words[message + L.M_RECEIPT] = 0;
  const key = core.sendStreams.words[words[message + L.M_STREAM] + L.S_KEY];
  pushEvent(core, f, EVENT_RECEIPT, 0, key, result, receipt, 0);
}

/** A packet with the tracked message, or one fragment of it, was acknowledged. */
export function acknowledgeTracked(core: Core, f: number, message: number): void {
  const words = core.messages.words;
  if (words[message + L.M_FRAGMENTS] !== 0) {
    words[message + L.M_ACKED_FRAGMENTS] += 1;
    if (words[message + L.M_ACKED_FRAGMENTS] < words[message + L.M_FRAGMENTS]) {
      return;
    }
  }
  words[message + L.M_FLAGS] |= L.MESSAGE_ACKED;
  giveReceipt(core, f, message, RECEIPT_ACKED);
  endTracked(core, message);
}

/** A packet with it was declared lost. */
export function loseTracked(core: Core, f: number, message: number): void {
  const words = core.messages.words;
  words[message + L.M_OUT] -= 1;
  if (words[message + L.M_FRAGMENTS] !== 0 || words[message + L.M_OUT] === 0) {
    giveReceipt(core, f, message, RECEIPT_LOST);
    endTracked(core, message);
  }
}

/** All of an unreliable message was packed and no copy waits: free, or its packets' alone. */
export function finishUnreliable(core: Core, f: number, message: number): void {
  const words = core.messages.words;
  words[message + L.M_FLAGS] &= ~L.MESSAGE_REDUNDANT;
  words[message + L.M_FLAGS] |= L.MESSAGE_SENT;
  if (words[message + L.M_RECEIPT] !== 0 && words[message + L.M_OUT] > 0) {
    freeData(core, message);
    return;
  }
  giveReceipt(core, f, message, RECEIPT_LOST);
  freeMessage(core, message);
}

/** Its receipt is given; the record goes unless sending or copies still need it. */
function endTracked(core: Core, message: number): void {
  const flags = core.messages.words[message + L.M_FLAGS];
  if ((flags & L.MESSAGE_SENT) !== 0) {
    freeMessage(core, message);
  }
}

/** The flow ends: what only this packet knew is free. */
export function releaseTracked(core: Core, message: number, generation: number): void {
  const words = core.messages.words;
  const wanted = L.MESSAGE_TRACKED | L.MESSAGE_SENT;
  if (
    message !== 0 &&
    words[message + L.M_GENERATION] === generation &&
    (words[message + L.M_FLAGS] & wanted) === wanted
  ) {
    freeMessage(core, message);
  }
}
