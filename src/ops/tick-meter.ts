/**
 * How late ticks begin and how long their handlers take.
 *
 * The schedule is absolute: tick n is due at origin + n · step. Its origin is not told by the timer
 * that fires it, but no tick is early, so the earliest origin that any tick suggests is it.
 */
import { DurationHistogram } from './histogram.js';

export class TickMeter {
  readonly lateness = new DurationHistogram();
  readonly duration = new DurationHistogram();
  readonly #stepUs: number;
  #originUs = Number.POSITIVE_INFINITY;
  #beganUs = 0;

  /** @param stepUs nominal length of a tick */
  constructor(stepUs: number) {
    this.#stepUs = stepUs;
  }

  /** Before the handlers of tick `tick` (counted from 0, skipped ones included). */
  begin(tick: number, nowUs: number): void {
    const originUs = nowUs - tick * this.#stepUs;
    if (originUs < this.#originUs) this.#originUs = originUs;
    this.lateness.observe(originUs - this.#originUs);
    this.#beganUs = nowUs;
  }

  /** After them. */
  end(nowUs: number): void {
    this.duration.observe(nowUs - this.#beganUs);
  }
}
