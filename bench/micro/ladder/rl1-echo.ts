/**
 * The production turn over the simulated endpoint: Runtime and Protocol of a server and of its clients
 * in one process, no sockets. Timed is the TypeScript of the server's turns: drain and flush are not,
 * because the simulator's queues are in them.
 *
 *   clients  send ─ turn ─▶ datagrams ─▶ server  drain │ turn: RL1, handler, RL1 │ flush
 *                                                      └──────── timed ─────────┘
 */
import {
  type RingSizes,
  SERVER_RING_SIZES,
  type SimOptions,
  SimRings,
} from '../../../src/addon/sim-rings.js';
import { MODE_RELIABLE_ORDERED, Protocol, SEND_FULL } from '../../../src/protocol/protocol.js';
import type { RuntimeHandler } from '../../../src/runtime/handler.js';
import { Runtime } from '../../../src/runtime/runtime.js';
import { PROTOCOL_ID, SERVER_ADDRESS, TokenMint, UNIX_S } from '../../../src/sim/native/tokens.js';
import { PACKET_BYTES, PAYLOAD_BYTES } from '../../../src/util/limits.js';
import { RATE_MAX } from '../../suite/servers/limits.js';
import { calibrated, readCpu } from '../cpu-clock.js';

/** About what a message of a closed loop takes to come back. */
const STEP_US = 400;
const CONNECT_STEPS_MAX = 4_000;
const DATAGRAM_BYTES = 1400;
/** Small, because what the clients touch between two turns pushes the server out of the caches. */
const CLIENT_RINGS: RingSizes = {
  rxCapacity: 8,
  txCapacity: 8,
  rxArenaBytes: 16 << 10,
  txArenaBytes: 16 << 10,
};
const REGISTRY_HASH = 1;

export interface EchoSize {
  flows: number;
  messagesPerPacket: number;
  messageBytes: number;
}

/** Both ends are of one class, so that the turn's calls have one target as in production. */
class End implements RuntimeHandler {
  readonly runtime: Runtime;
  heard = 0;
  ready = 0;

  constructor(
    readonly rings: SimRings,
    readonly role: 'server' | 'client',
    seed: number,
    maxFlows: number,
  ) {
    this.runtime = new Runtime({
      endpoint: rings,
      protocol: new Protocol({
        maxFlows,
        seed,
        registryHash: REGISTRY_HASH,
        maxAckDelayUs: 25_000,
      }),
      handler: this,
      role,
      driver: 'immediate',
      tickIntervalUs: 0,
      maxFlows,
      maxPayloadBytes: PACKET_BYTES,
      defer: () => {}, // turns are taken by hand
    });
  }

  handleMessage(
    slot: number,
    channel: number,
    mode: number,
    _messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): void {
    this.heard += 1;
    if (this.role === 'client') return;
    const code = this.runtime.send(slot, channel, mode, bytes, offset, length, 0, 0, 0, 0);
    if (code >= SEND_FULL) throw new Error(`send answered ${code}`);
  }

  handleFlowReady(): void {
    this.ready += 1;
  }

  handleFlowClosed(): void {
    throw new Error('a flow ended');
  }

  handleFlowOpened(): void {}
  handleRawPayload(): void {}
  handleFlowMoved(): void {}
  handleDrained(): void {}
  handleReceipt(): void {}
  handleWritable(): void {}
  handleTick(): void {}
  handleDeadline(): void {}
}

/** The process's CPU between the drain and the flush of each turn. */
class TimedRings extends SimRings {
  spentNs = 0;
  readonly #clock = calibrated(readCpu);
  #drainedNs = 0;

  override drain(): number {
    const waiting = super.drain();
    this.#drainedNs = this.#clock();
    return waiting;
  }

  override flush(): number {
    this.spentNs += this.#clock() - this.#drainedNs;
    return super.flush();
  }
}

export class Rl1Echo {
  private readonly rings: TimedRings;
  private readonly server: End;
  private readonly clients: End[] = [];
  private readonly byAddress = new Map<string, End>();
  private readonly addresses: string[] = [];
  private readonly data: Uint8Array;
  private readonly datagram = new Uint8Array(DATAGRAM_BYTES);
  private nowUs = 0;

