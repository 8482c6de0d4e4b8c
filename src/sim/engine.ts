/**
 * The part of a world that both levels share: the agenda, the clock, the network, the faults, the
 * hash over all that happens.
 *
 *   agenda ─▶ handle ─▶ node ─▶ link.offer ─▶ agenda (arrival)
 *
 * World time is whole µs in a float64, from 0. Nothing else tells a node what time it is.
 */
import { EventHash } from './event-hash.js';
import { EventHeap } from './event-heap.js';
import { DARK_BITS, describeFault, type Fault } from './fault.js';
import { FATE_CARRIED, FATE_NAMES, Link } from './network/link.js';
import { calm, type PathProfile } from './network/profile.js';
import { violate } from './oracle/violation.js';
import { PacketPool } from './packet-pool.js';
import type { Trace } from './trace.js';

export const EVENT_ARRIVE = 0;
export const EVENT_TIMER = 1;
export const EVENT_ACT = 2;
export const EVENT_TICK = 3;
export const EVENT_FAULT = 4;
/** Kinds from here on belong to the level. */
export const EVENT_OWN = 8;

/** Events at one instant; more means that something wakes itself without end. */
const EVENTS_PER_INSTANT_MAX = 200_000;
/** At least 2^this looks while a world's turns double. */
const LOOKS_LOG2 = 7;

export abstract class Engine {
  nowUs = 0;
  readonly agenda = new EventHeap();
  readonly hash = new EventHash();
  readonly packets = new PacketPool();
  /** By client. */
  readonly ups: Link[] = [];
  readonly downs: Link[] = [];
  readonly paths: PathProfile[] = [];
  /** By client: the least delay of any path that it will have; no honest delivery beats it. */
  readonly leastUpUs: number[] = [];
  readonly leastDownUs: number[] = [];
  /** Datagrams on their way. */
  inFlight = 0;
  /** Events handled. */
  steps = 0;
  private turns = 0;
  private nextCheck = 0;
  private instantSteps = 0;
  private isCalm = false;
  private readonly faults: readonly Fault[];

  constructor(
    readonly seed: number,
    paths: readonly PathProfile[],
    faults: readonly Fault[],
    readonly trace: Trace | null,
    private readonly turnsPerCheck: number,
  ) {
    for (const [client, path] of paths.entries()) {
      this.ups.push(new Link(seed, `up ${client}`, path.up));
      this.downs.push(new Link(seed, `down ${client}`, path.down));
      this.paths.push(path);
      this.leastUpUs.push(path.up.delayUs);
      this.leastDownUs.push(path.down.delayUs);
    }
    this.faults = faults;
    for (const [index, fault] of faults.entries()) {
      this.agenda.push(fault.fromUs, EVENT_FAULT, index, 0);
      if ('toUs' in fault) this.agenda.push(fault.toUs, EVENT_FAULT, index, 1);
      if (fault.kind !== 'path') continue;
      const { client, path } = fault;
      this.leastUpUs[client] = Math.min(this.leastUpUs[client], path.up.delayUs);
      this.leastDownUs[client] = Math.min(this.leastDownUs[client], path.down.delayUs);
    }
  }

  /**
   * Counts a turn of a node; true when all of its structures are to be looked at. In long worlds the
   * looks are further and further apart, so that their share of the time stays small.
   */
  isCheckDue(): boolean {
    this.turns += 1;
    if (this.turns < this.nextCheck) return false;
    this.nextCheck = this.turns + Math.max(this.turnsPerCheck, this.turns >> LOOKS_LOG2);
    return true;
  }

  /** Everything up to and including `untilUs` happens. */
  run(untilUs: number): void {
    const { agenda, hash } = this;
    while (agenda.nextUs <= untilUs) {
      agenda.pop();
      if (agenda.timeUs > this.nowUs) this.instantSteps = 0;
      this.nowUs = agenda.timeUs;
      hash.addTime(agenda.timeUs, agenda.kind);
      this.steps += 1;
      this.instantSteps += 1;
      if (this.instantSteps > EVENTS_PER_INSTANT_MAX) {
        violate('spin', `${EVENTS_PER_INSTANT_MAX} events at ${this.nowUs} µs`);
      }
      if (agenda.kind === EVENT_FAULT) this.applyFault(agenda.a, agenda.b === 1);
      else this.handle(agenda.kind, agenda.a, agenda.b);
    }
    this.nowUs = untilUs;
  }

  protected abstract handle(kind: number, a: number, b: number): void;
  protected abstract faultNode(fault: Fault, isOver: boolean): void;

  /** Gives a filled packet to a link; its arrival is on the agenda, or it is gone. */
  protected carry(link: Link, packet: number): number {
    const { packets, agenda } = this;
    packets.sentUs[packet] = this.nowUs;
    const fate = link.offer(this.nowUs, packets.length[packet]);
    if (fate !== FATE_CARRIED) {
      packets.free(packet);
      return fate;
    }
    packets.corruptBit[packet] = link.corruptBit;
    if (link.copyUs >= 0) {
      const twin = packets.copy(packet);
      packets.corruptBit[twin] = -1;
      agenda.push(link.copyUs, EVENT_ARRIVE, twin, 0);
      this.inFlight += 1;
    }
    agenda.push(link.arriveUs, EVENT_ARRIVE, packet, 0);
    this.inFlight += 1;
    return fate;
  }

  /** From now on nothing goes wrong any more: the phase in which everything must arrive. */
  calmDown(): void {
    this.isCalm = true;
    for (const [client, path] of this.paths.entries()) {
      this.usePath(client, calm(path));
      this.ups[client].dark = 0;
      this.downs[client].dark = 0;
    }
    for (const fault of this.faults) if ('toUs' in fault) this.faultNode(fault, true);
    this.trace?.world(this.nowUs, 'calm: no more faults');
  }

  private usePath(client: number, path: PathProfile): void {
    this.paths[client] = path;
    this.ups[client].setProfile(path.up);
    this.downs[client].setProfile(path.down);
  }

  private applyFault(index: number, isOver: boolean): void {
    if (this.isCalm) return;
    const fault = this.faults[index];
    this.trace?.world(this.nowUs, `${isOver ? 'over: ' : ''}${describeFault(fault)}`);
    if (fault.kind === 'dark') {
      const bit = DARK_BITS[fault.why];
      for (const client of fault.clients) {
        if (fault.direction !== 'down') this.darken(this.ups[client], bit, isOver);
        if (fault.direction !== 'up') this.darken(this.downs[client], bit, isOver);
      }
    } else if (fault.kind === 'path') this.usePath(fault.client, fault.path);
    else this.faultNode(fault, isOver);
  }

  private darken(link: Link, bit: number, isOver: boolean): void {
    if (isOver) link.dark &= ~bit;
    else link.dark |= bit;
  }

  /** Datagrams given to all links, and what became of them by name. */
  fates(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const [fate, name] of FATE_NAMES.entries()) {
      let sum = 0;
      for (const link of this.ups) sum += link.counters[fate];
      for (const link of this.downs) sum += link.counters[fate];
      sums[name] = sum;
    }
    return sums;
  }

  copies(): number {
    let sum = 0;
    for (const link of this.ups) sum += link.copies;
    for (const link of this.downs) sum += link.copies;
    return sum;
  }
}
