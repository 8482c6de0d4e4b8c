/**
 * The server's session clock as a UDP client reads it.
 *
 * $hello gives one pair: server time in ms, and the server's protocol clock (int32 µs, wraps every
 * 71 minutes) at that moment. From then on the protocol tells that clock; how often it wrapped
 * is known from our own clock, which is right to far less than half a wrap. Until the protocol has
 * measured, our own clock alone carries on from $hello.
 */
export class ServerClock {
  #helloTimeMs = 0;
  #helloClockUs = 0;
  #helloLocalMs = 0;
  /** Server time less our own clock, ms. */
  #offsetMs = 0;

  /** All three at the moment of $hello. */
  begin(serverTimeMs: number, clockUs: number, localMs: number): void {
    this.#helloTimeMs = serverTimeMs;
    this.#helloClockUs = clockUs;
    this.#helloLocalMs = localMs;
    this.#offsetMs = serverTimeMs - localMs;
  }

  /** The server's protocol clock at `localMs`. */
  sync(clockUs: number, localMs: number): void {
    const expectedUs = (localMs - this.#helloLocalMs) * 1000;
    const sinceUs = (clockUs - this.#helloClockUs) | 0;
    // The difference modulo 2^32, nearest to zero: `|` takes a double modulo 2^32 (ECMA-262 ToInt32).
    const errorUs = (sinceUs - Math.round(expectedUs)) | 0;
    this.#offsetMs = this.#helloTimeMs + (Math.round(expectedUs) + errorUs) / 1000 - localMs;
  }

  nowMs(localMs: number): number {
    return localMs + this.#offsetMs;
  }
}
