/**
 * The other end of a fuzzed flow, written from docs/wire/rl1.md: it knows what it has sent and heard
 * as a legal end does, and from time to time is not one (hostile-*.ts).
 */
import type { Prng } from '../../src/util/prng.js';
import { type FlowConfig, smallLimits } from './config.js';
import { drawBytes, drawLength, pick } from './draw.js';
import {
  type AckFields,
  ackFor,
  type FrameWriter,
  PARAMS,
  type ParamsFields,
  packetBytes,
  paramsBytes,
  u32,
} from './encode.js';
import { hostileAck, isHostile } from './hostile-acks.js';
import { hostileBytes } from './hostile-bytes.js';
import { hostileFrame } from './hostile-frames.js';
import { Lane, type Piece } from './lane.js';

const PACKET_BYTES = 1192;
const HEADER_BYTES_MAX = 24;
const LANES_MAX = 6;

interface Packet {
  bytes: Uint8Array;
  pieces: Piece[];
}

export class Peer {
  readonly lanes: Lane[] = [];
  /** Numbers of the other side's packets that came, and all up to the newest. */
  readonly heard = new Set<number>();
  newestHeard = -1;
  /** Numbers that the other side left out, the newest last. */
  readonly skipped: number[] = [];
  firstHeard = -1;
  private sequence: number;
  private current: Packet | null = null;
  private readonly late: Packet[] = [];
  private readonly history: Packet[] = [];
  private greeted = false;
  /** Of 1,000 packets, frames and acks each, how many are hostile. */
  private readonly malice: number;

  constructor(
    readonly prng: Prng,
    readonly config: FlowConfig,
  ) {
    this.malice = pick(prng, [0, 10, 60, 60, 250]);
    this.sequence = prng.chance(1, 2) ? prng.below(0x10000) : 65400 + prng.below(136);
    const channels = [0, 1, 6, 7, 31, config.limits.channels - 1, 8].filter(
      (channel) => channel >= 0 && channel < config.limits.channels,
    );
    for (let count = 1 + prng.below(LANES_MAX); count > 0; count -= 1) {
      const channel = pick(prng, channels);
      const mode = prng.below(4);
      if (!this.lanes.some((lane) => lane.channel === channel && lane.mode === mode)) {
        this.lanes.push(new Lane(channel, mode, config.limits.firstMessageId));
      }
    }
  }

  /** The next payload for the other side. */
  next(): Uint8Array {
    const { prng } = this;
    this.current = null;
    if (!this.greeted && prng.chance(1, 12)) {
      return paramsBytes({ ...PARAMS, flags: this.config.side === 'client' ? 0 : 1 });
    }
    if (!this.greeted && prng.chance(3, 4)) {
      this.greeted = true;
      return paramsBytes(this.goodParams());
    }
    if (isHostile(prng, this.malice)) {
      const before = this.history[prng.below(Math.max(1, this.history.length))]?.bytes;
      return hostileBytes(prng, before ?? this.compose().bytes, this.config);
    }
    if (this.history.length > 0 && prng.chance(1, 40)) {
      return pick(prng, this.history).bytes;
    }
    if (this.late.length > 0 && prng.chance(1, 6)) {
      this.current = this.late.splice(prng.below(this.late.length), 1)[0] ?? null;
    } else {
      this.current = this.compose();
      if (this.late.length < 8 && prng.chance(1, 12)) {
        this.late.push(this.current);
        this.current = this.compose();
      }
    }
    return (this.current as Packet).bytes;
  }

  /** What became of the payload that `next` answered. */
  learn(accepted: boolean): void {
    const packet = this.current;
    if (packet === null) {
      return;
    }
    for (const piece of packet.pieces) {
      if (accepted) {
        piece.lane.arrived(piece);
      } else {
        piece.lane.outbox.push(piece);
      }
    }
    this.history.push(packet);
    if (this.history.length > 20) {
      this.history.shift();
    }
  }

  /** A payload of the other side. */
  hear(bytes: Uint8Array): void {
    if (bytes[0] === 0x47) {
      return;
    }
    const number = (bytes[1] ?? 0) | ((bytes[2] ?? 0) << 8);
    if (this.firstHeard < 0) {
      this.firstHeard = number;
    } else {
      for (let gap = (this.newestHeard + 1) & 0xffff; gap !== number; gap = (gap + 1) & 0xffff) {
        this.skipped.push(gap);
      }
    }
    this.newestHeard = number;
    this.heard.delete((number - 1000) & 0xffff);
    if (!this.prng.chance(1, 12)) {
      this.heard.add(number);
    }
  }

