import { BUCKET_US } from './delay-histogram.js';

/**
 * Has the path changed? Packets that come later than 95 % of those before them, all of them for 200 ms,
 * do not stand behind a stall: what a stall held back arrives at once. Nor are packets that all come
 * earlier than half of those before them, for 300 ms, mere luck. The samples of a run wait here until it
 * is known which network they are of.
 */
const UP_PACKETS = 5;
const UP_US = 200_000;
const DOWN_PACKETS = 12;
const DOWN_US = 300_000;
export const RUN_SAMPLES_MAX = 64;

/** Words of `state`. */
const LEAST = 0;
const LOW = 1;
const WORDS = 2;

export class PathRun {
  /** Samples that wait. */
  count = 0;
  readonly samples = new Int32Array(RUN_SAMPLES_MAX);
  private readonly state = new Int32Array(WORDS);
  private side = 0;
  private startUs = 0;

  /** How the run's fast end differs from the one before it, µs. */
  get shiftUs(): number {
    return this.state[LEAST] - this.state[LOW];
  }

  /**
   * Takes a sample in: true when it may belong to a run, which it then waits with. False: it does
   * not, and the run before it has ended for nothing.
   */
  take(us: number, nowUs: number, lowUs: number, medianUs: number, quantileUs: number): boolean {
    const side = us > quantileUs + BUCKET_US ? 1 : us < medianUs - BUCKET_US ? -1 : 0;
    if (side === 0 || (this.count > 0 && side !== this.side) || this.count === RUN_SAMPLES_MAX) {
      return false;
    }
    if (this.count === 0) {
      this.side = side;
      this.startUs = nowUs;
      this.state[LEAST] = us;
      this.state[LOW] = lowUs;
    }
    if (us < this.state[LEAST]) this.state[LEAST] = us;
    this.samples[this.count] = us;
    this.count += 1;
    return true;
  }

  /** Whether the run has lasted long enough to be another path. */
  isPath(nowUs: number): boolean {
    const lastedUs = (nowUs - this.startUs) | 0;
    return this.side > 0
      ? this.count >= UP_PACKETS && lastedUs >= UP_US
      : this.count >= DOWN_PACKETS && lastedUs >= DOWN_US && this.shiftUs < -BUCKET_US;
  }
}
