/**
 * A machine of the native level: the production endpoint over memory queues, the production Runtime
 * on top, a Protocol, and a clock of its own. The world is its kernel: it injects datagrams, takes
 * what the endpoint sends, and wakes it when its timer is due.
 */
import { SimRings } from '../../addon/sim-rings.js';
import { DROP_REASON_NAMES, type Protocol } from '../../protocol/protocol.js';
import type { ClosedFlow, OpenedFlow, RuntimeHandler } from '../../runtime/handler.js';
import { Runtime } from '../../runtime/runtime.js';
import { PACKET_BYTES, PAYLOAD_BYTES } from '../../util/limits.js';
import { EVENT_TIMER } from '../engine.js';
import { NodeClock } from '../node-clock.js';
import { violate } from '../oracle/violation.js';
import { PACKET_SLOT_BYTES } from '../packet-pool.js';
import type { NativeNodeOptions } from './native-config.js';
import type { NativeEnd } from './native-end.js';
import { watchNode } from './native-oracle.js';
import type { NativeWorld } from './native-world.js';
import { PROTOCOL_ID, SERVER_ADDRESS, UNIX_S } from './tokens.js';

const CLIENT_NX = { on: 'auto', off: 'off', required: 'require' } as const;
const SERVER_NX = { on: 'allow', off: 'off', required: 'require' } as const;
/** What a socket that is still readable waits for its next turn. */
const AGAIN_US = 50;
const NO_LIMIT = 0x3fffffff;

export class NativeNode implements RuntimeHandler {
  readonly endpoint: SimRings;
  readonly protocol: Protocol;
  readonly runtime: Runtime;
  readonly clock: NodeClock;
  readonly ends: (NativeEnd | null)[];
  stalledUntilUs = 0;
  /** Datagrams that the socket holds before a turn, and takes behind one. */
  private rxMax = NO_LIMIT;
  private txMax = NO_LIMIT;
  // Datagrams: given to the endpoint, lost before it because its socket was full, sent by it.
  injected = 0;
  overflowed = 0;
  transmitted = 0;
  /** Connections that a client began. */
  dials = 0;
  /** Datagrams given to the endpoint since it last drained. */
  private waiting = 0;
  private timerAtUs = Number.POSITIVE_INFINITY;
  private deferred: (() => void) | null = null;
  private readonly isTicked: boolean;

  constructor(
    readonly world: NativeWorld,
    readonly index: number,
    readonly name: string,
    readonly options: NativeNodeOptions,
    privateKey: Uint8Array | null,
    /** A machine whose process is started again keeps its clock. */
    clock: NodeClock | null = null,
  ) {
    const { tickUs, maxFlows, seed } = options;
    this.clock = clock ?? new NodeClock(options.startUs);
    if (clock === null) this.clock.setDrift(world.nowUs, options.driftPpm);
    const startUs = this.clock.absoluteUs(world.nowUs);
    this.isTicked = tickUs > 0;
    this.ends = new Array(maxFlows).fill(null);
    const common = {
      seed,
      startUs,
      unixS: this.unixS,
      maxFlows,
      maxPayloadBytes: PAYLOAD_BYTES,
      tickIntervalUs: tickUs,
    };
    const { nx, maxTokenLifetimeS: lifetimeS } = world.config;
    this.endpoint = new SimRings(
      privateKey === null
        ? { ...common, role: 'client', nx: CLIENT_NX[nx] }
        : {
            ...common,
            role: 'server',
            nx: SERVER_NX[nx],
            protocolId: PROTOCOL_ID,
            privateKey,
            serverAddresses: [SERVER_ADDRESS],
            ...(lifetimeS > 0 ? { maxTokenLifetimeS: lifetimeS } : {}),
          },
      options.rings,
    );
    const protocolOptions = {
      maxFlows,
      seed,
      registryHash: 1,
      maxAckDelayUs: options.maxAckDelayUs,
      limits: options.limits,
      channels: options.channels,
    };
    this.protocol = world.make(protocolOptions, index);
    this.runtime = new Runtime({
      endpoint: this.endpoint,
      protocol: this.protocol,
      handler: this,
      role: privateKey === null ? 'client' : 'server',
      driver: this.isTicked ? 'tick' : 'immediate',
      tickIntervalUs: tickUs,
      maxFlows,
      maxPayloadBytes: PACKET_BYTES,
      defer: (callback) => {
        this.deferred = callback;
      },
    });
    this.wakeAt(world.nowUs);
  }

  get isStalled(): boolean {
    return this.world.nowUs < this.stalledUntilUs;
  }

