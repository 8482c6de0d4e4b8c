import { OffsetFilter } from './offset-filter.js';

/**
 * The server's clock as a client tells it, whatever the wire.
 *
 *   $hello ──▶ a first time, late by its way here
 *   exchanges ──▶ OffsetFilter ──▶ offset, led to it: at once until it has settled, then by ≤ 1 ms/s
 *
 * It never goes back. What is more than 50 ms off after all (a machine that slept, a path that
 * turned out to be much faster) is stepped over; when that would go back it stands still instead.
 *
 * Invariant: results of `nowMs` never decrease.
 */
const SETTLED = 5;
const SLEW = 0.001;
const STEP_MS = 50;

export class ServerClock {
  /** How often it was set after it had settled. */
  steps = 0;
  readonly #filter = new OffsetFilter();
  #helloOffsetMs = 0;
  /** Server time less our clock, as told now. */
  #offsetMs = 0;
  #advancedMs = Number.NEGATIVE_INFINITY;
  #told = Number.NEGATIVE_INFINITY;
  #isSettled = false;
  #restarts = 0;

  /** $hello came at `localMs` and says when it was sent. */
  begin(serverTimeMs: number, localMs: number): void {
    this.#helloOffsetMs = serverTimeMs - localMs;
    this.#offsetMs = this.#helloOffsetMs;
  }

  /** An exchange that ended at `localMs`: its round trip, and server clock less ours by its middle. */
  sample(roundTripMs: number, offsetMs: number, localMs: number): void {
    this.#filter.sample(roundTripMs, offsetMs, localMs);
  }

  /** Exchanges taken in. */
  get samples(): number {
    return this.#filter.count;
  }

  /** Server time at `localMs` of our monotonic clock, ms; never less than before. */
  nowMs(localMs: number): number {
    const filter = this.#filter;
    if (filter.count > 0) this.#lead(filter.at(localMs), localMs);
    const now = localMs + this.#offsetMs;
    if (now > this.#told) this.#told = now;
    return this.#told;
  }

  /** The server's clock is within ± this of `nowMs`, ms; Infinity before the first exchange. */
  errorMs(localMs: number): number {
    const aheadMs = Math.abs(this.nowMs(localMs) - localMs - this.#filter.at(localMs));
    return this.#filter.errorMs(localMs) + aheadMs;
  }

  #lead(wantedMs: number, localMs: number): void {
    const filter = this.#filter;
    const passedMs = Math.max(0, localMs - this.#advancedMs);
    this.#advancedMs = Math.max(this.#advancedMs, localMs);
    const offMs = wantedMs - this.#offsetMs;
    const hasJumped = filter.restarts !== this.#restarts;
    if (!this.#isSettled) {
      this.#offsetMs = wantedMs;
      this.#isSettled = filter.count >= SETTLED;
    } else if (hasJumped || Math.abs(offMs) > STEP_MS) {
      this.#offsetMs = wantedMs;
      this.steps += 1;
    } else {
      const mostMs = passedMs * (SLEW + Math.abs(filter.skewPpm) / 1_000_000);
      this.#offsetMs += Math.min(mostMs, Math.max(-mostMs, offMs));
    }
    this.#restarts = filter.restarts;
  }
}
