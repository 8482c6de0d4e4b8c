import { PROBE_MESSAGES_MAX } from '../util/limits.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { clearResend, isOutstanding } from './loss.js';
import { frameBytes } from './messages.js';
import type { PacketWriter } from './packet-writer.js';
import { shiftReference } from './references.js';
import { inTrain } from './rtt.js';

/**
 * RFC 9002 §6.2.4: a probe carries the oldest data that waits for its acknowledgement; where packets get
 * lost as much of it as fits, so that the first probe to get through delivers what a burst took. What is known to be
 * lost comes with the new data behind it.
 */
export function writeProbe(core: Core, writer: PacketWriter, f: number): void {
  const streams = core.sendStreams.words;
  const most = inTrain(core.flows, f) ? PROBE_MESSAGES_MAX : 1;
  for (
    let stream = core.flows[f + L.F_SEND_STREAMS];
    stream !== 0;
    stream = streams[stream + L.S_FLOW_NEXT]
  ) {
    if ((streams[stream + L.S_KEY] & 3) >= 2 && !writeUnacked(core, writer, f, stream, most)) {
      return;
    }
  }
}

/** Messages of the stream that are in flight, the oldest first; false when it is enough. */
function writeUnacked(
  core: Core,
  writer: PacketWriter,
  f: number,
  stream: number,
  most: number,
): boolean {
  let left = most;
  let message = core.sendStreams.words[stream + L.S_SENT_HEAD];
  for (let looked = 0; message !== 0 && looked < PROBE_MESSAGES_MAX; looked += 1) {
    const words = core.messages.words;
    const next = words[message + L.M_NEXT];
    const fragment = firstInFlight(core, message);
    if (fragment >= 0) {
      if (!writer.writeMessage(core, message, fragment, false)) {
        return false;
      }
      core.flows[f + L.F_RESENDS] += 1;
      left -= 1;
      if (left === 0) {
        return false;
      }
    }
    message = next;
  }
  return true;
}

/** The first fragment of the message, 0 for a whole one, that is neither acknowledged nor lost; or −1. */
function firstInFlight(core: Core, message: number): number {
  const words = core.messages.words;
  const flags = words[message + L.M_FLAGS];
  if ((flags & L.MESSAGE_ACKED) !== 0) {
    return -1;
  }
  if (words[message + L.M_FRAGMENTS] === 0) {
    return (flags & L.MESSAGE_RESEND) !== 0 ? -1 : 0;
  }
  const bits = words[message + L.M_FRAGMENT_BITS];
  const sent = words[message + L.M_NEXT_FRAGMENT];
  for (let index = 0; index << 5 < sent; index += 1) {
    const open = ~(core.blocks.words[bits + index] | core.blocks.words[bits + 8 + index]);
    if (open !== 0) {
      const fragment = (index << 5) + 31 - Math.clz32(open & -open);
      return fragment < sent ? fragment : -1;
    }
  }
  return -1;
}

/**
 * Writes the first of the stream's lost messages or fragments that is still wanted: 0 when there is
 * none, −1 when it does not fit.
 */
export function writeResend(core: Core, writer: PacketWriter, f: number, stream: number): number {
  const streams = core.sendStreams.words;
  while (streams[stream + L.S_RESEND_HEAD] !== 0) {
    const node = streams[stream + L.S_RESEND_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const fragment = words[node + L.N_FRAGMENT];
    const wanted = isOutstanding(core, message, words[node + L.N_GENERATION], fragment);
    if (wanted) {
      if (!writer.writeMessage(core, message, fragment, false)) {
        return -1;
      }
      clearResend(core, message, fragment);
      core.flows[f + L.F_RESENDS] += 1;
    }
    shiftReference(core, streams, stream + L.S_RESEND_HEAD);
    if (wanted) {
      return frameBytes(core, message, fragment);
    }
  }
  return 0;
}
