/**
 * Ticks without the native timer. The schedule is absolute, tick n is due at start + n · step, so it
 * does not drift; one tick is as late as the event loop and setTimeout (±1 ms) make it.
 */

/** Time and timers; those of the machine unless a test has its own. */
export interface TimerPort {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls back once after `ms` or later; the answer is for `clear`. */
  set(callback: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export const MACHINE_TIMERS: TimerPort = {
  nowMs: () => performance.now(),
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

export class TickClock {
  readonly #stepMs: number;
  readonly #onTick: (ticksDue: number) => void;
  readonly #timers: TimerPort;
  readonly #startMs: number;
  /** Ticks that ran or were skipped. */
  #done = 0;
  #timer: unknown = null;
  #isClosed = false;

  /** `onTick` is told how many ticks have come: above 1 the process was late. */
  constructor(hz: number, onTick: (ticksDue: number) => void, timers: TimerPort = MACHINE_TIMERS) {
    this.#stepMs = 1000 / hz;
    this.#onTick = onTick;
    this.#timers = timers;
    this.#startMs = timers.nowMs();
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timers.clear(this.#timer);
  }

  #arm(): void {
    const dueMs = this.#startMs + (this.#done + 1) * this.#stepMs;
    const waitMs = Math.max(0, dueMs - this.#timers.nowMs());
    this.#timer = this.#timers.set(() => this.#fire(), waitMs);
  }

  #fire(): void {
    // Of ticks that came while handlers ran, the newest runs next; a timer may also be early.
    const passed = Math.floor((this.#timers.nowMs() - this.#startMs) / this.#stepMs);
    const due = passed - this.#done;
    this.#done += Math.max(0, due);
    if (due > 0) this.#onTick(due);
    if (!this.#isClosed) this.#arm();
  }
}
