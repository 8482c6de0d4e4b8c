import { copyBytes } from '../util/copy-bytes.js';
import { FRAGMENT_BYTES, FRAMES_PER_PACKET_MAX } from '../util/limits.js';
import { sequenceDistance } from '../util/sequence.js';
import { writeAckBlock } from './ack-block.js';
import type { Core } from './core.js';
import * as frames from './frames.js';
import { ACK_DELAY_UNKNOWN, HEADER_ACK, HEADER_MARK, HEADER_TIMESTAMP } from './header.js';
import * as L from './layout.js';
import { writeU16, writeU32 } from './params.js';
import { addReference, allocPacket } from './sent-packets.js';

/** A message frame of the last length byte would not fit beside fewer free bytes than this. */
export const FRAME_BYTES_MIN = 4;

/** Shorter data is copied by a loop. */
const LOOP_BYTES_MAX = 32;

/**
 * One packet under construction in the caller's buffer. Message frames are written with their
 * length; `finish` takes the length of the last one out again and sets its L bit, unless `alone`
 * said so first.
 */
export class PacketWriter {
  private bytes: Uint8Array = new Uint8Array(0);
  private start = 0;
  private at = 0;
  private limit = 0;
  /** Frames in the packet so far. */
  frames = 0;
  /** Record of the packet, once it carries something that wants an acknowledgement. */
  packet = 0;
  /** `largest` of the ack block, −1 without one. */
  ackLargest = -1;
  private lastFlagAt = -1;
  private lastLengthAt = 0;
  private lastLengthBytes = 0;
  private sealed = false;

  /** Writes the header. Nothing of the flow changes before commit. */
  begin(
    core: Core,
    f: number,
    nowUs: number,
    bytes: Uint8Array,
    offset: number,
    limit: number,
    timestamp: boolean,
  ): void {
    const flows = core.flows;
    this.bytes = bytes;
    this.start = offset;
    this.limit = limit;
    this.frames = 0;
    this.packet = 0;
    this.ackLargest = -1;
    this.lastFlagAt = -1;
    this.sealed = false;
    let first = HEADER_MARK;
    let at = offset + 1;
    writeU16(bytes, at, flows[f + L.F_NEXT_SEQUENCE]);
    at += 2;
    if (timestamp) {
      first |= HEADER_TIMESTAMP;
      writeU16(bytes, at, nowUs >>> 8);
      at += 2;
    }
    if ((flows[f + L.F_FLAGS] & L.FLAG_RECEIVED) !== 0) {
      const largest = flows[f + L.F_RX_LARGEST];
      const elapsedUs = (nowUs - flows[f + L.F_RX_LARGEST_ARRIVAL_US]) | 0;
      const ticks = elapsedUs < 0 ? 0 : (elapsedUs / core.ackDelayUnitUs) | 0;
      const bitmapBytes = writeAckBlock(
        flows,
        f + L.F_RX_BITS,
        largest,
        flows[f + L.F_RX_FLOOR],
        ticks < ACK_DELAY_UNKNOWN ? ticks : ACK_DELAY_UNKNOWN,
        bytes,
        at,
      );
      first |= HEADER_ACK | bitmapBytes;
      at += 4 + bitmapBytes;
      this.ackLargest = largest;
    }
    bytes[offset] = first;
    this.at = at;
  }

  get room(): number {
    return this.sealed || this.frames === FRAMES_PER_PACKET_MAX ? 0 : this.limit - this.at;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.at - this.start;
  }

  /** The packet asks for an acknowledgement. */
  elicit(core: Core): void {
    if (this.packet === 0) {
      this.packet = allocPacket(core);
    }
  }

  writeTimeResponse(t0: number, t1: number, t2: number): void {
    const bytes = this.bytes;
    bytes[this.at] = frames.FRAME_TIME_RESPONSE;
    writeU32(bytes, this.at + 1, t0);
    writeU32(bytes, this.at + 5, t1);
    writeU32(bytes, this.at + 9, t2);
    this.added(frames.TIME_RESPONSE_BYTES);
  }

  writeTimeRequest(core: Core, t0: number): void {
    this.bytes[this.at] = frames.FRAME_TIME_REQUEST;
    writeU32(this.bytes, this.at + 1, t0);
    this.added(frames.TIME_REQUEST_BYTES);
    this.elicit(core);
  }

  writePing(core: Core): void {
    this.bytes[this.at] = frames.FRAME_PING;
    this.added(1);
    this.elicit(core);
  }

  /** An ignorable frame of up to 3 bytes, so that peers stay used to them. */
  writeGrease(core: Core): void {
    const random = core.prng.nextInt32();
    const size = random & 3;
    this.bytes[this.at] = frames.FRAME_IGNORABLE_FIRST + ((random >>> 2) & 0x1f);
    this.bytes[this.at + 1] = size;
    for (let index = 0; index < size; index += 1) {
      this.bytes[this.at + 2 + index] = random >>> (8 + 8 * index);
    }
    this.added(2 + size);
    this.elicit(core);
  }

