import {
  type ChannelOptions,
  EVENT_CLOSED,
  EVENT_DRAINED,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_RAW,
  EVENT_READY,
  EVENT_RECEIPT,
  EVENT_VIOLATION,
  EVENT_WRITABLE,
  Protocol,
  type ProtocolLimits,
  ROLE_CLIENT,
  ROLE_SERVER,
  SEND_FULL,
} from '../../src/protocol/protocol.js';
import { Prng } from '../../src/util/prng.js';

/** A direction of the virtual network; chances are per thousand packets. */
export interface Link {
  loss: number;
  duplicate: number;
  reorder: number;
  delayUs: number;
  /** A reordered packet is late by up to this. */
  reorderUs: number;
  /** Packets given to the network in [from, to) since the start are lost. */
  blackholes: { fromUs: number; toUs: number }[];
  /** 0: no bottleneck. */
  bytesPerSecond: number;
  /** What waits before the bottleneck; more is lost. */
  queueBytes: number;
}

export const CLEAN: Link = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  delayUs: 20_000,
  reorderUs: 0,
  blackholes: [],
  bytesPerSecond: 0,
  queueBytes: 64 * 1024,
};

/** IP and UDP headers and netcode's own, which a bottleneck carries too. */
const DATAGRAM_OVERHEAD_BYTES = 28 + 24;

export interface PairOptions {
  seed?: number;
  startUs?: number;
  link?: Partial<Link>;
  limits?: ProtocolLimits;
  channels?: ChannelOptions[];
  maxAckDelayUs?: number;
  maxPayloadBytes?: number;
}

export interface Delivered {
  atUs: number;
  channel: number;
  mode: number;
  id: number;
  bytes: Uint8Array;
}

/** One end: a Protocol with one flow in slot 0, and what it has delivered. */
export class End {
  readonly protocol: Protocol;
  readonly delivered: Delivered[] = [];
  readonly raw: Uint8Array[] = [];
  readonly violations: number[] = [];
  /** In the order in which they came. */
  readonly receipts: { atUs: number; receipt: number; code: number }[] = [];
  closed: { code: number; reason: string } | null = null;
  ready = false;
  drained = 0;
  writable = 0;
  packetsOut = 0;
  bytesOut = 0;
  /** When the bottleneck behind this end has sent what it was given so far. */
  bottleneckFreeUs = 0;
  onMessage: ((message: Delivered) => void) | null = null;

  constructor(options: PairOptions, seed: number) {
    this.protocol = new Protocol({
      maxFlows: 4,
      seed,
      registryHash: seed >>> 0,
      maxAckDelayUs: options.maxAckDelayUs ?? 25_000,
      limits: options.limits ?? {},
      channels: options.channels ?? [],
    });
  }

  drainEvents(atUs: number): void {
    const protocol = this.protocol;
    const event = protocol.event;
    for (let kind = protocol.pollEvent(); kind !== EVENT_NONE; kind = protocol.pollEvent()) {
      const bytes = event.bytes.slice(event.offset, event.offset + event.length);
      if (kind === EVENT_MESSAGE) {
        const message = {
          atUs,
          channel: event.channel,
          mode: event.mode,
          id: event.messageId,
          bytes,
        };
        this.delivered.push(message);
        this.onMessage?.(message);
      } else if (kind === EVENT_RAW) {
        this.raw.push(bytes);
      } else if (kind === EVENT_READY) {
        this.ready = true;
      } else if (kind === EVENT_CLOSED) {
        this.closed = { code: event.code, reason: new TextDecoder().decode(bytes) };
      } else if (kind === EVENT_VIOLATION) {
        this.violations.push(event.code);
      } else if (kind === EVENT_DRAINED) {
        this.drained += 1;
      } else if (kind === EVENT_WRITABLE) {
        this.writable += 1;
      } else if (kind === EVENT_RECEIPT) {
        this.receipts.push({ atUs, receipt: event.receipt, code: event.code });
      }
    }
  }
}

interface InFlight {
  atUs: number;
  order: number;
  to: End;
  bytes: Uint8Array;
}

/**
 * A client and a server over a seeded network; time is virtual, so a second costs what its packets
 * do.
 */
