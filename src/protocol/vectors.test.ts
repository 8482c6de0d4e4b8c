import { readFileSync } from 'node:fs';
import t from 'tap';
import { historySet, writeAckBlock } from './ack-block.js';
import { CHANNEL_PRIORITY_DEFAULT } from './api.js';
import { Core } from './core.js';
import { DROP_REASON_NAMES } from './drop-reason.js';
import { openFlow } from './flow.js';
import { ParsedFrames, parseFrames } from './frames.js';
import { PacketHeader, parseHeader } from './header.js';
import * as L from './layout.js';
import { PacketWriter } from './packet-writer.js';
import { isParams, PARAMS_BYTES, Params, parseParams, readI32, writeParams } from './params.js';
import { Protocol, ROLE_SERVER } from './protocol.js';
import { sendMessage } from './send.js';

interface AckVector {
  name: string;
  received: number[];
  floor: number;
  ackDelay: number;
  bitmapBytes: number;
  block: string;
  named: number[];
}

interface FrameVector {
  type: string;
  mode: number;
  channel: number;
  id: number;
  index: number;
  count: number;
  data: string;
  t0: number;
  t1: number;
  t2: number;
  code: number;
  reason: string;
}

interface PacketVector {
  name: string;
  hex: string;
  sequence: number;
  timestamp: number | null;
  ack: { delay: number; run: number; bitmapBytes: number; named: number[] } | null;
  frames: FrameVector[];
}

interface RefusedVector {
  reason: string;
  name: string;
  hex: string;
}

