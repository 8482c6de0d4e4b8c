import { PACKETS_IN_FLIGHT_MAX } from '../util/limits.js';
import {
  sequenceBufferCreate,
  sequenceBufferFree,
  sequenceBufferGrow,
  sequenceCell,
} from '../util/sequence-buffer.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { declareLost } from './loss.js';
import { releaseTracked } from './receipts.js';
import { probeDeadlineUs } from './rtt.js';

/**
 * The sent ring: a sequence buffer over the packet numbers just used.
 *
 *   cell = [ packet record | 0 nothing outstanding | SKIPPED ,  largest acknowledged in it + 1 ]
 *
 * It begins with 8 cells when the first packet is sent and doubles while the next cell is still in
 * flight, up to 1024; a flow at rest goes back to 8. A record stays after its packet was declared
 * lost until it is acknowledged after all or its cell is needed.
 *
 * Invariant: F_IN_FLIGHT = records in the ring that are not PACKET_LOST.
 */
const RING_START_LOG2 = 3;
const RING_MAX_LOG2 = 31 - Math.clz32(PACKETS_IN_FLIGHT_MAX);

function openSentRing(core: Core, f: number): void {
  core.flows[f + L.F_SENT_RING] = sequenceBufferCreate(core.blocks, RING_START_LOG2);
  core.flows[f + L.F_SENT_RING_LOG2] = RING_START_LOG2;
}

/**
 * With nothing in flight a large ring is memory for nothing. What the last 8 packets reported stays
 * known; an ack of an older one is too old from here on.
 */
export function shrinkSentRing(core: Core, f: number): void {
  const flows = core.flows;
  const log2 = flows[f + L.F_SENT_RING_LOG2];
  if (log2 <= RING_START_LOG2 || flows[f + L.F_IN_FLIGHT] > 0) {
    return;
  }
  const old = flows[f + L.F_SENT_RING];
  const kept = sequenceBufferCreate(core.blocks, RING_START_LOG2);
  const cells = core.blocks.words;
  for (let back = 1; back <= 1 << log2; back += 1) {
    const sequence = flows[f + L.F_NEXT_SEQUENCE] - back;
    const from = sequenceCell(old, (1 << log2) - 1, sequence);
    if (back <= 1 << RING_START_LOG2) {
      const to = sequenceCell(kept, (1 << RING_START_LOG2) - 1, sequence);
      cells[to] = cells[from];
      cells[to + 1] = cells[from + 1];
    } else if (cells[from] > 0) {
      freePacket(core, cells[from]);
    }
  }
  sequenceBufferFree(core.blocks, old, log2);
  flows[f + L.F_SENT_RING] = kept;
  flows[f + L.F_SENT_RING_LOG2] = RING_START_LOG2;
}

/** Makes the cell of the next packet number free to use. */
export function reserveCell(core: Core, f: number): void {
  const flows = core.flows;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  if (flows[f + L.F_SENT_RING] === 0) {
    openSentRing(core, f);
  }
  for (;;) {
    const log2 = flows[f + L.F_SENT_RING_LOG2];
    const cell = sequenceCell(flows[f + L.F_SENT_RING], (1 << log2) - 1, next);
    const packet = core.blocks.words[cell];
    if (packet <= 0) {
      return;
    }
    const old = (next - (1 << log2)) & 0xffff;
    if ((core.packets.words[packet + L.P_FLAGS] & L.PACKET_LOST) === 0) {
      if (log2 < RING_MAX_LOG2) {
        flows[f + L.F_SENT_RING] = sequenceBufferGrow(
          core.blocks,
          flows[f + L.F_SENT_RING],
          log2,
          log2 + 1,
          (next - 1) & 0xffff,
        );
        flows[f + L.F_SENT_RING_LOG2] = log2 + 1;
        continue;
      }
      declareLost(core, f, packet, old);
    }
    core.blocks.words[cell] = 0;
    freePacket(core, packet);
    return;
  }
}

