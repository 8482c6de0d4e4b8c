/** What a Protocol writes, frame by frame, before anything is sealed. */
import { FRAME_MESSAGE, ParsedFrames, parseFrames } from '../protocol/frames.js';
import { PacketHeader, parseHeader } from '../protocol/header.js';
import { FRAME_STRIDE, X_COUNT, X_ID, X_INDEX, X_KEY, X_TYPE } from '../protocol/layout.js';
import { isParams } from '../protocol/params.js';
import type { Protocol } from '../protocol/protocol.js';

const LIMITS = { channels: 255, messageBytes: 1 << 18, unreliableMessageBytes: 1 << 18 };

export interface WireWatcher {
  /** A packet of the node's flow `slot` is written; false takes it away unseen. */
  packet(node: number, slot: number, sequence: number): boolean;
  /** A frame of it: `key` is channel · 4 + mode; `id` is −1 without one, `piece` 0 unless in pieces. */
  message(node: number, slot: number, key: number, id: number, piece: number): boolean;
}

/** The same Protocol, watched. */
export function tapped(protocol: Protocol, node: number, watcher: WireWatcher): Protocol {
  const header = new PacketHeader();
  const frames = new ParsedFrames();
  const transmitNext = protocol.transmitNext.bind(protocol);
  protocol.transmitNext = (nowUs, bytes, offset, capacity) => {
    const slot = protocol.nextTransmitSlot;
    const length = transmitNext(nowUs, bytes, offset, capacity);
    if (length === 0 || isParams(bytes, offset, length)) return length;
    parseHeader(bytes, offset, length, header);
    parseFrames(bytes, header.bodyOffset, offset + length, LIMITS, frames);
    let passes = watcher.packet(node, slot, header.sequence);
    for (let x = 0; x < frames.count * FRAME_STRIDE; x += FRAME_STRIDE) {
      const { words } = frames;
      if (words[x + X_TYPE] < FRAME_MESSAGE) continue;
      const key = words[x + X_KEY];
      const isWhole = words[x + X_COUNT] === 0;
      const id = (key & 3) === 0 && isWhole ? -1 : words[x + X_ID];
      const piece = isWhole ? 0 : words[x + X_INDEX];
      if (!watcher.message(node, slot, key, id, piece)) passes = false;
    }
    return passes ? length : 0;
  };
  return protocol;
}

/** Counts how often each message, or piece of one, was written. Ids are used once in its time. */
export class CopyCounter implements WireWatcher {
  private readonly counts = new Map<string, number>();

  packet(): boolean {
    return true;
  }

  message(node: number, slot: number, key: number, id: number, piece: number): boolean {
    if (id < 0) return true;
    const name = `${node}.${slot} ${key} ${id} ${piece}`;
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    return true;
  }

  get messages(): number {
    return this.counts.size;
  }

  /** Of the message that was written most often. */
  get most(): number {
    return Math.max(0, ...this.counts.values());
  }

  /** Beyond the first of each. */
  get copies(): number {
    let sum = 0;
    for (const count of this.counts.values()) sum += count - 1;
    return sum;
  }
}

/** Counts the wraps of packet numbers and of message ids. */
export class WrapCounter implements WireWatcher {
  packets = 0;
  messages = 0;
  private readonly last = new Map<string, number>();

  packet(node: number, slot: number, sequence: number): boolean {
    if (this.wraps(`${node}.${slot}`, sequence)) this.packets += 1;
    return true;
  }

  message(node: number, slot: number, key: number, id: number): boolean {
    if (id >= 0 && this.wraps(`${node}.${slot} ${key}`, id)) this.messages += 1;
    return true;
  }

  private wraps(name: string, value: number): boolean {
    const last = this.last.get(name) ?? value;
    const ahead = ((value - last) << 16) >> 16;
    if (ahead >= 0) this.last.set(name, value);
    return ahead > 0 && value < last;
  }
}
