/**
 * The four paths of the RL1 core, each timed apart: two Protocols in one process, `flows` flows
 * between them, no sockets, no cipher. Every flow takes its turn once per step, so with many flows
 * the state is as cold as it is in a server.
 *
 *   receive   handlePacket and pollEvent of a packet with one message and an ack of one packet
 *   send      send and pollTransmit of such a packet
 *   ack       pollTransmit of an ack-only packet and handlePacket of it, naming 10 packets
 *   resend    handlePacket of the ack that shows one loss, and pollTransmit of the resend (messages
 *             of 300 B at least, which get no spare copies)
 */
import {
  EVENT_MESSAGE,
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  Protocol,
  ROLE_CLIENT,
  ROLE_SERVER,
  SEND_FULL,
} from '../../src/protocol/protocol.js';
import type { Meter } from './cpu-clock.js';

export const PATHS = ['receive', 'send', 'ack', 'resend'] as const;
export type PathName = (typeof PATHS)[number];

/** One second before int32 microseconds wrap, so that a run crosses it. */
const START_US = 0x7fffffff - 1_000_000;
/** A tick of 60 Hz. */
const STEP_US = 16_667;
const PAYLOAD_BYTES = 1192;
const CELL_BYTES = 1280;
/** A message that gets no spare copies; those would make most resends needless. */
const NOT_SMALL_BYTES = 300;
/** What RL1 acknowledges at once when nothing else tells it to. */
const PACKETS_PER_ACK = 10;

/** What all flows sent in one step, waiting for the other end. */
class Wire {
  readonly bytes: Uint8Array;
  readonly slots: Int32Array;
  readonly lengths: Int32Array;
  count = 0;

  constructor(packets: number) {
    this.bytes = new Uint8Array(packets * CELL_BYTES);
    this.slots = new Int32Array(packets);
    this.lengths = new Int32Array(packets);
  }
}

export class CorePaths {
  readonly totals: Record<PathName, number> = { receive: 0, send: 0, ack: 0, resend: 0 };
  readonly packets: Record<PathName, number> = { receive: 0, send: 0, ack: 0, resend: 0 };
  private readonly client: Protocol;
  private readonly server: Protocol;
  private readonly wire: Wire;
  private readonly data: Uint8Array;
  private nowUs = START_US;
  private delivered = 0;

  constructor(
    private readonly flows: number,
    private readonly bytes: number,
    private readonly meter: Meter,
  ) {
    this.client = newProtocol(flows, 1);
    this.server = newProtocol(flows, 2);
    this.wire = new Wire(flows * 2);
    this.data = new Uint8Array(Math.max(bytes, NOT_SMALL_BYTES)).fill(0x5a);
    for (let slot = 0; slot < flows; slot += 1) {
      this.client.openFlow(slot, ROLE_CLIENT, this.nowUs, PAYLOAD_BYTES);
      this.server.openFlow(slot, ROLE_SERVER, this.nowUs, PAYLOAD_BYTES);
    }
    // PARAMS both ways, then the clock's first exchanges, which end up in a path of nobody.
    for (let step = 0; step < 40; step += 1) {
      this.exchange();
    }
  }

