import { sequenceCell } from '../util/sequence-buffer.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import { clearResend, isOutstanding, oldestInReach, shiftReference } from './loss.js';
import type { PacketWriter } from './packet-writer.js';

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
    !writer.writeMessage(core, message, fragment, false)
  ) {
    return false;
  }
  core.flows[f + L.F_RESENDS] += 1;
  return true;
}

export function writeResends(core: Core, writer: PacketWriter, f: number): void {
  const flows = core.flows;
  while (flows[f + L.F_RESEND_HEAD] !== 0) {
    const node = flows[f + L.F_RESEND_HEAD];
    const words = core.references.words;
    const message = words[node + L.N_MESSAGE];
    const fragment = words[node + L.N_FRAGMENT];
    if (isOutstanding(core, message, words[node + L.N_GENERATION], fragment)) {
      if (!writer.writeMessage(core, message, fragment, false)) {
        return;
      }
      clearResend(core, message, fragment);
      flows[f + L.F_RESENDS] += 1;
    }
    shiftReference(core, f, L.F_RESEND_HEAD);
  }
}