  /** Half of the peers take little, so that the other side meets the sender's rule. */
  private goodParams(): ParamsFields {
    const { prng } = this;
    const flags = (this.config.side === 'client' ? 1 : 0) | (prng.chance(1, 4) ? 0xfc : 0);
    const fields = { ...PARAMS, flags: flags | (prng.chance(1, 4) ? 2 : 0) };
    if (prng.chance(1, 2)) {
      return fields;
    }
    const limits = smallLimits(prng);
    return {
      ...fields,
      channels: limits.channels,
      partials: limits.partials,
      window: limits.windowIds,
      unreliableBytes: limits.unreliableMessageBytes,
      reliableBytes: limits.messageBytes,
      budgetBytes: limits.receiveBudgetBytes,
    };
  }

  private compose(): Packet {
    const { prng } = this;
    const frames: FrameWriter[] = [];
    const pieces: Piece[] = [];
    let room = PACKET_BYTES - HEADER_BYTES_MAX;
    if (prng.chance(1, 40)) {
      return { bytes: packetBytes(this.number(), null, this.ack(), tiny(prng)), pieces };
    }
    for (let left = prng.below(9); left > 0; left -= 1) {
      if (isHostile(prng, this.malice)) {
        const frame = hostileFrame(prng, this);
        frames.push(frame);
        room -= frame(false).length;
      } else if (prng.chance(2, 3)) {
        const piece = this.message(room);
        if (piece !== null) {
          pieces.push(piece);
          frames.push(piece.frame);
          room -= piece.fields.data.length + 9;
        }
      } else if (room > 20) {
        frames.push(control(prng));
        room -= 20;
      }
    }
    const timestamp = prng.chance(1, 2) ? prng.below(0x10000) : null;
    return { bytes: packetBytes(this.number(), timestamp, this.ack(), frames), pieces };
  }

  private number(): number {
    const { prng } = this;
    let step = prng.chance(1, 30) ? 2 + prng.below(5) : 1;
    if (isHostile(prng, this.malice >> 2)) {
      step = pick(prng, [511, 512, 513, 5000, 32766]);
    }
    this.sequence = (this.sequence + step) & 0xffff;
    return this.sequence;
  }

  private ack(): AckFields | null {
    const { prng } = this;
    if (isHostile(prng, this.malice >> 1)) {
      return hostileAck(prng, this);
    }
    let largest = this.newestHeard;
    for (let back = 0; back < 300 && !this.heard.has(largest); back += 1) {
      largest = (largest - 1) & 0xffff;
    }
    if (this.newestHeard < 0 || !this.heard.has(largest) || prng.chance(1, 3)) {
      return null;
    }
    return ackFor(this.heard, largest, prng.below(256));
  }

  /** A legal message frame, new or from an outbox. */
  private message(room: number): Piece | null {
    const { prng } = this;
    const lane = pick(prng, this.lanes);
    if (lane.outbox.length < 8 && prng.chance(3, 4)) {
      this.addTo(lane);
    }
    return lane.take(prng, room);
  }

  private addTo(lane: Lane): void {
    const { limits } = this.config;
    const bytesMax = lane.isReliable ? limits.messageBytes : limits.unreliableMessageBytes;
    const length = drawLength(this.prng, bytesMax);
    const sum = (of: (lane: Lane) => number) =>
      this.lanes.reduce((all, one) => all + (one.isReliable ? of(one) : 0), 0);
    const fits =
      !lane.isReliable ||
      (lane.spanIds < limits.windowIds &&
        sum((one) => one.spanBytes) + length <= limits.receiveBudgetBytes &&
        (length <= 1024 || sum((one) => one.spanPartials) < limits.partials));
    if (fits) {
      lane.add(drawBytes(this.prng, length));
    }
  }
}

/** About as many frames as fit a packet by their number. */
function tiny(prng: Prng): FrameWriter[] {
  const frames = Array.from({ length: 62 + prng.below(4) }, () => [prng.below(2)]);
  return frames.map((frame) => () => frame);
}

function control(prng: Prng): FrameWriter {
  const word = () => u32(prng.nextInt32());
  return pick<FrameWriter>(prng, [
    () => [0],
    () => [1],
    () => [2, ...word()],
    () => [3, ...word(), ...word(), ...word()],
    () => [8, ...word(), ...word()],
    () => [0x20 + prng.below(0x20), 3, 1, 2, 3],
  ]);
}
