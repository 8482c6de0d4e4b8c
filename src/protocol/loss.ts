import { LOSS_SHARE_LOG2, PACKET_THRESHOLD_MAX } from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { sequenceCell } from '../util/sequence-buffer.js';
import { timeReached } from '../util/time.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { rateOnLost } from './rate.js';
import { loseTracked } from './receipts.js';
import { pushReference } from './references.js';
import { lossDelayUs } from './rtt.js';
import { activate, unblockAll } from './schedule.js';

/**
 * RFC 9002 §6.1: a packet older than the largest acknowledged one is lost when it is behind by the
 * packet threshold or was sent longer ago than the time threshold. Packets are sent in order, so
 * the first survivor ends the search and sets the loss timer.
 */
export function detectLost(core: Core, f: number, nowUs: number): void {
  const flows = core.flows;
  flows[f + L.F_FLAGS] &= ~L.FLAG_LOSS_TIMER;
  if ((flows[f + L.F_FLAGS] & L.FLAG_ACKED) === 0) {
    return;
  }
  const ring = flows[f + L.F_SENT_RING];
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const largest = flows[f + L.F_LARGEST_ACKED];
  const delayUs = lossDelayUs(flows, f);
  const packets = core.packets.words;
  let sequence = oldestInReach(flows, f);
  while (flows[f + L.F_IN_FLIGHT] > 0 && sequenceDistance(largest, sequence) > 0) {
    const packet = core.blocks.words[sequenceCell(ring, mask, sequence)];
    if (packet > 0 && (packets[packet + L.P_FLAGS] & L.PACKET_LOST) === 0) {
      const lostAtUs = (packets[packet + L.P_SENT_US] + delayUs) | 0;
      if (
        sequenceDistance(largest, sequence) < flows[f + L.F_PACKET_THRESHOLD] &&
        !timeReached(nowUs, lostAtUs)
      ) {
        flows[f + L.F_LOSS_US] = lostAtUs;
        flows[f + L.F_FLAGS] |= L.FLAG_LOSS_TIMER;
        break;
      }
      declareLost(core, f, packet, sequence);
    }
    sequence = (sequence + 1) & 0xffff;
  }
  noteOldest(core, f, sequence);
}

/** The first packet in flight from `from` on: the probe timer counts from when it was sent. */
function noteOldest(core: Core, f: number, from: number): void {
  const flows = core.flows;
  const ring = flows[f + L.F_SENT_RING];
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  const packets = core.packets.words;
  let sequence = from;
  while (sequence !== next) {
    const packet = core.blocks.words[sequenceCell(ring, mask, sequence)];
    if (packet > 0 && (packets[packet + L.P_FLAGS] & L.PACKET_LOST) === 0) {
      flows[f + L.F_OLDEST_SENT_US] = packets[packet + L.P_SENT_US];
      break;
    }
    sequence = (sequence + 1) & 0xffff;
  }
  flows[f + L.F_OLDEST] = sequence;
}

/** Where a search for packets in flight begins: older cells belong to newer numbers by now. */
export function oldestInReach(flows: Int32Array, f: number): number {
  const next = flows[f + L.F_NEXT_SEQUENCE];
  const reach = 1 << flows[f + L.F_SENT_RING_LOG2];
  const oldest = flows[f + L.F_OLDEST];
  return ((next - oldest) & 0xffff) > reach ? (next - reach) & 0xffff : oldest;
}

/**
 * What it carried goes into the resend queue; the record stays, a late acknowledgement may come.
 */
export function declareLost(core: Core, f: number, packet: number, sequence: number): void {
  const flows = core.flows;
  const words = core.packets.words;
  words[packet + L.P_FLAGS] |= L.PACKET_LOST;
  flows[f + L.F_IN_FLIGHT] -= 1;
  flows[f + L.F_LOST] += 1;
  flows[f + L.F_LOSS_Q16] += (0x10000 - flows[f + L.F_LOSS_Q16]) >> LOSS_SHARE_LOG2;
  rateOnLost(flows, f, sequence, words[packet + L.P_BYTES]);
  const message = words[packet + L.P_MESSAGE];
  if (message !== 0) {
    // References beyond the first were linked newest first; together they resend in a stable order.
    queueResend(core, f, message, words[packet + L.P_GENERATION], words[packet + L.P_FRAGMENT]);
    const references = core.references;
    for (let node = words[packet + L.P_REFERENCES]; node !== 0; ) {
      queueResend(
        core,
        f,
        references.words[node + L.N_MESSAGE],
        references.words[node + L.N_GENERATION],
        references.words[node + L.N_FRAGMENT],
      );
      node = references.words[node + L.N_NEXT];
    }
  }
}