function vectors<T>(name: string): T {
  const url = new URL(`../../test/vectors/rl1/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function newCore(limits: object = {}): Core {
  return new Core({ maxFlows: 2, seed: 1, registryHash: 0, maxAckDelayUs: 25_000, limits });
}

/** The numbers that a parsed header acknowledges, by the words of docs/wire/rl1.md §3. */
function namedBy(header: PacketHeader, bytes: Uint8Array): number[] {
  const named: number[] = [];
  for (let back = 0; back <= header.run; back += 1) {
    named.push((header.largest - back) & 0xffff);
  }
  const below = header.run === 255 ? 256 : header.run + 2;
  for (let index = 0; index < header.bitmapBytes * 8; index += 1) {
    if (((bytes[header.bitmapOffset + (index >> 3)] ?? 0) >> (index & 7)) & 1) {
      named.push((header.largest - below - index) & 0xffff);
    }
  }
  return named;
}

const PARAMS_READY = vectors<{ taken: { hex: string }[] }>('params').taken[0]?.hex ?? '';

/** A server flow past its PARAMS exchange. */
function readyServer(): Protocol {
  const protocol = new Protocol({ maxFlows: 1, seed: 1, registryHash: 0, maxAckDelayUs: 25_000 });
  protocol.openFlow(0, ROLE_SERVER, 0, 1200);
  const hello = bytesOf(PARAMS_READY);
  protocol.handlePacket(0, 0, 0, hello, 0, hello.length);
  while (protocol.pollEvent() !== 0) {}
  const out = new Uint8Array(1200);
  while (protocol.pollTransmit(0, out, 0, out.length) > 0) {}
  return protocol;
}

t.test('ack blocks are written as the vectors say', async (t) => {
  for (const vector of vectors<AckVector[]>('ack-blocks')) {
    const words = new Int32Array(16);
    let largest = vector.received[0] ?? 0;
    for (const sequence of vector.received) {
      historySet(words, 0, sequence);
      if (((sequence - largest) << 16) >> 16 > 0) {
        largest = sequence;
      }
    }
    const out = new Uint8Array(19);
    const used = writeAckBlock(words, 0, largest, vector.floor, vector.ackDelay, out, 0);
    t.equal(used, vector.bitmapBytes, vector.name);
    t.equal(Buffer.from(out.subarray(0, 4 + used)).toString('hex'), vector.block, vector.name);
    const packet = bytesOf(`${(0x50 | used).toString(16)}0000${vector.block}`);
    const header = new PacketHeader();
    t.equal(parseHeader(packet, 0, packet.length, header), 0);
    t.same(namedBy(header, packet), vector.named, vector.name);
  }
});

t.test('packets are read as the vectors say', async (t) => {
  const header = new PacketHeader();
  const frames = new ParsedFrames();
  for (const vector of vectors<PacketVector[]>('packets')) {
    const bytes = bytesOf(vector.hex);
    t.equal(parseHeader(bytes, 0, bytes.length, header), 0, vector.name);
    t.equal(header.sequence, vector.sequence);
    t.equal(header.hasTimestamp ? header.timestamp : null, vector.timestamp);
    t.equal(header.hasAck, vector.ack !== null);
    if (vector.ack !== null) {
      t.equal(header.ackDelay, vector.ack.delay);
      t.equal(header.run, vector.ack.run);
      t.same(namedBy(header, bytes), vector.ack.named, vector.name);
    }
    const end = bytes.length;
    t.equal(parseFrames(bytes, header.bodyOffset, end, newCore().limits, frames), 0, vector.name);
    t.equal(frames.count, vector.frames.length, vector.name);
    vector.frames.forEach((frame, index) => {
      checkFrame(t, bytes, frames.words, index * L.FRAME_STRIDE, frame);
    });
  }
});

function checkFrame(
  t: {
    ok(v: unknown): boolean;
    equal(a: unknown, b: unknown): boolean;
    same(a: unknown, b: unknown): boolean;
  },
  bytes: Uint8Array,
  words: Int32Array,
  x: number,
  frame: FrameVector,
): void {
  const type = words[x + L.X_TYPE] ?? 0;
  const offset = words[x + L.X_OFFSET] ?? 0;
  const end = offset + (words[x + L.X_LENGTH] ?? 0);
  const data = Buffer.from(bytes.subarray(offset, end)).toString('hex');
  switch (frame.type) {
    case 'message':
      t.ok(type >= 0x80);
      t.equal(words[x + L.X_KEY] & 3, frame.mode);
      t.equal(words[x + L.X_KEY] >> 2, frame.channel);
      t.equal(words[x + L.X_ID], frame.id);
      t.equal(words[x + L.X_INDEX], frame.index);
      t.equal(words[x + L.X_COUNT], frame.count);
      t.equal(data, frame.data);
      break;
    case 'close':
      t.equal(type, 4);
      t.equal(words[x + L.X_ID], frame.code);
      t.equal(data, frame.reason);
      break;
    case 'time-request':
      t.equal(type, 2);
      t.equal(readI32(bytes, offset) >>> 0, frame.t0);
      break;
    case 'time-response':
      t.equal(type, 3);
      t.same(
        [0, 4, 8].map((at) => readI32(bytes, offset + at)),
        [frame.t0, frame.t1, frame.t2],
      );
      break;
    default: {
      const names = new Map([
        [0, 'padding'],
        [1, 'ping'],
        [8, 'rx-report'],
      ]);
      t.equal(names.get(type) ?? (type >= 0x20 && type <= 0x3f ? 'ignorable' : '?'), frame.type);
    }
  }
}

t.test('the worked example is written byte by byte', async (t) => {
  const core = newCore({ firstSequence: 3, firstMessageId: 7 });
  openFlow(core, 0, ROLE_SERVER, 0, 1200);
  const flows = core.flows;
  flows[L.F_STATE] = L.STATE_READY;
  flows[L.F_FLAGS] = (flows[L.F_FLAGS] ?? 0) | L.FLAG_RECEIVED;
  flows[L.F_RX_LARGEST] = 153;
  flows[L.F_RX_FLOOR] = 144;
  for (const sequence of [145, 147, 148, 150, 151, 152, 153]) {
    historySet(flows, L.F_RX_BITS, sequence);
  }
  sendMessage(core, 0, 0, 0, 3, new Uint8Array([1, 2, 3]), 0, 3, 0, 0, 0, 0);
  sendMessage(core, 0, 0, 2, 0, new Uint8Array([9]), 0, 1, 0, 0, 0, 0);
  const writer = new PacketWriter();
  const out = new Uint8Array(1200);
  writer.begin(core, 0, 0, out, 0, 1200, false);
  const last = flows[L.F_ACTIVE + CHANNEL_PRIORITY_DEFAULT] ?? 0;
  let stream = last;
  do {
    stream = core.sendStreams.words[stream + L.S_LIST_NEXT] ?? 0;
    const message = core.sendStreams.words[stream + L.S_UNSENT_HEAD] ?? 0;
    core.messages.words[message + L.M_ID] = 7;
    t.ok(writer.writeMessage(core, message, 0, false));
  } while (stream !== last);
  const hex = Buffer.from(out.subarray(0, writer.finish())).toString('hex');
  t.equal(hex, '510300990000030b98070003010203a209');
  t.equal(hex, vectors<PacketVector[]>('packets')[0]?.hex);
});

t.test('PARAMS are written and read as the vectors say', async (t) => {
  interface Taken {
    name: string;
    hex: string;
    fromServer: boolean;
    coarseAckDelay: boolean;
    fields: Record<string, number>;
  }
  const file = vectors<{ taken: Taken[]; refused: (RefusedVector & { fromServer: boolean })[] }>(
    'params',
  );
  for (const vector of file.taken) {
    const bytes = bytesOf(vector.hex);
    const params = new Params();
    t.ok(isParams(bytes, 0, bytes.length), vector.name);
    t.equal(parseParams(bytes, 0, bytes.length, vector.fromServer, params), 0, vector.name);
    t.equal(params.coarseAckDelay, vector.coarseAckDelay);
    for (const [name, value] of Object.entries(vector.fields)) {
      const read = params[name as keyof Params] as number;
      t.equal(name === 'registryHash' ? read >>> 0 : read, value, `${vector.name}: ${name}`);
    }
    if (bytes.length === PARAMS_BYTES) {
      const out = new Uint8Array(PARAMS_BYTES);
      t.equal(writeParams(out, 0, params, vector.fromServer), PARAMS_BYTES);
      t.equal(Buffer.from(out).toString('hex'), vector.hex, vector.name);
    }
  }
  for (const vector of file.refused) {
    const bytes = bytesOf(vector.hex);
    const reason = parseParams(bytes, 0, bytes.length, vector.fromServer, new Params());
    t.equal(DROP_REASON_NAMES[reason], vector.reason, vector.name);
  }
});

t.test('malformed packets are refused with the reason of the vector', async (t) => {
  for (const vector of vectors<RefusedVector[]>('refused')) {
    const protocol = readyServer();
    const bytes = bytesOf(vector.hex);
    const reason = protocol.handlePacket(0, 0, 0, bytes, 0, bytes.length);
    t.equal(DROP_REASON_NAMES[reason], vector.reason, vector.name);
    t.equal(protocol.counters[reason], 1);
  }
});

t.test(
  'every truncation of every vector is refused or a shorter packet, never a throw',
  async (t) => {
    let tried = 0;
    for (const vector of vectors<PacketVector[]>('packets')) {
      const bytes = bytesOf(vector.hex);
      for (let length = 0; length < bytes.length; length += 1) {
        const protocol = readyServer();
        const copy = bytes.slice(0, length);
        const reason = protocol.handlePacket(0, 0, 0, copy, 0, length);
        if (!(reason >= 0 && reason < DROP_REASON_NAMES.length)) {
          t.fail(`${vector.name} cut to ${length}`);
        }
        while (protocol.pollEvent() !== 0) {}
        tried += 1;
      }
    }
    t.ok(tried > 1000);
  },
);
