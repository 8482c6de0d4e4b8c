/**
 * A machine of the core level: one Protocol, a clock of its own, and the turn that a runtime would
 * give it. Packets are handed over without netcode; a corrupt one is dropped here, as its tag would.
 *
 *   arrivals ─▶ inbox ─▶ handlePacket ─▶ events ─▶ timers ─▶ transmit ─▶ links
 *
 * An immediate node takes its turn at each arrival; a ticked one, or one that stands still, leaves
 * arrivals in its inbox (the kernel's buffer) and drains it later.
 */

import { TALLY_SEND_EXPIRED } from '../../protocol/drop-reason.js';
import {
  CLOSE_PROTOCOL_ERROR,
  DROP_REASON_NAMES,
  EVENT_CLOSED,
  EVENT_DRAINED,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_READY,
  EVENT_RECEIPT,
  EVENT_VIOLATION,
  EVENT_WRITABLE,
  type Protocol,
  type ProtocolOptions,
  VIOLATION_NAMES,
} from '../../protocol/protocol.js';
import { TIMERS_AT_ONCE } from '../../util/limits.js';
import { EVENT_TIMER } from '../engine.js';
import type { MakeProtocol } from '../make-protocol.js';
import { NodeClock } from '../node-clock.js';
import { violate } from '../oracle/violation.js';
import { PACKET_SLOT_BYTES } from '../packet-pool.js';
import { CLOSE_CODES, type CoreEnd } from './core-end.js';
import { checkNode } from './core-oracle.js';
import type { CoreWorld } from './core-world.js';

export interface CoreNodeOptions {
  /** 0: a turn at each arrival; else a turn at each tick. */
  tickUs: number;
  /** What the node's clock shows at world time 0. */
  startUs: number;
  driftPpm: number;
  /** Datagrams that wait while the node does not run; more are lost, as in a kernel's buffer. */
  inboxPackets: number;
  protocol: ProtocolOptions;
}

/** A ticked runtime serves RL1's timers at its ticks while these are shorter than this. */
const TIMERS_AT_TICKS_US = 25_000;
/** A node that could not do all of its work in one turn goes on after so long. */
const AGAIN_US = 50;
const NO_LIMIT = 0x3fffffff;
/** All flows of a node with their windows full would not send as many at once. */
const PACKETS_PER_TURN_MAX = 100_000;

export class CoreNode {
  readonly protocol: Protocol;
  readonly clock: NodeClock;
  /** By slot of the Protocol. */
  readonly ends: (CoreEnd | null)[];
  /** The node's clock in this turn, int32 µs. */
  nodeUs = 0;
  stalledUntilUs = 0;
  /** Packets a turn may take and send. */
  rxMax = NO_LIMIT;
  txMax = NO_LIMIT;
  // What became of the datagrams that arrived: all of them are one of these, or still in the inbox.
  arrived = 0;
  handled = 0;
  overflowed = 0;
  unauthentic = 0;
  stale = 0;
  transmitted = 0;
  /** Ends that are over with this turn. */
  readonly endings: CoreEnd[] = [];
  private readonly inbox: number[] = [];
  private readonly inboxUs: number[] = [];
  private inboxHead = 0;
  private timerAtUs = Number.POSITIVE_INFINITY;
  /** The Protocol's deadline that the last wake was asked for. */
  private armedUs = 0;
  private readonly isTicked: boolean;
  private readonly servesTimersAtTicks: boolean;

  constructor(
    readonly world: CoreWorld,
    readonly index: number,
    readonly name: string,
    readonly options: CoreNodeOptions,
    make: MakeProtocol,
  ) {
    const turnUs = options.tickUs <= TIMERS_AT_TICKS_US ? options.tickUs : TIMERS_AT_TICKS_US;
    this.protocol = make({ ...options.protocol, turnUs }, index);
    this.clock = new NodeClock(options.startUs);
    this.clock.setDrift(0, options.driftPpm);
    this.ends = new Array(options.protocol.maxFlows).fill(null);
    this.isTicked = options.tickUs > 0;
    this.servesTimersAtTicks = this.isTicked && options.tickUs <= TIMERS_AT_TICKS_US;
  }

