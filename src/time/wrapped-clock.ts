/**
 * A peer's clock of int32 µs (it wraps every 71 minutes) as milliseconds that do not wrap.
 *
 * One pair is known: the peer's time in ms and its wrapping clock at that moment. How often the clock
 * wrapped since is known from our own, which is right to far less than half a wrap.
 */
export class WrappedClock {
  #timeMs = 0;
  #clockUs = 0;
  #localMs = 0;

  /** All three of one moment. */
  begin(timeMs: number, clockUs: number, localMs: number): void {
    this.#timeMs = timeMs;
    this.#clockUs = clockUs;
    this.#localMs = localMs;
  }

  /** The peer's time when its clock shows `clockUs` and ours `localMs`. */
  timeMs(clockUs: number, localMs: number): number {
    const expectedUs = Math.round((localMs - this.#localMs) * 1000);
    const sinceUs = (clockUs - this.#clockUs) | 0;
    // The difference modulo 2^32, nearest to zero: `|` takes a double modulo 2^32 (ECMA-262 ToInt32).
    const errorUs = (sinceUs - expectedUs) | 0;
    return this.#timeMs + (expectedUs + errorUs) / 1000;
  }
}
