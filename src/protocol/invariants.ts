import { assert } from '../util/assert.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { findDeadline } from './timers.js';

/** What the pools have handed out, all flows together; everything is 0 after the last freeFlow. */
export interface PoolUsage {
  sendStreams: number;
  receiveStreams: number;
  messages: number;
  packets: number;
  references: number;
  held: number;
  blockWords: number;
  /** Bytes of messages to be sent, in chunks. */
  sendBytes: number;
  /** Bytes of received messages that wait, in chunks. */
  receiveBytes: number;
  /** Bytes promised to messages in pieces. */
  reservedBytes: number;
}

export function readPools(core: Core): PoolUsage {
  return {
    sendStreams: core.sendStreams.used,
    receiveStreams: core.receiveStreams.used,
    messages: core.messages.used,
    packets: core.packets.used,
    references: core.references.used,
    held: core.held.used,
    blockWords: core.blocks.usedWords,
    sendBytes: core.sendBytes.usedBytes,
    receiveBytes: core.receiveBytes.usedBytes,
    reservedBytes: core.reservedBytes,
  };
}

/** For tests and the simulator: throws when the structures of any flow contradict each other. */
export function checkInvariants(core: Core): void {
  core.sendStreams.checkInvariants();
  core.receiveStreams.checkInvariants();
  core.messages.checkInvariants();
  core.packets.checkInvariants();
  core.references.checkInvariants();
  core.held.checkInvariants();
  core.wheel.checkInvariants();
  for (let f = 0; f < core.flows.length; f += L.FLOW_STRIDE) {
    if (core.flows[f + L.F_STATE] === L.STATE_READY) {
      checkFlow(core, f);
    }
    if (findDeadline(core, f) && (core.flows[f + L.F_FLAGS] & L.FLAG_DIRTY) === 0) {
      const stands = core.wheel.standsBy(f >> L.FLOW_STRIDE_LOG2, core.flowDeadlineUs);
      assert(stands, 'the timer wheel looks at a flow by its earliest deadline');
    }
  }
}

function checkFlow(core: Core, f: number): void {
  const flows = core.flows;
  let inFlight = 0;
  let bytes = 0;
  for (let cell = 0; cell < 1 << flows[f + L.F_SENT_RING_LOG2]; cell += 1) {
    const packet = core.blocks.words[flows[f + L.F_SENT_RING] + (cell << 1)];
    if (packet > 0 && (core.packets.words[packet + L.P_FLAGS] & L.PACKET_LOST) === 0) {
      inFlight += 1;
      bytes += core.packets.words[packet + L.P_BYTES];
    }
  }
  assert(inFlight === flows[f + L.F_IN_FLIGHT], 'in flight = records in the sent ring');
  assert(bytes === flows[f + L.F_BYTES_IN_FLIGHT], 'bytes in flight = those of the records');
  assert(flows[f + L.F_SPAN_BYTES] <= flows[f + L.F_PEER_BUDGET], 'the sender’s rule: bytes');
  assert(
    flows[f + L.F_SPAN_PARTIALS] <= flows[f + L.F_PEER_PARTIALS],
    'the sender’s rule: partials',
  );
  assert(flows[f + L.F_HELD_BYTES] <= core.limits.receiveBudgetBytes, 'held bytes in budget');
  const streams = core.sendStreams.words;
  let unacked = 0;
  let spanBytes = 0;
  for (
    let stream = flows[f + L.F_SEND_STREAMS];
    stream !== 0;
    stream = streams[stream + L.S_FLOW_NEXT]
  ) {
    if ((streams[stream + L.S_KEY] & 3) < 2) {
      continue;
    }
    unacked += countList(core, streams[stream + L.S_UNSENT_HEAD], false);
    unacked += countList(core, streams[stream + L.S_SENT_HEAD], false);
    spanBytes += countList(core, streams[stream + L.S_SENT_HEAD], true);
  }
  assert(unacked === flows[f + L.F_UNACKED_COUNT], 'unacknowledged messages add up');
  assert(spanBytes === flows[f + L.F_SPAN_BYTES], 'bytes since the oldest unacknowledged add up');
}

function countList(core: Core, head: number, bytes: boolean): number {
  const words = core.messages.words;
  let sum = 0;
  for (let message = head; message !== 0; message = words[message + L.M_NEXT]) {
    if (bytes) {
      sum += words[message + L.M_LENGTH];
    } else if ((words[message + L.M_FLAGS] & L.MESSAGE_ACKED) === 0) {
      sum += 1;
    }
  }
  return sum;
}
