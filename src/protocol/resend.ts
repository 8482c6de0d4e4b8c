import { sequenceCell } from '../util/sequence-buffer.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { clearResend, isOutstanding, oldestInReach } from './loss.js';
import { frameBytes } from './messages.js';
import type { PacketWriter } from './packet-writer.js';
import { shiftReference } from './references.js';

/** RFC 9002 §6.2.4: a probe carries the oldest data that still waits for its acknowledgement. */
export function writeProbe(core: Core, writer: PacketWriter, f: number): void {
  const flows = core.flows;
  const ring = flows[f + L.F_SENT_RING];
  const mask = (1 << flows[f + L.F_SENT_RING_LOG2]) - 1;
  const next = flows[f + L.F_NEXT_SEQUENCE];
  for (let sequence = oldestInReach(flows, f); sequence !== next; ) {
    const packet = core.blocks.words[sequenceCell(ring, mask, sequence)];
    if (packet > 0 && writeCopyOf(core, writer, f, packet)) {
      return;
    }
    sequence = (sequence + 1) & 0xffff;
  }
}

/** Writes what of the packet is outstanding; true when there was something. */
function writeCopyOf(core: Core, writer: PacketWriter, f: number, packet: number): boolean {
  const words = core.packets.words;
  const message = words[packet + L.P_MESSAGE];
  if (message === 0) {
    return false;
  }
  let written = writeCopy(
    core,
    writer,
    f,
    message,
    words[packet + L.P_GENERATION],
    words[packet + L.P_FRAGMENT],
  );
  // The writer takes references of its own, which may grow the pool: read `words` afresh.
  for (let node = core.packets.words[packet + L.P_REFERENCES]; node !== 0; ) {
    const references = core.references.words;
    const next = references[node + L.N_NEXT];
    const copied = writeCopy(
      core,
      writer,
      f,
      references[node + L.N_MESSAGE],
      references[node + L.N_GENERATION],
      references[node + L.N_FRAGMENT],
    );
    written = written || copied;
    node = next;
  }
  return written;
}

function writeCopy(
  core: Core,
  writer: PacketWriter,
  f: number,
  message: number,
  generation: number,
  fragment: number,
): boolean {
  if (
    !isOutstanding(core, message, generation, fragment) ||
    (core.messages.words[message + L.M_FLAGS] & L.MESSAGE_TRACKED) !== 0 ||
    !writer.writeMessage(core, message, fragment, false)
  ) {
    return false;
  }
  core.flows[f + L.F_RESENDS] += 1;
  return true;
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