  /** @throws Error when a flow does not open */
  constructor(private readonly size: EchoSize) {
    const { flows } = size;
    const mint = new TokenMint(1, 60, 3_600);
    this.data = new Uint8Array(size.messageBytes).fill(0x5a);
    const admission = {
      tokenOpens: RATE_MAX,
      handshakes: RATE_MAX,
      handshakesPerPrefix: RATE_MAX,
      packetsPerFlow: RATE_MAX,
      bytesPerFlow: RATE_MAX,
    };
    this.rings = new TimedRings(
      {
        ...optionsOf('server', 1, flows),
        protocolId: PROTOCOL_ID,
        privateKey: mint.privateKey,
        serverAddresses: [SERVER_ADDRESS],
        admission,
      },
      SERVER_RING_SIZES,
    );
    this.server = new End(this.rings, 'server', 1, flows);
    for (let flow = 0; flow < flows; flow += 1) {
      const rings = new SimRings(optionsOf('client', flow + 2, 1), CLIENT_RINGS);
      const client = new End(rings, 'client', flow + 2, 1);
      const address = `10.1.${flow >> 8}.${flow & 255}:50000`;
      this.clients.push(client);
      this.addresses.push(address);
      this.byAddress.set(address, client);
      client.runtime.connect(mint.mint(flow + 1, flow, UNIX_S));
    }
    this.settle();
  }

  /** `turns` of the server, each with a packet of every flow. CPU ns of their TypeScript. */
  run(turns: number): number {
    const { messagesPerPacket, messageBytes } = this.size;
    let spentNs = 0;
    for (let turn = 0; turn < turns; turn += 1) {
      this.pass();
      for (const { runtime } of this.clients) {
        for (let index = 0; index < messagesPerPacket; index += 1) {
          const { data } = this;
          runtime.send(0, 0, MODE_RELIABLE_ORDERED, data, 0, messageBytes, 0, 0, 0, 0);
        }
      }
      this.clientsTurn();
      const beforeNs = this.rings.spentNs;
      this.server.runtime.turn();
      spentNs += this.rings.spentNs - beforeNs;
      this.deliver();
    }
    return spentNs;
  }

  /** Messages that came back since the last call. @throws Error when it is another number */
  check(messages: number): void {
    this.settle();
    const back = this.clients.reduce((sum, { heard }) => sum + heard, 0);
    const { heard } = this.server;
    if (heard !== messages || back !== messages) {
      throw new Error(`${messages} messages sent, ${heard} heard, ${back} came back`);
    }
    this.server.heard = 0;
    for (const client of this.clients) client.heard = 0;
  }

  private pass(): void {
    this.nowUs += STEP_US;
    this.rings.native.setTime(this.nowUs);
    for (const { rings } of this.clients) rings.native.setTime(this.nowUs);
  }

  private clientsTurn(): void {
    for (let flow = 0; flow < this.clients.length; flow += 1) {
      const { runtime, rings } = this.clients[flow];
      if (rings.native.dueReasons() === 0) rings.native.service();
      runtime.turn();
      for (;;) {
        const sent = rings.native.pollTransmit(this.datagram);
        if (sent === null) break;
        const bytes = this.datagram.subarray(0, sent.length);
        this.rings.native.inject(this.addresses[flow], bytes);
      }
    }
  }

  private deliver(): void {
    for (;;) {
      const sent = this.rings.native.pollTransmit(this.datagram);
      if (sent === null) return;
      const bytes = this.datagram.subarray(0, sent.length);
      this.byAddress.get(sent.address)?.rings.native.inject(SERVER_ADDRESS, bytes);
    }
  }

  /** Until everything is acknowledged and every flow ready: time passes, nothing is said. */
  private settle(): void {
    for (let step = 0; step < CONNECT_STEPS_MAX; step += 1) {
      this.pass();
      this.clientsTurn();
      if (this.rings.native.dueReasons() === 0) this.rings.native.service();
      this.server.runtime.turn();
      this.deliver();
      const isReady = this.clients.every(({ ready }) => ready === 1);
      if (isReady && this.server.ready === this.size.flows && step > 100) return;
    }
    throw new Error('the flows did not open');
  }
}

function optionsOf(role: 'server' | 'client', seed: number, maxFlows: number): SimOptions {
  return {
    role,
    seed,
    startUs: 0,
    unixS: UNIX_S,
    maxFlows,
    maxPayloadBytes: PAYLOAD_BYTES,
    tickIntervalUs: 0,
    nx: role === 'server' ? 'allow' : 'auto',
  };
}
