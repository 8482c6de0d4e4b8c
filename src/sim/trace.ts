/**
 * A run as text, a line for each thing that happens:
 *
 *      1042.117 c0>s    #17 ack 12+3 88 B: ordered ch0 id5 60 B, ping        arrives 1062.1
 *      1062.117 s       takes #17 from c0
 *      1062.117 s       gets c0>s number 31, 60 B
 *
 * Times are milliseconds of the world. `a>b` is something between two nodes, `a` something at one.
 */
import {
  FRAME_CLOSE,
  FRAME_FRAGMENT_BIT,
  FRAME_IGNORABLE_FIRST,
  FRAME_MESSAGE,
  FRAME_PADDING,
  FRAME_PING,
  FRAME_RX_REPORT,
  FRAME_TIME_REQUEST,
  FRAME_TIME_RESPONSE,
  ParsedFrames,
  parseFrames,
} from '../protocol/frames.js';
import { PacketHeader, parseHeader } from '../protocol/header.js';
import {
  FRAME_STRIDE,
  X_COUNT,
  X_ID,
  X_INDEX,
  X_KEY,
  X_LENGTH,
  X_TYPE,
} from '../protocol/layout.js';
import { isParams } from '../protocol/params.js';
import { FATE_CARRIED, FATE_NAMES } from './network/link.js';

/** More than any end allows: a trace shows what is wrong too. */
const LIMITS = { channels: 255, messageBytes: 1 << 18, unreliableMessageBytes: 1 << 18 };
const MODE_NAMES = ['unreliable', 'sequenced', 'unordered', 'ordered'];
const CONTROL_NAMES: Readonly<Record<number, string>> = {
  [FRAME_PADDING]: 'padding',
  [FRAME_PING]: 'ping',
  [FRAME_TIME_REQUEST]: 'time?',
  [FRAME_TIME_RESPONSE]: 'time!',
  [FRAME_CLOSE]: 'close',
  [FRAME_RX_REPORT]: 'report',
};

export class Trace {
  private readonly header = new PacketHeader();
  private readonly frames = new ParsedFrames();

  constructor(private readonly write: (line: string) => void) {}

  world(nowUs: number, text: string): void {
    this.line(nowUs, '', text);
  }

  node(nowUs: number, node: string, text: string): void {
    this.line(nowUs, node, text);
  }

  /** A datagram was given to the network. */
  sent(nowUs: number, link: string, fate: number, arriveUs: number, what: string): void {
    const became =
      fate === FATE_CARRIED ? `arrives ${(arriveUs / 1000).toFixed(1)}` : FATE_NAMES[fate];
    this.line(nowUs, link, `${what.padEnd(60)} ${became}`);
  }

  private line(nowUs: number, who: string, text: string): void {
    this.write(`${(nowUs / 1000).toFixed(3).padStart(12)} ${who.padEnd(7)} ${text}`);
  }

  /** An RL1 payload in words. */
  describe(bytes: Uint8Array, offset: number, length: number): string {
    if (isParams(bytes, offset, length)) return `params ${length} B`;
    const { header, frames } = this;
    if (parseHeader(bytes, offset, length, header) !== 0) return `${length} B, no RL1 header`;
    const words = [`#${header.sequence}`];
    if (header.hasAck) {
      const bitmap = header.bitmapBytes > 0 ? `/${header.bitmapBytes}B` : '';
      words.push(`ack ${header.largest}+${header.run}${bitmap}`);
    }
    words.push(`${length} B`);
    const end = offset + length;
    const reason = parseFrames(bytes, header.bodyOffset, end, LIMITS, frames);
    if (reason !== 0) return `${words.join(' ')}: malformed (${reason})`;
    const parts: string[] = [];
    for (let index = 0; index < frames.count; index++) parts.push(this.frame(index * FRAME_STRIDE));
    return parts.length === 0 ? words.join(' ') : `${words.join(' ')}: ${parts.join(', ')}`;
  }

  private frame(x: number): string {
    const words = this.frames.words;
    const type = words[x + X_TYPE];
    if (type < FRAME_MESSAGE) {
      return CONTROL_NAMES[type] ?? (type >= FRAME_IGNORABLE_FIRST ? 'grease' : `type ${type}`);
    }
    const id =
      (words[x + X_KEY] & 3) === 0 && words[x + X_COUNT] === 0 ? '' : ` id${words[x + X_ID]}`;
    const piece =
      (type & FRAME_FRAGMENT_BIT) === 0 ? '' : ` ${words[x + X_INDEX] + 1}/${words[x + X_COUNT]}`;
    const size = words[x + X_LENGTH];
    return `${MODE_NAMES[words[x + X_KEY] & 3]} ch${(words[x + X_KEY] >> 2) & 0xff}${id}${piece} ${size} B`;
  }
}