  get isStalled(): boolean {
    return this.world.nowUs < this.stalledUntilUs;
  }

  get waiting(): number {
    return this.inbox.length - this.inboxHead;
  }

  /** A datagram has come off the wire. */
  arrive(packet: number): void {
    const { world } = this;
    this.arrived += 1;
    if (this.isTicked || this.isStalled || this.waiting > 0 || this.rxMax !== NO_LIMIT) {
      this.keep(packet);
      if (!this.isTicked && !this.isStalled && this.waiting === 1) this.turn();
      return;
    }
    const nodeUs = this.clock.at(world.nowUs);
    this.nodeUs = nodeUs;
    this.take(packet, nodeUs);
    this.finish();
  }

  /** Takes what is waiting, fires what is due, sends what there is. */
  turn(): void {
    if (this.isStalled) return;
    this.nodeUs = this.clock.at(this.world.nowUs);
    let left = this.rxMax;
    while (this.inboxHead < this.inbox.length && left > 0) {
      const packet = this.inbox[this.inboxHead];
      const arrivalUs = this.inboxUs[this.inboxHead];
      this.inboxHead += 1;
      left -= 1;
      this.take(packet, arrivalUs);
    }
    if (this.inboxHead === this.inbox.length) {
      this.inbox.length = 0;
      this.inboxUs.length = 0;
      this.inboxHead = 0;
    }
    if (this.isTicked) this.world.actAtTick(this);
    this.finish();
    if (this.waiting > 0) this.wakeAt(this.world.nowUs + AGAIN_US);
  }

  /** EVENT_TIMER; several may be on the agenda, only the last one asked for counts. */
  timer(): void {
    if (this.world.nowUs < this.timerAtUs) return;
    this.timerAtUs = Number.POSITIVE_INFINITY;
    this.turn();
  }

  squeeze(limits: { rxPackets: number; txPackets: number } | null): void {
    this.rxMax = limits?.rxPackets ?? NO_LIMIT;
    this.txMax = limits?.txPackets ?? NO_LIMIT;
    this.wakeAt(this.world.nowUs + AGAIN_US);
  }

  wakeAt(worldUs: number): void {
    if (worldUs >= this.timerAtUs) return;
    this.timerAtUs = worldUs;
    this.world.agenda.push(worldUs, EVENT_TIMER, this.index, 0);
  }

  /** The part of a turn behind the arrivals. */
  finish(): void {
    const { world } = this;
    // As many turns as it takes: of very many flows one leaves some for the next.
    for (let left = this.ends.length; left >= 0; left -= TIMERS_AT_ONCE) {
      this.protocol.handleTimeout(this.nodeUs);
    }
    this.drainEvents();
    this.transmit();
    world.endFlows(this);
    this.arm();
    if (world.isCheckDue()) checkNode(this);
  }

  /** Messages that were dropped unsent because they expired. */
  expired(): number {
    return this.protocol.tallies[TALLY_SEND_EXPIRED];
  }

  /** Packets that RL1 refused for a reason. */
  refused(reason: string): number {
    return this.protocol.counters[DROP_REASON_NAMES.indexOf(reason)];
  }

  private keep(packet: number): void {
    if (this.waiting >= this.options.inboxPackets) {
      this.overflowed += 1;
      this.world.packets.free(packet);
      return;
    }
    this.inbox.push(packet);
    this.inboxUs.push(this.clock.at(this.world.nowUs));
  }

