/**
 * When ticks are due, by the server's clock: the schedule is absolute, tick k at start + k · step, and a
 * tick is late or on time but never early, so the earliest seen tells the schedule.
 *
 * Invariant: every tick that ran did so at or after its due time.
 */
import type { TickSchedule } from '../time/input-lead.js';

export class TickTimes {
  /** The newest tick that has begun; −1 before the first. */
  lastTick = -1;
  readonly stepMs: number;
  #startMs: number;

  /** `nowMs`: when the ticking is thought to begin; the first tick is a step later. */
  constructor(tickHz: number, nowMs: number) {
    this.stepMs = 1000 / tickHz;
    this.#startMs = nowMs + this.stepMs;
  }

  begin(tick: number, nowMs: number): void {
    const startMs = nowMs - tick * this.stepMs;
    // What was known before the first tick is a guess: sockets open in between, and that takes time.
    this.#startMs = this.lastTick < 0 ? startMs : Math.min(this.#startMs, startMs);
    this.lastTick = tick;
  }

  dueMs(tick: number): number {
    return this.#startMs + tick * this.stepMs;
  }

  schedule(): TickSchedule {
    const tick = Math.max(0, this.lastTick);
    return { tick, atMs: this.dueMs(tick), stepMs: this.stepMs };
  }
}