/** Notes what went out under the next number and moves on; now and then a number is skipped. */
export function commitPacket(
  core: Core,
  f: number,
  nowUs: number,
  packet: number,
  ackLargest: number,
): void {
  const flows = core.flows;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const cell = sequenceCell(flows[f + L.F_SENT_RING], mask, next);
  const words = core.blocks.words;
  words[cell] = packet;
  words[cell + 1] = ackLargest + 1;
  if (packet !== 0) {
    core.packets.words[packet + L.P_SENT_US] = nowUs;
    flows[f + L.F_IN_FLIGHT] += 1;
    if (flows[f + L.F_IN_FLIGHT] === 1) {
      flows[f + L.F_OLDEST] = next;
      flows[f + L.F_OLDEST_SENT_US] = nowUs;
      flows[f + L.F_PROGRESS_US] = nowUs;
      flows[f + L.F_PROBED_US] = nowUs;
      core.wheel.scheduleNotLater(f >> L.FLOW_STRIDE_LOG2, probeDeadlineUs(flows, f));
    } else if ((flows[f + L.F_FLAGS] & L.FLAG_HAS_RTT) === 0) {
      flows[f + L.F_OLDEST_SENT_US] = nowUs; // The timeout is a guess: not while we still speak.
    }
  }
  advance(flows, f);
  flows[f + L.F_SKIP_IN] -= 1;
  if (flows[f + L.F_SKIP_IN] <= 0) {
    reserveCell(core, f);
    const skipped = sequenceCell(
      flows[f + L.F_SENT_RING],
      (1 << flows[f + L.F_SENT_RING_LOG2]) - 1,
      flows[f + L.F_NEXT_SEQUENCE],
    );
    core.blocks.words[skipped] = L.CELL_SKIPPED;
    core.blocks.words[skipped + 1] = 0;
    advance(flows, f);
    scheduleSkip(core, f);
  }
}

/** After 64–512 packets the next number is left out: an optimistic acknowledger will name it. */
export function scheduleSkip(core: Core, f: number): void {
  core.flows[f + L.F_SKIP_IN] = 64 + core.prng.below(449);
}

function advance(flows: Int32Array, f: number): void {
  flows[f + L.F_NEXT_SEQUENCE] = (flows[f + L.F_NEXT_SEQUENCE] + 1) & 0xffff;
  if (flows[f + L.F_SEQUENCES_USED] < 0x7fff) {
    flows[f + L.F_SEQUENCES_USED] += 1;
  }
}

/** Frees the record and its references. */
export function freePacket(core: Core, packet: number): void {
  const references = core.references;
  let node = core.packets.words[packet + L.P_REFERENCES];
  while (node !== 0) {
    const next = references.words[node + L.N_NEXT];
    references.free(node);
    node = next;
  }
  core.packets.free(packet);
}

/** A fresh record without references. */
export function allocPacket(core: Core): number {
  const packet = core.packets.alloc();
  const words = core.packets.words;
  words[packet + L.P_FLAGS] = 0;
  words[packet + L.P_REFERENCES] = 0;
  words[packet + L.P_MESSAGE] = 0;
  return packet;
}

/** The packet carries this reliable message, or this fragment of it. */
export function addReference(core: Core, packet: number, message: number, fragment: number): void {
  const packets = core.packets.words;
  const generation = core.messages.words[message + L.M_GENERATION];
  if (packets[packet + L.P_MESSAGE] === 0) {
    packets[packet + L.P_MESSAGE] = message;
    packets[packet + L.P_GENERATION] = generation;
    packets[packet + L.P_FRAGMENT] = fragment;
    return;
  }
  const node = core.references.alloc();
  const words = core.references.words;
  words[node + L.N_NEXT] = packets[packet + L.P_REFERENCES];
  words[node + L.N_MESSAGE] = message;
  words[node + L.N_GENERATION] = generation;
  words[node + L.N_FRAGMENT] = fragment;
  packets[packet + L.P_REFERENCES] = node;
}

/** Frees every record of the flow and the ring itself. */
export function closeSentRing(core: Core, f: number): void {
  const flows = core.flows;
  const ring = flows[f + L.F_SENT_RING];
  if (ring === 0) {
    return;
  }
  const log2 = flows[f + L.F_SENT_RING_LOG2];
  for (let index = 0; index < 1 << log2; index += 1) {
    const packet = core.blocks.words[ring + (index << 1)];
    if (packet > 0) {
      releaseMessages(core, packet);
      freePacket(core, packet);
    }
  }
  sequenceBufferFree(core.blocks, ring, log2);
  flows[f + L.F_SENT_RING] = 0;
  flows[f + L.F_IN_FLIGHT] = 0;
  flows[f + L.F_BYTES_IN_FLIGHT] = 0;
}

/** Messages that only their packets still knew. */
function releaseMessages(core: Core, packet: number): void {
  const words = core.packets.words;
  releaseTracked(core, words[packet + L.P_MESSAGE], words[packet + L.P_GENERATION]);
  for (let node = words[packet + L.P_REFERENCES]; node !== 0; ) {
    const references = core.references.words;
    releaseTracked(core, references[node + L.N_MESSAGE], references[node + L.N_GENERATION]);
    node = references[node + L.N_NEXT];
  }
}
