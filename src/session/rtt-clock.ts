/**
 * Round-trip time and the peer's clock from `$ping`/`$time` exchanges on WebSocket.
 *
 * RTT is smoothed as in RFC 6298 §2 (gains 1/8 and 1/4). The clock offset comes from the sample
 * with the smallest RTT of the last eight, whose error is at most half its RTT (RFC 5905 §8).
 */
const SAMPLES = 8;

export class RttClock {
  /** Milliseconds; NaN until the first sample. */
  rttMs = Number.NaN;
  rttVarMs = Number.NaN;
  /** Server clock minus local clock, ms; NaN until the first sample. */
  offsetMs = Number.NaN;
  readonly #rtts = new Float64Array(SAMPLES).fill(Number.POSITIVE_INFINITY);
  readonly #offsets = new Float64Array(SAMPLES);
  #count = 0;

  /** All in ms: local send time, the peer's clock when it answered, local receive time. */
  sample(sentMs: number, serverMs: number, nowMs: number): void {
    const rtt = nowMs - sentMs;
    if (!(rtt >= 0) || !Number.isFinite(serverMs)) return;
    if (this.#count === 0) {
      this.rttMs = rtt;
      this.rttVarMs = rtt / 2;
    } else {
      this.rttVarMs += (Math.abs(this.rttMs - rtt) - this.rttVarMs) / 4;
      this.rttMs += (rtt - this.rttMs) / 8;
    }
    const slot = this.#count++ % SAMPLES;
    this.#rtts[slot] = rtt;
    this.#offsets[slot] = serverMs - (sentMs + rtt / 2);
    let best = 0;
    for (let i = 1; i < SAMPLES; i++) if (this.#rtts[i] < this.#rtts[best]) best = i;
    this.offsetMs = this.#offsets[best];
  }
}