  /** A datagram from `address` has come off the wire. */
  arrive(packet: number, address: string): void {
    const { packets } = this.world;
    if (this.waiting >= Math.min(this.options.inboxPackets, this.rxMax)) this.overflowed += 1;
    else {
      const at = packets.offset(packet);
      const bytes = packets.page(packet).subarray(at, at + packets.length[packet]);
      const bit = packets.corruptBit[packet];
      if (bit >= 0) bytes[bit >> 3] ^= 1 << (bit & 7);
      this.setTime();
      this.endpoint.native.inject(address, bytes);
      this.injected += 1;
      this.waiting += 1;
    }
    packets.free(packet);
    if (!this.isTicked && !this.isStalled) this.turn();
  }

  /** EVENT_TIMER; several may be on the agenda, only the last one asked for counts. */
  timer(): void {
    if (this.world.nowUs < this.timerAtUs) return;
    this.timerAtUs = Number.POSITIVE_INFINITY;
    this.wake();
  }

  /** What a host does when its timer fires, or its process goes on. */
  wake(): void {
    if (this.isStalled) return;
    this.setTime();
    const { native } = this.endpoint;
    const isReadable = this.waiting > 0 && !this.isTicked;
    if (isReadable || this.endpoint.more || native.dueReasons() !== 0 || native.service()) {
      this.runTurn();
    }
    this.after();
  }

  turn(): void {
    if (this.isStalled) return;
    this.setTime();
    this.runTurn();
    this.after();
  }

  /** What the application did outside a turn; the runtime may have asked for one. */
  after(): void {
    while (this.deferred !== null) {
      const callback = this.deferred;
      this.deferred = null;
      for (const end of this.ends) end?.startTurn();
      callback();
      this.waiting = 0;
    }
    this.transmit();
    const { world } = this;
    const deadlineUs = this.endpoint.native.deadlineUs();
    if (deadlineUs !== null) this.wakeAt(this.clock.worldAtAbsolute(deadlineUs, world.nowUs));
    if (this.endpoint.more) this.wakeAt(world.nowUs + AGAIN_US);
    watchNode(this);
  }

  squeeze(limits: { rxPackets: number; txPackets: number } | null): void {
    this.rxMax = limits?.rxPackets ?? NO_LIMIT;
    this.txMax = limits?.txPackets ?? NO_LIMIT;
  }

  setTime(): void {
    this.endpoint.native.setTime(this.clock.absoluteUs(this.world.nowUs));
  }

  wakeAt(worldUs: number): void {
    if (worldUs >= this.timerAtUs) return;
    this.timerAtUs = worldUs;
    this.world.agenda.push(worldUs, EVENT_TIMER, this.index, 0);
  }

  /** The wall clock, seconds since 1970. */
  get unixS(): number {
    const elapsedUs = this.clock.absoluteUs(this.world.nowUs) - this.options.startUs;
    return UNIX_S + Math.floor(elapsedUs / 1_000_000);
  }

  private runTurn(): void {
    for (const end of this.ends) end?.startTurn();
    this.runtime.turn();
    if (!this.endpoint.more) this.waiting = 0;
  }

  private transmit(): void {
    const { world } = this;
    const { packets } = world;
    for (let left = this.txMax; left > 0; left--) {
      const packet = packets.alloc();
      const at = packets.offset(packet);
      const room = packets.page(packet).subarray(at, at + PACKET_SLOT_BYTES);
      const sent = this.endpoint.native.pollTransmit(room);
      if (sent === null) {
        packets.free(packet);
        return;
      }
      packets.length[packet] = sent.length;
      this.transmitted += 1;
      world.route(this, packet, sent.address);
    }
    this.wakeAt(world.nowUs + AGAIN_US);
  }

  // RuntimeHandler

  handleFlowOpened(flow: OpenedFlow): void {
    this.world.opened(this, flow);
  }

  handleFlowReady(slot: number): void {
    this.endAt(slot).ready();
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
    this.endAt(slot).receive(channel, mode, bytes, offset, length);
  }

  handleRawPayload(slot: number): void {
    violate('internal', `${this.endAt(slot).name} was given a raw payload`);
  }

  handleFlowMoved(): void {}

  handleFlowClosed(slot: number, closed: ClosedFlow): void {
    this.world.closedByPeer(this, slot, closed);
  }

  handleDrained(slot: number): void {
    this.world.drained(this.endAt(slot));
  }

  handleReceipt(slot: number, receipt: number, outcome: number): void {
    this.endAt(slot).told(receipt, outcome);
  }

  handleWritable(slot: number): void {
    this.endAt(slot).writable();
  }

  handleTick(): void {
    this.world.actAtTick(this);
  }

  handleDeadline(): void {}

  private endAt(slot: number): NativeEnd {
    const end = this.ends[slot];
    if (end === null) violate('state-after-close', `${this.name}: an event of free slot ${slot}`);
    return end;
  }

  /** Refused packets by reason, for traces and tables. */
  refused(): Record<string, number> {
    const entries = DROP_REASON_NAMES.map((name, index) => [name, this.protocol.counters[index]]);
    return Object.fromEntries(entries.slice(1));
  }
}
