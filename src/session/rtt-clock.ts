/**
 * Round-trip time from `$ping`/`$time` exchanges on WebSocket, smoothed as in RFC 6298 §2 (gains 1/8
 * and 1/4).
 */
export class RttClock {
  /** Milliseconds; NaN until the first sample. */
  rttMs = Number.NaN;
  rttVarMs = Number.NaN;

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
}
