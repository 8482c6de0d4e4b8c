/**
 * The game of the suite's servers, the same on every wire: matches of four (examples/brawler), in
 * order of arrival. A room hears one Snapshot per tick, so that it is encoded once for all four: `ackSeq`
 * is the oldest of its players' newest inputs, and `timeRemainingMs` when the tick was due (µs of
 * CLOCK_MONOTONIC, modulo 2^32), which every process of this machine can compare with its clock.
 */

import type { GameEventValue, SnapshotValue } from '../../../examples/brawler/game/messages.js';
import { FIGHTERS_MAX, STEPS_PER_SECOND } from '../../../examples/brawler/game/rules.js';
import { SnapshotWriter } from '../../../examples/brawler/game/snapshot.js';
import { step } from '../../../examples/brawler/game/step.js';
import {
  addFighter,
  createMatch,
  type Match,
  startRound,
} from '../../../examples/brawler/game/world.js';

/** How a wire tells the four players of a room. Both answer how many took it. */
export interface Channel {
  snapshot(value: SnapshotValue): number;
  event(value: GameEventValue): number;
}

export interface Table<C extends Channel> {
  readonly match: Match;
  readonly writer: SnapshotWriter;
  readonly channel: C;
  seats: number;
}

export class Arena<C extends Channel> {
  readonly tables: Table<C>[] = [];
  /** Snapshots and events taken, one for each player. */
  messagesOut = 0;
  /** Of them the events. */
  eventsOut = 0;
  /** Nobody plays: ticks pass, and nothing happens in them. */
  isStill = false;
  ticksSkipped = 0;
  /** Ticks that ran: what snapshots and events are numbered by. */
  tick = 0;
  private readonly stepMs: number;
  private stepsOwed = 0;
  private passed = 0;
  /** performance.now() of tick 0: a tick is late or on time but never early. */
  private startMs = Number.POSITIVE_INFINITY;
  private readonly clockOffsetMs = monotonicMs() - performance.now();

  constructor(
    private readonly tickHz: number,
    private readonly open: (number: number) => C,
  ) {
    this.stepMs = 1000 / tickHz;
  }

  /** A place in the first room that has one: its table, and the index of its fighter. */
  seat(): { table: Table<C>; index: number } {
    let table = this.tables.at(-1);
    if (table === undefined || table.seats === FIGHTERS_MAX) table = this.openTable();
    table.seats += 1;
    const fighter = addFighter(table.match);
    if (table.seats === FIGHTERS_MAX) startRound(table.match);
    return { table, index: fighter?.index ?? 0 };
  }

  /** `ticksDue`: above 1 the process was late. */
  run(ticksDue: number): void {
    this.passed += ticksDue;
    const nowMs = performance.now();
    this.startMs = Math.min(this.startMs, nowMs - this.passed * this.stepMs);
    if (this.isStill) return;
    this.ticksSkipped += ticksDue - 1;
    const stamp = toStamp(this.startMs + this.passed * this.stepMs + this.clockOffsetMs);
    this.tick += 1;
    this.stepsOwed += STEPS_PER_SECOND / this.tickHz;
    const steps = Math.floor(this.stepsOwed + 1e-9);
    this.stepsOwed -= steps;
    for (const table of this.tables) this.advance(table, steps, stamp);
  }

  private advance(table: Table<C>, steps: number, stamp: number): void {
    const { match, writer, channel } = table;
    for (let count = 0; count < steps; count += 1) step(match);
    writer.fill();
    const { value } = writer;
    value.tick = this.tick;
    value.timeRemainingMs = stamp;
    value.ackSeq = oldestInput(match);
    this.messagesOut += channel.snapshot(value);
    for (const event of match.events) {
      event.tick = this.tick;
      const takers = channel.event(event);
      this.messagesOut += takers;
      this.eventsOut += takers;
    }
    match.events.length = 0;
  }

  private openTable(): Table<C> {
    const match = createMatch(this.tables.length + 1);
    const channel = this.open(this.tables.length);
    const table = { match, writer: new SnapshotWriter(match), channel, seats: 0 };
    this.tables.push(table);
    return table;
  }
}

function oldestInput({ fighters }: Match): number {
  let oldest = Number.MAX_SAFE_INTEGER;
  for (let index = 0; index < fighters.length; index += 1) {
    const { present, input } = fighters[index];
    if (present && input.lastSeq < oldest) oldest = input.lastSeq;
  }
  return oldest === Number.MAX_SAFE_INTEGER ? 0 : oldest;
}

function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

function toStamp(ms: number): number {
  return Math.floor(ms * 1000) % 2 ** 32;
}
