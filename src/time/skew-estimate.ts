/**
 * How fast transits grow or shrink because the two clocks do not run alike: from the least transit of
 * one stretch of five seconds to that of the next. Clocks are off by up to 1000 ppm; what moves the
 * least transit by more is the path, and is not counted. The first figures are averaged, and of later
 * ones a quarter is believed.
 */
const STRETCH_US = 5_000_000;
const STRETCH_SAMPLES = 40;
/** The clocks', and as much again for what jitter makes of one stretch. */
const RATE_MAX = 0.002;
const GAIN_LEAST = 0.25;

/** Words of `state`. */
/** µs per µs. */
const RATE = 0;
const SUM = 1;
const LEAST = 2;
const LEAST_BEFORE = 3;
const WORDS = 4;

export class SkewEstimate {
  private readonly state = new Float64Array(WORDS);
  private figures = 0;
  private samples = 0;
  private hasTime = false;
  private lastUs = 0;
  private startUs = 0;
  private beforeUs = 0;

  constructor() {
    this.restart();
  }

  /** What the clocks have drifted since the start, as far as it was known at the time, whole µs. */
  get us(): number {
    return Math.round(this.state[SUM]) | 0;
  }

  /** By how much the sender's clock is fast, parts per million. */
  get ppm(): number {
    return -this.state[RATE] * 1_000_000;
  }

  /** Another origin of transits. The rate stays. */
  clear(): void {
    this.restart();
    this.state[SUM] = 0;
    this.hasTime = false;
  }

  /** Another path: what was measured of the old one does not compare. */
  restart(): void {
    this.samples = 0;
    this.state[LEAST] = Number.POSITIVE_INFINITY;
    this.state[LEAST_BEFORE] = Number.POSITIVE_INFINITY;
    this.startUs = this.lastUs;
  }

  /** The transit less the drift. Times may go back a little: packets are not taken in order. */
  correct(transitUs: number, nowUs: number): number {
    const { state } = this;
    if (!this.hasTime) {
      this.hasTime = true;
      this.lastUs = nowUs;
      this.startUs = nowUs;
    }
    const passedUs = (nowUs - this.lastUs) | 0;
    if (passedUs > 0) {
      state[SUM] += passedUs * state[RATE];
      this.lastUs = nowUs;
    }
    const evenUs = (transitUs - this.us) | 0;
    if (((nowUs - this.startUs) | 0) >= STRETCH_US && this.samples >= STRETCH_SAMPLES) {
      this.endStretch(nowUs);
    }
    this.samples += 1;
    if (evenUs < state[LEAST]) state[LEAST] = evenUs;
    return evenUs;
  }

  private endStretch(nowUs: number): void {
    const { state } = this;
    const apartUs = (this.startUs - this.beforeUs) | 0;
    if (state[LEAST_BEFORE] !== Number.POSITIVE_INFINITY && apartUs > 0) {
      const rate = (state[LEAST] - state[LEAST_BEFORE]) / apartUs;
      const measured = state[RATE] + rate;
      if (measured <= RATE_MAX && measured >= -RATE_MAX) {
        this.figures += 1;
        state[RATE] += Math.max(1 / this.figures, GAIN_LEAST) * rate;
      }
    }
    state[LEAST_BEFORE] = state[LEAST];
    state[LEAST] = Number.POSITIVE_INFINITY;
    this.beforeUs = this.startUs;
    this.startUs = nowUs;
    this.samples = 0;
  }
}
