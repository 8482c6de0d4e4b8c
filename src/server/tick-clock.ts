/**
 * Ticks for a server without the native timer (UDP off). The schedule is absolute, start + n·step,
 * so it does not drift; one tick is as late as the event loop and setTimeout (±1 ms) make it.
 */
export class TickClock {
  readonly #stepMs: number;
  readonly #onTick: (ticksDue: number) => void;
  readonly #startMs: number;
  #done = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(tickHz: number, onTick: (ticksDue: number) => void) {
    this.#stepMs = 1000 / tickHz;
    this.#onTick = onTick;
    this.#startMs = performance.now();
    this.#arm();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    const dueMs = this.#startMs + (this.#done + 1) * this.#stepMs;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, dueMs - performance.now()));
  }

  #fire(): void {
    const passed = Math.floor((performance.now() - this.#startMs) / this.#stepMs);
    const due = passed - this.#done;
    this.#done += Math.max(0, due);
    this.#arm();
    if (due > 0) this.#onTick(due);
  }
}