  private take(packet: number, arrivalUs: number): void {
    const { world, protocol } = this;
    const { packets } = world;
    const end = world.ends[packets.to[packet]];
    if (!end.isOpen || end.epoch !== packets.tag[packet]) this.stale += 1;
    else if (packets.corruptBit[packet] >= 0) this.unauthentic += 1;
    else {
      end.startTurn();
      this.handled += 1;
      const length = packets.length[packet];
      const bytes = packets.page(packet);
      const offset = packets.offset(packet);
      const { slot } = end;
      const reason = protocol.handlePacket(slot, this.nodeUs, arrivalUs, bytes, offset, length);
      world.hash.add(end.index, reason, length);
      if (world.trace !== null) world.traceTaken(end, packet, reason);
      this.drainEvents();
    }
    packets.free(packet);
  }

  private drainEvents(): void {
    const { protocol } = this;
    const { event } = protocol;
    for (;;) {
      const kind = protocol.pollEvent();
      if (kind === EVENT_NONE) return;
      const end = this.ends[event.slot];
      if (end === null) violate('state-after-close', `${this.name}: event ${kind} of a free slot`);
      if (kind === EVENT_MESSAGE) {
        end.receive(event.channel, event.mode, event.bytes, event.offset, event.length);
        if (end.messagesIn === end.freeAtMessage) this.world.freeNow(end);
      } else if (kind === EVENT_RECEIPT) end.told(event.receipt, event.code);
      else this.coldEvent(kind, end);
    }
  }

  private coldEvent(kind: number, end: CoreEnd): void {
    const { event } = this.protocol;
    switch (kind) {
      case EVENT_READY:
        end.ready();
        break;
      case EVENT_DRAINED:
        end.drained();
        if (end.closesWhenDrained) this.world.close(end, end.closeCode);
        break;
      case EVENT_WRITABLE:
        end.writable();
        break;
      case EVENT_CLOSED:
        if (event.code === CLOSE_PROTOCOL_ERROR) {
          const reason = event.bytes.subarray(event.offset, event.offset + event.length);
          violate('protocol-violation', `${end.name} was told ${String.fromCharCode(...reason)}`);
        }
        if (event.code !== end.peer.closeCode || !isCode(event.code)) {
          violate('closed-code', `${end.name} was closed with ${event.code}`);
        }
        this.world.endWithTurn(end);
        break;
      case EVENT_VIOLATION:
        violate(
          'protocol-violation',
          `${end.name} accuses its peer: ${VIOLATION_NAMES[event.code]}`,
        );
        break;
      default:
        violate('internal', `${end.name}: event ${kind}`);
    }
  }

  private transmit(): void {
    const { world, protocol, nodeUs } = this;
    const { packets } = world;
    let sent = 0;
    while (sent < this.txMax) {
      const packet = packets.alloc();
      const page = packets.page(packet);
      const offset = packets.offset(packet);
      const length = protocol.pollTransmit(nodeUs, page, offset, PACKET_SLOT_BYTES);
      if (length === 0) {
        packets.free(packet);
        return;
      }
      const end = this.ends[protocol.transmitSlot];
      if (end === null) violate('state-after-close', `${this.name} sends for a free slot`);
      this.transmitted += 1;
      sent += 1;
      if (sent > PACKETS_PER_TURN_MAX) violate('spin', `${this.name} does not stop sending`);
      packets.length[packet] = length;
      world.give(end, packet);
    }
    this.wakeAt(world.nowUs + AGAIN_US);
  }

  private arm(): void {
    const { protocol, world } = this;
    if (!protocol.hasDeadline) return;
    const { deadlineUs } = protocol;
    const aheadUs = (deadlineUs - this.nodeUs) | 0;
    if (aheadUs <= 0) violate('timer-in-past', `${this.name}: its deadline is ${-aheadUs} µs ago`);
    if (this.servesTimersAtTicks) return;
    if (deadlineUs === this.armedUs && this.timerAtUs !== Number.POSITIVE_INFINITY) return;
    this.armedUs = deadlineUs;
    this.wakeAt(this.clock.worldAt(deadlineUs, world.nowUs));
  }
}

function isCode(code: number): boolean {
  return (CLOSE_CODES as readonly number[]).includes(code);
}
