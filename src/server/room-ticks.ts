/**
 * Ticks of rooms, each at a rate of its own. Rooms of one rate share one schedule: their ticks come
 * in one task, and what they say to a player leaves together. No tick waits for a socket.
 */
import type { HandlerErrors } from './handler-errors.js';
import { MACHINE_TIMERS, TickClock, type TimerPort } from './tick-clock.js';
import type { TickInfo } from './types.js';

interface Loop {
  readonly handler: (tick: TickInfo) => unknown;
  readonly room: string;
  /** Ticks it has had, the skipped ones included. */
  tick: number;
}

interface Schedule {
  readonly clock: TickClock;
  /** Replaced, never changed: a handler may add or remove handlers. */
  loops: readonly Loop[];
}

export class RoomTicks {
  /** Since the start, of all rooms: ticks that ran, and those left out. */
  ran = 0;
  skipped = 0;
  readonly #errors: HandlerErrors;
  readonly #nowMs: () => number;
  readonly #timers: TimerPort;
  readonly #schedules = new Map<number, Schedule>();
  #isClosed = false;

  /** @param nowMs the server's clock, for handlers */
  constructor(errors: HandlerErrors, nowMs: () => number, timers: TimerPort = MACHINE_TIMERS) {
    this.#errors = errors;
    this.#nowMs = nowMs;
    this.#timers = timers;
  }

  /** Returns the function that ends the loop. */
  add(room: string, hz: number, handler: (tick: TickInfo) => unknown): () => void {
    if (this.#isClosed) return () => {};
    const loop: Loop = { handler, room, tick: 0 };
    const schedule = this.#schedules.get(hz);
    if (schedule !== undefined) {
      schedule.loops = [...schedule.loops, loop];
    } else {
      const clock = new TickClock(hz, (ticksDue) => this.#run(hz, ticksDue), this.#timers);
      this.#schedules.set(hz, { clock, loops: [loop] });
    }
    return () => this.#remove(hz, loop);
  }

  close(): void {
    this.#isClosed = true;
    for (const { clock } of this.#schedules.values()) clock.close();
    this.#schedules.clear();
  }

  #remove(hz: number, loop: Loop): void {
    const schedule = this.#schedules.get(hz);
    if (schedule === undefined) return;
    schedule.loops = schedule.loops.filter((other) => other !== loop);
    if (schedule.loops.length > 0) return;
    schedule.clock.close();
    this.#schedules.delete(hz);
  }

  #run(hz: number, ticksDue: number): void {
    const schedule = this.#schedules.get(hz);
    if (schedule === undefined) return;
    const { loops } = schedule;
    const stepMs = 1000 / hz;
    for (let i = 0; i < loops.length && !this.#isClosed; i++) {
      const loop = loops[i];
      if (!schedule.loops.includes(loop)) continue; // by an earlier handler of this tick
      loop.tick += ticksDue;
      this.ran++;
      this.skipped += ticksDue - 1;
      const info = { tick: loop.tick - 1, nowMs: this.#nowMs(), stepMs, skipped: ticksDue - 1 };
      this.#errors.call(`onTick of room ${loop.room}`, loop.handler, info);
    }
  }
}