/**
 * An acknowledgement of a packet that had been given up: be slower to give up (RFC 9002 §6.1.1), in
 * packets and in time, each bounded.
 */
export function onSpuriousLoss(
  flows: Int32Array,
  f: number,
  sequence: number,
  sentUs: number,
  arrivalUs: number,
): void {
  flows[f + L.F_SPURIOUS] += 1;
  const share = flows[f + L.F_LOSS_Q16];
  const undone = share - ((0x10000 - share) >> LOSS_SHARE_LOG2);
  flows[f + L.F_LOSS_Q16] = undone > 0 ? undone : 0;
  const distance = sequenceDistance(flows[f + L.F_LARGEST_ACKED], sequence) + 1;
  const wanted = distance > PACKET_THRESHOLD_MAX ? PACKET_THRESHOLD_MAX : distance;
  if (wanted > flows[f + L.F_PACKET_THRESHOLD]) {
    flows[f + L.F_PACKET_THRESHOLD] = wanted;
  }
  const srttUs = flows[f + L.F_SRTT_US];
  const lateUs = ((arrivalUs - sentUs) | 0) - srttUs;
  if (lateUs > flows[f + L.F_REORDER_US]) {
    flows[f + L.F_REORDER_US] = lateUs < srttUs ? lateUs : srttUs;
  }
}

/** True while the reference names a message that still waits for this acknowledgement. */
export function isOutstanding(
  core: Core,
  message: number,
  generation: number,
  fragment: number,
): boolean {
  const words = core.messages.words;
  if (
    words[message + L.M_GENERATION] !== generation ||
    (words[message + L.M_FLAGS] & L.MESSAGE_ACKED) !== 0
  ) {
    return false;
  }
  if (words[message + L.M_FRAGMENTS] === 0) {
    return true;
  }
  const bits = words[message + L.M_FRAGMENT_BITS];
  return (core.blocks.words[bits + (fragment >> 5)] & (1 << (fragment & 31))) === 0;
}

/** The packet that carried it is lost: it waits in its stream to be sent again. */
function queueResend(
  core: Core,
  f: number,
  message: number,
  generation: number,
  fragment: number,
): void {
  if (!isOutstanding(core, message, generation, fragment)) {
    return;
  }
  const words = core.messages.words;
  if ((words[message + L.M_FLAGS] & L.MESSAGE_TRACKED) !== 0) {
    loseTracked(core, f, message);
    return;
  }
  if (words[message + L.M_FRAGMENTS] === 0) {
    if ((words[message + L.M_FLAGS] & L.MESSAGE_RESEND) !== 0) {
      return;
    }
    words[message + L.M_FLAGS] |= L.MESSAGE_RESEND;
  } else {
    const at = words[message + L.M_FRAGMENT_BITS] + 8 + (fragment >> 5);
    const bit = 1 << (fragment & 31);
    if ((core.blocks.words[at] & bit) !== 0) {
      return;
    }
    core.blocks.words[at] |= bit;
  }
  const stream = words[message + L.M_STREAM];
  const streams = core.sendStreams.words;
  pushReference(core, streams, stream + L.S_RESEND_HEAD, message, generation, fragment);
  if (streams[stream + L.S_STATE] === L.STREAM_BLOCKED) {
    unblockAll(core, f);
  } else if (streams[stream + L.S_STATE] === L.STREAM_IDLE) {
    activate(core, f, stream);
  }
}

/** The fragment or message leaves the resend queue. */
export function clearResend(core: Core, message: number, fragment: number): void {
  const words = core.messages.words;
  if (words[message + L.M_FRAGMENTS] === 0) {
    words[message + L.M_FLAGS] &= ~L.MESSAGE_RESEND;
  } else {
    const at = words[message + L.M_FRAGMENT_BITS] + 8 + (fragment >> 5);
    core.blocks.words[at] &= ~(1 << (fragment & 31));
  }
}