export class VirtualPair {
  readonly client: End;
  readonly server: End;
  readonly link: Link;
  /** µs since the start. */
  timeUs = 0;
  /** Sees every payload given to the network. */
  onPacket: ((from: End, bytes: Uint8Array) => void) | null = null;
  /** Payloads for which it answers true are lost. */
  loses: ((from: End, bytes: Uint8Array) => boolean) | null = null;
  private readonly startUs: number;
  private readonly prng: Prng;
  private readonly wire: InFlight[] = [];
  private readonly buffer = new Uint8Array(1300);
  private order = 0;

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1;
    this.prng = new Prng(seed ^ 0x5eed);
    this.startUs = options.startUs ?? 0;
    this.link = { ...CLEAN, ...options.link };
    this.link.blackholes = [...this.link.blackholes];
    this.client = new End(options, seed);
    this.server = new End(options, seed + 1);
    const payload = options.maxPayloadBytes ?? 1200;
    this.client.protocol.openFlow(0, ROLE_CLIENT, this.nowUs, payload);
    this.server.protocol.openFlow(0, ROLE_SERVER, this.nowUs, payload);
  }

  get nowUs(): number {
    return (this.startUs + this.timeUs) | 0;
  }

  peerOf(end: End): End {
    return end === this.client ? this.server : this.client;
  }

  send(
    from: End,
    channel: number,
    mode: number,
    bytes: Uint8Array,
    o: { expiresUs?: number; key?: number; redundancy?: number; receipt?: number } = {},
  ): number {
    return from.protocol.send(
      0,
      this.nowUs,
      channel,
      mode,
      bytes,
      0,
      bytes.length,
      o.expiresUs ?? 0,
      o.key ?? 0,
      o.redundancy ?? 0,
      o.receipt ?? 0,
    );
  }

  /** Sends, waiting out pressure. */
  sendPatiently(from: End, channel: number, mode: number, bytes: Uint8Array): void {
    for (let tries = 0; this.send(from, channel, mode, bytes) === SEND_FULL; tries += 1) {
      if (tries > 10_000) {
        throw new Error('pressure never ended');
      }
      this.run(10_000);
    }
  }

  /** Puts bytes on the wire as if `from` had sent them. */
  inject(from: End, bytes: Uint8Array): number {
    const to = this.peerOf(from);
    const reason = to.protocol.handlePacket(0, this.nowUs, this.nowUs, bytes, 0, bytes.length);
    to.drainEvents(this.timeUs);
    return reason;
  }

  /** Lets `durationUs` pass. */
  run(durationUs: number): void {
    const endUs = this.timeUs + durationUs;
    for (;;) {
      this.flush(this.client);
      this.flush(this.server);
      const nextUs = this.nextUs(endUs);
      if (nextUs >= endUs) {
        this.timeUs = endUs;
        this.tick();
        this.client.protocol.checkInvariants();
        this.server.protocol.checkInvariants();
        return;
      }
      this.timeUs = nextUs;
      this.tick();
    }
  }

  /** Runs until `done` or the limit; true when done. */
  runUntil(done: () => boolean, limitUs: number): boolean {
    const endUs = this.timeUs + limitUs;
    while (!done()) {
      if (this.timeUs >= endUs) {
        return false;
      }
      this.run(1000);
    }
    return true;
  }

  /** PARAMS both ways. */
  connect(): void {
    if (!this.runUntil(() => this.client.ready && this.server.ready, 60_000_000)) {
      throw new Error('no connection');
    }
  }

  private tick(): void {
    for (const end of [this.client, this.server]) {
      end.protocol.handleTimeout(this.nowUs);
      end.drainEvents(this.timeUs);
    }
    while (this.wire.length > 0 && (this.wire[0] as InFlight).atUs <= this.timeUs) {
      const packet = this.wire.shift() as InFlight;
      const { protocol } = packet.to;
      protocol.handlePacket(0, this.nowUs, this.nowUs, packet.bytes, 0, packet.bytes.length);
      packet.to.drainEvents(this.timeUs);
    }
    this.flush(this.client);
    this.flush(this.server);
  }

  private nextUs(endUs: number): number {
    let next = endUs;
    if (this.wire.length > 0) {
      next = Math.min(next, (this.wire[0] as InFlight).atUs);
    }
    for (const { protocol } of [this.client, this.server]) {
      if (protocol.hasDeadline) {
        const inUs = (protocol.deadlineUs - this.nowUs) | 0;
        next = Math.min(next, this.timeUs + Math.max(inUs, 1));
      }
    }
    return Math.max(next, this.timeUs);
  }

  private flush(from: End): void {
    for (;;) {
      const { buffer } = this;
      const length = from.protocol.pollTransmit(this.nowUs, buffer, 0, buffer.length);
      if (length === 0) {
        return;
      }
      from.packetsOut += 1;
      from.bytesOut += length;
      const bytes = buffer.slice(0, length);
      this.onPacket?.(from, bytes);
      if (this.loses?.(from, bytes) === true) {
        continue;
      }
      this.carry(from, bytes);
      if (this.prng.chance(this.link.duplicate, 1000)) {
        this.carry(from, bytes);
      }
    }
  }

  private carry(from: End, bytes: Uint8Array): void {
    const { link } = this;
    const dark = link.blackholes.some((b) => this.timeUs >= b.fromUs && this.timeUs < b.toUs);
    if (dark || this.prng.chance(link.loss, 1000)) {
      return;
    }
    let leavesUs = this.timeUs;
    if (link.bytesPerSecond > 0) {
      const us = ((bytes.length + DATAGRAM_OVERHEAD_BYTES) * 1e6) / link.bytesPerSecond;
      const freeUs = Math.max(from.bottleneckFreeUs, this.timeUs);
      if (((freeUs - this.timeUs) * link.bytesPerSecond) / 1e6 > link.queueBytes) {
        return;
      }
      from.bottleneckFreeUs = freeUs + us;
      leavesUs = Math.ceil(from.bottleneckFreeUs);
    }
    let atUs = leavesUs + link.delayUs;
    if (this.prng.chance(link.reorder, 1000)) {
      atUs += this.prng.below(link.reorderUs);
    }
    this.order += 1;
    const packet = { atUs, order: this.order, to: this.peerOf(from), bytes };
    let index = this.wire.length;
    while (index > 0 && (this.wire[index - 1] as InFlight).atUs > atUs) {
      index -= 1;
    }
    this.wire.splice(index, 0, packet);
  }
}

/** A message of `length` bytes that begins with its number. */
export function numbered(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, 4));
  new DataView(bytes.buffer).setUint32(0, number, true);
  for (let index = 4; index < bytes.length; index += 1) {
    bytes[index] = (number * 31 + index * 7) & 0xff;
  }
  return bytes;
}

/** The number of such a message; throws when any byte of it is wrong. */
export function numberOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint32(0, true);
  for (let index = 4; index < bytes.length; index += 1) {
    if (bytes[index] !== ((number * 31 + index * 7) & 0xff)) {
      throw new Error(`message ${number}: byte ${index} is wrong`);
    }
  }
  return number;
}
