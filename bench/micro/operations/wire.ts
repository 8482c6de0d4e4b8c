/** RL1's header, acknowledgement block and packets, as bytes. */
import { historySet, writeAckBlock } from '../../../src/protocol/ack-block.js';
import { MODE_UNRELIABLE } from '../../../src/protocol/api.js';
import { Core } from '../../../src/protocol/core.js';
import { PacketHeader, parseHeader } from '../../../src/protocol/header.js';
import * as L from '../../../src/protocol/layout.js';
import { PacketWriter } from '../../../src/protocol/packet-writer.js';
import { ackWasSent } from '../../../src/protocol/receive-ack.js';
import { freePacket } from '../../../src/protocol/sent-packets.js';
import { PACKET_BYTES } from '../../../src/util/limits.js';
import type { Operation } from './operation.js';

const NOW_US = 5_000_000;
const LARGEST = 1_000;
/** Packets below it, down to the floor. */
const RUN = 60;
/** Bytes of an Echo. */
const MESSAGE_BYTES = 100;
const MESSAGES = 8;
/** H, seq, timestamp; largest, delay, run. */
const HEADER_BYTES = 5 + 4;
/** Flags, length. */
const FRAME_BYTES = 2;

export function wireOperations(): Operation[] {
  return [
    headerWrite(),
    headerRead(),
    ackWrite('nothing missing', []),
    ackWrite('every fifth of 60 missing', everyFifth()),
    ackRead('nothing missing', []),
    ackRead('every fifth of 60 missing', everyFifth()),
    packetWrite(1),
    packetWrite(MESSAGES),
  ];
}

/** A flow that has received up to `LARGEST`, but for those so far behind it. */
function coreWith(missing: readonly number[]): Core {
  const core = new Core({ maxFlows: 1, seed: 1, registryHash: 1, maxAckDelayUs: 25_000 });
  const { flows } = core;
  flows[L.F_FLAGS] = L.FLAG_RECEIVED;
  flows[L.F_NEXT_SEQUENCE] = LARGEST;
  flows[L.F_RX_LARGEST] = LARGEST;
  flows[L.F_RX_LARGEST_ARRIVAL_US] = NOW_US - 1_000;
  flows[L.F_RX_FLOOR] = LARGEST - RUN - 1;
  for (let back = 0; back <= RUN; back += 1) {
    if (!missing.includes(back)) historySet(flows, L.F_RX_BITS, LARGEST - back);
  }
  return core;
}

function everyFifth(): number[] {
  return Array.from({ length: 11 }, (_, index) => 5 * (index + 1));
}

function headerWrite(): Operation {
  const core = coreWith([]);
  const writer = new PacketWriter();
  const out = new Uint8Array(PACKET_BYTES);
  return {
    group: 'header',
    name: 'write, with timestamp and acknowledgement',
    run: () => {
      writer.begin(core, 0, NOW_US, out, 0, out.length, true);
      return writer.length + out[1] - (LARGEST & 0xff);
    },
    expected: HEADER_BYTES,
    bytes: HEADER_BYTES,
  };
}

function headerRead(): Operation {
  const writer = new PacketWriter();
  const bytes = new Uint8Array(PACKET_BYTES);
  writer.begin(coreWith([]), 0, NOW_US, bytes, 0, bytes.length, true);
  const { length } = writer;
  const header = new PacketHeader();
  return {
    group: 'header',
    name: 'read, with timestamp and acknowledgement',
    run: () => {
      const reason = parseHeader(bytes, 0, length, header);
      return header.sequence + header.largest + header.run + header.bodyOffset + reason;
    },
    expected: LARGEST + LARGEST + RUN + HEADER_BYTES,
    bytes: length,
  };
}

function ackWrite(what: string, missing: readonly number[]): Operation {
  const { flows } = coreWith(missing);
  const out = new Uint8Array(64);
  const run = missing.length === 0 ? RUN : missing[0] - 1;
  // Bit 0 stands for the second below the run, the last bit for the first above the floor.
  const bitmapBytes = missing.length === 0 ? 0 : Math.ceil((RUN - run - 1) / 8);
  return {
    group: 'ack',
    name: `encode, ${what}`,
    run: () => {
      const floor = flows[L.F_RX_FLOOR];
      const used = writeAckBlock(flows, L.F_RX_BITS, LARGEST, floor, 1, out, 0);
      return out[3] * 256 + used;
    },
    expected: run * 256 + bitmapBytes,
    bytes: 4 + bitmapBytes,
  };
}

/** The block is parsed and checked against what was sent; what then follows is `bench:core`'s `ack`. */
function ackRead(what: string, missing: readonly number[]): Operation {
  const writer = new PacketWriter();
  const bytes = new Uint8Array(PACKET_BYTES);
  writer.begin(coreWith(missing), 0, NOW_US, bytes, 0, bytes.length, false);
  const { length } = writer;
  const sender = new Core({ maxFlows: 1, seed: 1, registryHash: 1, maxAckDelayUs: 25_000 });
  sender.flows[L.F_NEXT_SEQUENCE] = LARGEST + 5;
  sender.flows[L.F_SEQUENCES_USED] = 500;
  const header = new PacketHeader();
  return {
    group: 'ack',
    name: `decode and check, ${what}`,
    run: () => {
      if (parseHeader(bytes, 0, length, header) !== 0) return -1;
      return ackWasSent(sender, 0, header, bytes) ? header.largest + header.run : -2;
    },
    expected: LARGEST + (missing.length === 0 ? RUN : missing[0] - 1),
    bytes: length - 3,
  };
}

/** The packet is never sent: its record is given back, as that of an acknowledged one is. */
function packetWrite(messages: number): Operation {
  const core = coreWith([]);
  const message = unreliableMessage(core);
  const writer = new PacketWriter();
  const out = new Uint8Array(PACKET_BYTES);
  const length = HEADER_BYTES + messages * (FRAME_BYTES + MESSAGE_BYTES) - 1;
  return {
    group: 'packet',
    name: `write, ${messages} × ${MESSAGE_BYTES} B`,
    run: () => {
      writer.begin(core, 0, NOW_US, out, 0, out.length, true);
      let written = 0;
      for (let index = 0; index < messages; index += 1) {
        if (writer.writeMessage(core, message, 0, false)) written += 1;
      }
      const bytes = writer.finish();
      freePacket(core, writer.packet);
      return bytes + written + out[bytes - 1];
    },
    expected: length + messages + 0x5a,
    bytes: length,
  };
}

function unreliableMessage(core: Core): number {
  const stream = core.sendStreams.alloc();
  core.sendStreams.words[stream + L.S_KEY] = MODE_UNRELIABLE;
  const data = core.sendBytes.alloc(MESSAGE_BYTES);
  const at = core.sendBytes.offset(data);
  core.sendBytes.page(data).fill(0x5a, at, at + MESSAGE_BYTES);
  const message = core.messages.alloc();
  const { words } = core.messages;
  words.fill(0, message, message + L.MESSAGE_STRIDE);
  words[message + L.M_STREAM] = stream;
  words[message + L.M_LENGTH] = MESSAGE_BYTES;
  words[message + L.M_DATA] = data;
  return message;
}