  /** Messages echoed: 2 packets a flow and step. Times `receive` and `send` at both ends. */
  echo(steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      this.sendAll(this.client, this.server);
      this.sendAll(this.server, this.client);
      this.settle();
    }
  }

  /** Messages one way, ten packets before each acknowledgement. Times `ack`. */
  acknowledge(steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      for (let index = 0; index < PACKETS_PER_ACK; index += 1) {
        this.queueAll(this.client);
        this.transmit(this.client);
        this.deliver(this.server);
        this.nowUs = (this.nowUs + 100) | 0;
      }
      const before = this.meter();
      this.transmit(this.server);
      this.deliver(this.client);
      this.totals.ack += this.meter() - before;
      this.packets.ack += this.wire.count;
      this.settle();
    }
  }

  /** One packet in four lost. Times `resend`. */
  lose(steps: number): void {
    const bytes = this.data.length;
    for (let step = 0; step < steps; step += 1) {
      this.queueAll(this.client, bytes);
      this.transmit(this.client);
      for (let index = 0; index < 3; index += 1) {
        this.nowUs = (this.nowUs + 100) | 0;
        this.queueAll(this.client, bytes);
        this.transmit(this.client);
        this.deliver(this.server);
      }
      // The first after a gap is acknowledged at once, the third is enough to call the first lost.
      this.transmit(this.server);
      const before = this.meter();
      this.deliver(this.client);
      this.transmit(this.client);
      this.totals.resend += this.meter() - before;
      this.packets.resend += this.wire.count;
      this.deliver(this.server);
      this.settle();
    }
  }

  /** Forgets what was measured so far. */
  reset(): void {
    for (const name of PATHS) {
      this.totals[name] = 0;
      this.packets[name] = 0;
    }
  }

  /** Throws unless every message that was sent has arrived. */
  check(messages: number): void {
    this.settle();
    this.exchange();
    if (this.delivered !== messages) {
      throw new Error(`${messages} messages sent, ${this.delivered} delivered`);
    }
    this.delivered = 0;
  }

  private sendAll(from: Protocol, to: Protocol): void {
    const start = this.meter();
    this.queueAll(from);
    this.transmit(from);
    const sent = this.meter();
    this.deliver(to);
    const received = this.meter();
    this.totals.send += sent - start;
    this.totals.receive += received - sent;
    this.packets.send += this.wire.count;
    this.packets.receive += this.wire.count;
  }

  private queueAll(from: Protocol, bytes = this.bytes): void {
    const { data, nowUs } = this;
    for (let slot = 0; slot < this.flows; slot += 1) {
      const result = from.send(slot, nowUs, 0, MODE_RELIABLE_ORDERED, data, 0, bytes, 0, 0, 0);
      if (result >= SEND_FULL) {
        throw new Error(`send answered ${result}`);
      }
    }
  }

  private transmit(from: Protocol): void {
    const { wire, nowUs } = this;
    let count = 0;
    for (;;) {
      const at = count * CELL_BYTES;
      const length = from.pollTransmit(nowUs, wire.bytes, at, CELL_BYTES);
      if (length === 0) {
        break;
      }
      wire.slots[count] = from.transmitSlot;
      wire.lengths[count] = length;
      count += 1;
    }
    wire.count = count;
  }

  private deliver(to: Protocol): void {
    const { wire, nowUs } = this;
    for (let index = 0; index < wire.count; index += 1) {
      const at = index * CELL_BYTES;
      const length = wire.lengths[index];
      const reason = to.handlePacket(wire.slots[index], nowUs, nowUs, wire.bytes, at, length);
      if (reason !== 0) {
        throw new Error(`a packet was refused: ${reason}`);
      }
      for (let kind = to.pollEvent(); kind !== EVENT_NONE; kind = to.pollEvent()) {
        if (kind === EVENT_MESSAGE) {
          this.delivered += 1;
        }
      }
    }
  }

  /** Lets a tick pass and carries what timers ask for, until both ends are quiet. */
  private settle(): void {
    this.nowUs = (this.nowUs + STEP_US) | 0;
    this.client.handleTimeout(this.nowUs);
    this.server.handleTimeout(this.nowUs);
    do {
      this.transmit(this.server);
      this.deliver(this.client);
      this.transmit(this.client);
      this.deliver(this.server);
    } while (this.wire.count > 0);
  }

  private exchange(): void {
    this.settle();
    this.settle();
  }
}

function newProtocol(maxFlows: number, seed: number): Protocol {
  return new Protocol({ maxFlows, seed, registryHash: 1, maxAckDelayUs: 25_000 });
}
