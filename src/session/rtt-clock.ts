/**
 * What a link over WebSocket knows of its path. Round-trip time from `$ping`/`$time` exchanges on WebSocket, smoothed as in RFC 6298 §2 (gains 1/8
 * and 1/4).
 */
export class RttClock {
  /** Milliseconds; NaN until the first sample. */
  rttMs = Number.NaN;
  rttVarMs = Number.NaN;
  /** Variation of the one-way time, ms. */
  jitterMs = 0;
  #transitMs = Number.NaN;

  /** When the `$ping` was sent and its `$time` came, by our clock, ms. False: it cannot be. */
  sample(sentMs: number, nowMs: number): boolean {
    const rtt = nowMs - sentMs;
    if (!(rtt >= 0)) return false;
    if (Number.isNaN(this.rttMs)) {
      this.rttMs = rtt;
      this.rttVarMs = rtt / 2;
    } else {
      this.rttVarMs += (Math.abs(this.rttMs - rtt) - this.rttVarMs) / 4;
      this.rttMs += (rtt - this.rttMs) / 8;
    }
    return true;
  }

  /** Something came that the other end had stamped by its clock, ms: RFC 3550 §6.4.1. */
  arrive(stampMs: number, nowMs: number): void {
    const transitMs = nowMs - stampMs;
    const changeMs = Math.abs(transitMs - this.#transitMs);
    if (changeMs >= 0) this.jitterMs += (changeMs - this.jitterMs) / 16;
    this.#transitMs = transitMs;
  }
}