  writeClose(code: number, reason: Uint8Array, reasonOffset: number, reasonBytes: number): void {
    this.bytes[this.at] = frames.FRAME_CLOSE;
    writeU16(this.bytes, this.at + 1, code);
    this.bytes[this.at + 3] = reasonBytes;
    copyBytes(reason, reasonOffset, this.bytes, this.at + 4, reasonBytes);
    this.added(4 + reasonBytes);
  }

  private added(size: number): void {
    this.at += size;
    this.frames += 1;
    this.lastFlagAt = -1;
  }

  /**
   * Appends a message, or fragment `fragment` of it, if it fits; `alone` promises that no frame
   * follows.
   */
  writeMessage(core: Core, message: number, fragment: number, alone: boolean): boolean {
    const words = core.messages.words;
    const key = core.sendStreams.words[words[message + L.M_STREAM] + L.S_KEY];
    const mode = key & 3;
    const channel = key >> 2;
    const fragments = words[message + L.M_FRAGMENTS];
    const total = words[message + L.M_LENGTH];
    const length =
      fragments === 0
        ? total
        : fragment === fragments - 1
          ? total - fragment * FRAGMENT_BYTES
          : FRAGMENT_BYTES;
    const withId = mode !== 0 || fragments !== 0;
    const lengthBytes = alone ? 0 : length < 0x80 ? 1 : 2;
    const size =
      1 +
      (channel >= 7 ? 1 : 0) +
      (withId ? 2 : 0) +
      (fragments !== 0 ? 2 : 0) +
      lengthBytes +
      length;
    if (size > this.room) {
      return false;
    }
    const bytes = this.bytes;
    let at = this.at;
    this.lastFlagAt = at;
    bytes[at] =
      frames.FRAME_MESSAGE |
      (fragments !== 0 ? frames.FRAME_FRAGMENT_BIT : 0) |
      (alone ? frames.FRAME_LAST_BIT : 0) |
      (mode << frames.FRAME_MODE_SHIFT) |
      (channel < frames.FRAME_CHANNEL_FOLLOWS ? channel : frames.FRAME_CHANNEL_FOLLOWS);
    at += 1;
    if (channel >= frames.FRAME_CHANNEL_FOLLOWS) {
      bytes[at] = channel;
      at += 1;
    }
    if (withId) {
      writeU16(bytes, at, words[message + L.M_ID]);
      at += 2;
    }
    if (fragments !== 0) {
      bytes[at] = fragment;
      bytes[at + 1] = fragments - 1;
      at += 2;
    }
    this.lastLengthAt = at;
    this.lastLengthBytes = lengthBytes;
    if (lengthBytes === 1) {
      bytes[at] = length;
      at += 1;
    } else if (lengthBytes === 2) {
      bytes[at] = (length & 0x7f) | 0x80;
      bytes[at + 1] = length >> 7;
      at += 2;
    }
    this.copyData(core, message, fragment, length, at);
    this.at = at + length;
    this.frames += 1;
    this.sealed = alone;
    this.elicit(core);
    if (mode >= 2) {
      addReference(core, this.packet, message, fragment);
    } else if ((words[message + L.M_FLAGS] & L.MESSAGE_TRACKED) !== 0) {
      addReference(core, this.packet, message, fragment);
      words[message + L.M_OUT] += 1;
    }
    return true;
  }

  /** Copies the whole chunk while the packet has room behind: what follows is written over it. */
  private copyData(
    core: Core,
    message: number,
    fragment: number,
    length: number,
    at: number,
  ): void {
    const words = core.messages.words;
    const data = words[message + L.M_DATA];
    const handle = words[message + L.M_FRAGMENTS] === 0 ? data : core.blocks.words[data + fragment];
    const pool = core.sendBytes;
    if (length >= LOOP_BYTES_MAX) {
      const view = pool.view(handle);
      if (at + view.length <= this.limit) {
        this.bytes.set(view, at);
        return;
      }
    }
    copyBytes(pool.page(handle), pool.offset(handle), this.bytes, at, length);
  }

  /** The last message frame loses its length and gets the L bit. Answers the packet's length. */
  finish(): number {
    if (this.lastFlagAt >= 0 && this.lastLengthBytes > 0) {
      const from = this.lastLengthAt + this.lastLengthBytes;
      this.bytes.copyWithin(this.lastLengthAt, from, this.at);
      this.bytes[this.lastFlagAt] |= frames.FRAME_LAST_BIT;
      this.at -= this.lastLengthBytes;
    }
    return this.at - this.start;
  }
}

/** True when `id` may be sent: at most `window` ids from the oldest unacknowledged one on. */
export function idInWindow(id: number, oldest: number, window: number): boolean {
  return sequenceDistance(id, oldest) < window;
}
