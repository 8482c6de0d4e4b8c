/** RL1 as bytes, by docs/wire/rl1.md; deliberately able to write what the document forbids. */

export interface AckFields {
  largest: number;
  delay: number;
  run: number;
  bitmap: number[];
}

export interface MessageFields {
  mode: number;
  channel: number;
  id: number;
  fragment: { index: number; count: number } | null;
  data: Uint8Array;
}

/** A frame in bytes, given whether it is the last of its packet. */
export type FrameWriter = (last: boolean) => number[];

export function u16(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

export function u32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}

/** LEB128 in the shortest form. */
export function leb128(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

/** First byte, channel, id, index and count of a message frame. */
export function messageHead(fields: MessageFields, last: boolean): number[] {
  const { mode, channel, id, fragment } = fields;
  const first =
    0x80 | (fragment ? 0x40 : 0) | (last ? 0x20 : 0) | (mode << 3) | Math.min(channel, 7);
  const head = [first];
  if (channel >= 7) {
    head.push(channel);
  }
  if (mode !== 0 || fragment) {
    head.push(...u16(id));
  }
  if (fragment) {
    head.push(fragment.index & 0xff, (fragment.count - 1) & 0xff);
  }
  return head;
}

export function messageFrame(fields: MessageFields): FrameWriter {
  return (last) => [
    ...messageHead(fields, last),
    ...(last ? [] : leb128(fields.data.length)),
    ...fields.data,
  ];
}

export function closeFrame(code: number, reason: readonly number[]): FrameWriter {
  return () => [4, ...u16(code), reason.length & 0xff, ...reason];
}

export function packetBytes(
  sequence: number,
  timestamp: number | null,
  ack: AckFields | null,
  frames: readonly FrameWriter[],
): Uint8Array {
  const bytes = [0x40, ...u16(sequence)];
  if (timestamp !== null) {
    bytes[0] = 0x60;
    bytes.push(...u16(timestamp));
  }
  if (ack !== null) {
    bytes[0] = (bytes[0] ?? 0) | 0x10 | (ack.bitmap.length & 15);
    bytes.push(...u16(ack.largest), ack.delay & 0xff, ack.run & 0xff, ...ack.bitmap);
  }
  frames.forEach((frame, index) => {
    bytes.push(...frame(index === frames.length - 1));
  });
  return new Uint8Array(bytes);
}

/** The block for these numbers, of which `largest` is the newest. */
export function ackFor(received: ReadonlySet<number>, largest: number, delay: number): AckFields {
  const has = (number: number) => received.has(number & 0xffff);
  let run = 0;
  while (run < 255 && has(largest - run - 1)) {
    run += 1;
  }
  const first = largest - run - (run === 255 ? 1 : 2);
  const bitmap: number[] = [];
  for (let byte = 0; byte < 15; byte += 1) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      bits |= has(first - 8 * byte - bit) ? 1 << bit : 0;
    }
    bitmap.push(bits);
  }
  while (bitmap.length > 0 && bitmap[bitmap.length - 1] === 0) {
    bitmap.pop();
  }
  return { largest, delay, run, bitmap };
}

export interface ParamsFields {
  version: number;
  flags: number;
  channels: number;
  partials: number;
  window: number;
  maxAckDelayMs: number;
  unreliableBytes: number;
  reliableBytes: number;
  budgetBytes: number;
}

export const PARAMS: Readonly<ParamsFields> = {
  version: 1,
  flags: 0,
  channels: 32,
  partials: 8,
  window: 512,
  maxAckDelayMs: 25,
  unreliableBytes: 16384,
  reliableBytes: 262144,
  budgetBytes: 524288,
};

export function paramsBytes(fields: ParamsFields): Uint8Array {
  return new Uint8Array([
    ...[0x47, 0x47, 0x52, 0x4c, 0x31, fields.version, fields.flags],
    ...[fields.channels, fields.partials, 0],
    ...u16(fields.window),
    ...u16(fields.maxAckDelayMs),
    ...u16(fields.unreliableBytes),
    ...u32(fields.reliableBytes),
    ...u32(fields.budgetBytes),
    ...u32(0),
  ]);
}
