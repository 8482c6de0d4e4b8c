/**
 * The offset of a peer's clock and how fast it changes, out of exchanges (RFC 5905 §8): a Kalman filter
 * of two states (R. E. Kalman 1960). The offset that an exchange shows is wrong by at most half of what
 * its round trip exceeds the least one, so that excess says how little it is believed; what all
 * exchanges exceed it by is jitter of both directions, which averages out. A queue in one direction
 * that lasts pulls the offset slowly instead of at once.
 *
 * A good exchange also proves bounds: the true offset is within half its round trip of what it shows.
 * An estimate outside has been overtaken by a clock that jumped, and the filter starts again.
 *
 * Times are milliseconds of one monotonic clock each; the skew is ms per s, 1 = 1000 ppm.
 */
/** What stamps are worth: rounding, and the way from the socket to the program. */
const STAMP_MS = 0.7;
/** Clocks are within 50 ppm of each other by one standard deviation, and stay within 1000. */
const SKEW_SIGMA = 0.05;
const SKEW_MAX = 1;
/** How far offset and skew wander, variance per s: 1 µs, and 0.1 ppm, in a second. */
const OFFSET_WANDER = 1e-6;
const SKEW_WANDER = 1e-8;
/** The least round trip may become longer: by so much per s it is given up, ms. */
const LEAST_RELAX = 0.1;
/** Jitter is what exchanges of the last minute exceed the least by, single ones cut off. */
const JITTER_MEMORY = 64;
const JITTER_CUT = 1.5;
/** Of the first round trip, until there is more to go by; it counts as two exchanges. */
const JITTER_GUESS = 1 / 32;
/** Beyond the bounds by this much, the clock has jumped. */
const BOUND_SLACK_MS = 1;
/** This many exchanges in a row that are all far from the estimate: it is wrong. */
const FAR_COUNT = 4;
const FAR_SIGMA = 5;
const FAR_MS = 2;

export class OffsetFilter {
  /** Exchanges taken. */
  count = 0;
  /** How often a clock jumped. */
  restarts = 0;
  private offsetMs = 0;
  private skew = 0;
  private atMs = 0;
  private leastMs = 0;
  private jitterMs = 0;
  /** Covariance: offset, both, skew. */
  private p00 = 0;
  private p01 = 0;
  private p11 = 0;
  private far = 0;
  private sinceRestart = 0;

  /** Peer's clock less ours at `nowMs`. */
  at(nowMs: number): number {
    return this.offsetMs + (this.skew * (nowMs - this.atMs)) / 1000;
  }

  /** By how much the peer's clock is fast, parts per million. */
  get skewPpm(): number {
    return this.skew * 1000;
  }

  /** Exchanges since the last restart. */
  get settled(): number {
    return this.sinceRestart;
  }

  /**
   * The truth is within ± this of `at`: half of the least round trip, all of which may have been
   * spent in one direction, and two standard deviations. Infinity without an exchange.
   */
  errorMs(nowMs: number): number {
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    const passed = Math.max(0, nowMs - this.atMs) / 1000;
    const variance = this.p00 + passed * (2 * this.p01 + passed * this.p11);
    return this.leastMs / 2 + 2 * Math.sqrt(Math.max(0, variance));
  }

  /** An exchange that ended at `nowMs`: its round trip, and the offset by its middle. */
  sample(roundTripMs: number, offsetMs: number, nowMs: number): void {
    this.count += 1;
    if (this.count === 1) {
      this.p11 = SKEW_SIGMA * SKEW_SIGMA;
      this.begin(roundTripMs, offsetMs, nowMs);
      return;
    }
    this.predict(nowMs);
    const beyondMs = Math.abs(offsetMs - this.offsetMs) - roundTripMs / 2;
    if (beyondMs > BOUND_SLACK_MS && beyondMs > this.p00 ** 0.5) {
      this.restart(roundTripMs, offsetMs, nowMs);
      return;
    }
    this.correct(roundTripMs, offsetMs, nowMs);
  }

  private begin(roundTripMs: number, offsetMs: number, nowMs: number): void {
    this.offsetMs = offsetMs;
    this.atMs = nowMs;
    this.leastMs = roundTripMs;
    this.jitterMs = roundTripMs * JITTER_GUESS;
    this.p00 = this.jitterMs * this.jitterMs + STAMP_MS * STAMP_MS;
    this.p01 = 0;
    this.far = 0;
    this.sinceRestart = 1;
  }

  private restart(roundTripMs: number, offsetMs: number, nowMs: number): void {
    this.restarts += 1;
    this.begin(roundTripMs, offsetMs, nowMs);
  }

  private predict(nowMs: number): void {
    const passed = Math.max(0, nowMs - this.atMs) / 1000;
    this.atMs = Math.max(this.atMs, nowMs);
    this.offsetMs += this.skew * passed;
    this.p00 += passed * (2 * this.p01 + passed * this.p11) + OFFSET_WANDER * passed;
    this.p01 += passed * this.p11;
    this.p11 = Math.min(this.p11 + SKEW_WANDER * passed, SKEW_SIGMA * SKEW_SIGMA);
    this.leastMs += LEAST_RELAX * passed;
  }

  private correct(roundTripMs: number, offsetMs: number, nowMs: number): void {
    if (roundTripMs < this.leastMs) {
      // All before was worse than it seemed.
      this.p00 += ((this.leastMs - roundTripMs) / 6) ** 2;
      this.leastMs = roundTripMs;
    }
    const excessMs = roundTripMs - this.leastMs;
    this.sinceRestart += 1;
    const count = Math.min(this.sinceRestart, JITTER_MEMORY);
    const cutMs = count < 8 ? excessMs : Math.min(excessMs, JITTER_CUT * this.jitterMs + 0.2);
    this.jitterMs += (cutMs - this.jitterMs) / (count + 1);
    const unusualMs = Math.max(0, excessMs - JITTER_CUT * this.jitterMs);
    const noise = STAMP_MS * STAMP_MS + this.jitterMs * this.jitterMs + unusualMs * unusualMs;
    const innovation = offsetMs - this.offsetMs;
    const variance = this.p00 + noise;
    if (Math.abs(innovation) <= FAR_SIGMA * Math.sqrt(variance) + FAR_MS) this.far = 0;
    else if (++this.far === FAR_COUNT) {
      this.restart(roundTripMs, offsetMs, nowMs);
      return;
    }
    const gain0 = this.p00 / variance;
    const gain1 = this.p01 / variance;
    this.offsetMs += gain0 * innovation;
    this.skew = clamp(this.skew + gain1 * innovation, SKEW_MAX);
    this.p11 -= gain1 * this.p01;
    this.p01 *= 1 - gain0;
    this.p00 *= 1 - gain0;
  }
}

function clamp(value: number, most: number): number {
  return value > most ? most : value < -most ? -most : value;
}
