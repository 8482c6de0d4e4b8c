/**
 * Many players over one UDP socket: the production client (endpoint, RL1, session), but a runtime with
 * a flow per player instead of a runtime per player. Each flow has a source address of its own in
 * 127.0.0.0/8, at most 250 to a /24, so that the server's budgets per network hold as for real ones.
 */
import { Endpoint } from '../../src/addon/index.js';
import { BODY_BYTES_MAX } from '../../src/messages/types.js';
import { Protocol, type ProtocolLimits } from '../../src/protocol/index.js';
import type { ClosedFlow, RuntimeHandler } from '../../src/runtime/handler.js';
import { Runtime } from '../../src/runtime/runtime.js';
import { AckBatch } from '../../src/session/ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from '../../src/session/binary-peer.js';
import { CLOSE_NORMAL } from '../../src/session/close-codes.js';
import { SESSION_ACK_ROUND_MS } from '../../src/session/limits.js';
import { PACKET_BYTES, PAYLOAD_BYTES } from '../../src/util/limits.js';
import { Scratch } from '../../src/util/scratch.js';
import { BUFFER_BYTES } from '../suite/servers/limits.js';
import type { Visitor, VisitPeer } from './visitor.js';
import { type LoadWire, type Ticket, visitContext } from './wires.js';

const FLOWS_MAX = 8192;
const TICK_US = 2000;
const ACK_DELAY_US = 25_000;
const HOSTS_PER_NETWORK = 250;

/** Source addresses in turn; each is used again only when all others have been. */
export class SourceAddresses {
  readonly #first: number;
  readonly #networks: number;
  #next = 0;

  /** 127.x.y.0/24 from network number `first` on, `networks` of them; number 0 is 127.1.0.0/24. */
  constructor(first: number, networks: number) {
    this.#first = first;
    this.#networks = networks;
  }

  /** Neighbours in time are of different networks. */
  next(): string {
    const at = this.#next++;
    const network = this.#first + (at % this.#networks);
    const host = 1 + (Math.floor(at / this.#networks) % HOSTS_PER_NETWORK);
    return `127.${1 + (network >> 8)}.${network & 255}.${host}`;
  }
}

export class UdpWire implements LoadWire, RuntimeHandler {
  readonly #runtime: Runtime;
  readonly #addresses: SourceAddresses;
  readonly #context: BinaryPeerContext<Visitor>;
  readonly #peers: (BinaryPeer<Visitor> | null)[] = [];

  /** `limits`: what the players take less of than others do. */
  constructor(addresses: SourceAddresses, limits: ProtocolLimits = {}) {
    this.#addresses = addresses;
    const shared = visitContext();
    const protocol = new Protocol({
      maxFlows: FLOWS_MAX,
      seed: process.pid,
      registryHash: shared.registry.hash,
      channels: [],
      maxAckDelayUs: ACK_DELAY_US,
      limits,
    });
    const runtime: Runtime = new Runtime({
      endpoint: Endpoint.openClient(
        {
          host: '0.0.0.0',
          maxFlows: FLOWS_MAX,
          nx: 'auto',
          driver: 'tick', // turns for many players at once
          tickIntervalUs: TICK_US,
          receiveBufferBytes: BUFFER_BYTES,
          sendBufferBytes: BUFFER_BYTES,
          maxPayloadBytes: PAYLOAD_BYTES,
        },
        () => runtime.turn(),
      ),
      protocol,
      handler: this,
      role: 'client',
      driver: 'tick',
      tickIntervalUs: TICK_US,
      maxFlows: FLOWS_MAX,
      maxPayloadBytes: PACKET_BYTES,
    });
    this.#runtime = runtime;
    this.#context = {
      ...(shared as Omit<BinaryPeerContext<Visitor>, 'acks' | 'onDrained' | 'port' | 'scratch'>),
      acks: new AckBatch(() => {
        runtime.setHandlerDeadline((runtime.nowUs + SESSION_ACK_ROUND_MS * 1000) | 0);
      }),
      onDrained: () => {},
      port: runtime,
      scratch: new Scratch(BODY_BYTES_MAX + 64),
    };
  }

  connect(visitor: Visitor, ticket: Ticket): void {
    const slot = this.#runtime.connect(ticket.connectToken, this.#addresses.next());
    const peer = new BinaryPeer<Visitor>(this.#context, visitor, slot, 'awaits-server');
    this.#peers[slot] = peer;
    visitor.peer = peer;
  }

  /** A flow cannot go without a goodbye while its process lives: see doomed-process.ts. */
  cut(): boolean {
    return false;
  }

  begin(ticket: Ticket): void {
    this.#runtime.connect(ticket.connectToken, this.#addresses.next());
  }

  /** What is to be sent, is sent now. */
  turn(): void {
    this.#runtime.turn();
  }

  close(): void {
    this.#runtime.close(CLOSE_NORMAL, '');
  }

  handleFlowOpened(): void {}

  handleFlowReady(slot: number, registryHash: number): void {
    const peer = this.#peers[slot];
    if (peer === null || peer === undefined) return;
    peer.handleReady(registryHash);
    peer.owner.handleReady(peer as VisitPeer);
  }

  handleMessage(
    slot: number,
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ageUs: number,
  ): void {
    this.#peers[slot]?.handleMessage(channel, mode, messageId, bytes, offset, length, ageUs);
  }

  handleRawPayload(): void {}

  handleFlowMoved(): void {}

  handleFlowClosed(slot: number, { code, reason, wasClean }: ClosedFlow): void {
    const peer = this.#peers[slot];
    if (peer === null || peer === undefined) return;
    this.#peers[slot] = null;
    peer.handleGone();
    peer.owner.handleClosed(peer, { code, reason, wasClean });
  }

  handleDrained(): void {}

  handleReceipt(): void {}

  handleWritable(): void {}

  handleTick(): void {}

  handleDeadline(): void {
    this.#context.acks.flush();
  }
}
