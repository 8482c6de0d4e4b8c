import { BUCKET_US, DelayHistogram } from './delay-histogram.js';
import { LeastDelay } from './least-delay.js';
import { PathRun } from './path-run.js';
import { SkewEstimate } from './skew-estimate.js';

/**
 * How late packets come: the least transit of the last two seconds, and the transit below which the
 * wanted share of them lies. A transit is arrival − sending by two clocks that need not agree.
 *
 * Two histograms see the same transits. The long one (forgetting 0.9993) knows the quantile well and
 * changes slowly; the short one (0.983, about the last 60) knows it badly and changes fast. The long
 * one counts while it is possible that both saw the same network; when the short one says it is not,
 * the long one has the past of another network and starts again as a copy of the short one.
 *
 *   anchor         base              quantile
 *     │              │   ▂▅█▇▅▃▂▁▁       │ ▁
 *     0 µs of the histograms ──────────────────────────▶ transit, less what the clocks drifted
 *
 * A path that becomes longer or shorter moves all transits alike: then the anchor is moved with it (path-run.ts), and nothing has to be forgotten first.
 *
 * Where this differs from the usual (WebRTC NetEQ's delay manager): docs/adr/0012.
 *
 * Invariant: the base is at most RANGE_US from the anchor.
 */
const SHORT_MEMORY = 59;
const LONG_MEMORY = 1428;
/**
 * Of the recent samples at least 0.75 and less than 0.998 should lie below a quantile of 0.95. Of
 * independent ones, less do not in practice, and as many do once in 10^3; the former leaves room for a
 * stall of a quarter of a second.
 */
const RECENT_SHARE_LOW = 0.75;
const RECENT_SHARE_HIGH = 0.998;
/** Where the fast end of a network is, a few strays aside. */
const SHARE_LOW = 0.02;
/** Whole buckets. */
const RANGE_US = 32 * BUCKET_US;

/** Words of `state`; those from QUANTILE on but ANCHOR are relative to the anchor. */
const BASE = 0;
const QUANTILE = 1;
const ANCHOR = 2;
const MEDIAN = 3;
const LOW = 4;
const WORDS = 5;

export class DelayEstimate {
  /** How often the past was given up, and how often it was moved with the path. */
  changes = 0;
  moves = 0;
  private readonly least = new LeastDelay();
  private readonly short = new DelayHistogram(SHORT_MEMORY);
  private readonly long = new DelayHistogram(LONG_MEMORY);
  private readonly run = new PathRun();
  private readonly skew = new SkewEstimate();
  /** Whole µs: they stay small integers, which cost no heap number on their way. */
  private readonly state = new Int32Array(WORDS);

  /**
   * `share`: of the packets that are to be in time, 0.95 for instance. `drifts`: the clocks are not the
   * same; where they are, jitter must not be taken for drift.
   */
  constructor(
    private readonly share: number,
    private readonly drifts: boolean,
  ) {}

  get isEmpty(): boolean {
    return this.long.count === 0;
  }

  /** The least transit, µs. */
  get baseUs(): number {
    return (this.state[BASE] + this.skew.us) | 0;
  }

  /** How far above the least transit the wanted share of the packets lies, µs, ≥ 0. */
  get spreadUs(): number {
    const spreadUs = (this.state[ANCHOR] + this.state[QUANTILE] - this.state[BASE]) | 0;
    return spreadUs > 0 ? spreadUs : 0;
  }

  /** By how much the sender's clock is fast against ours, parts per million; estimated. */
  get driftPpm(): number {
    return this.skew.ppm;
  }

  clear(): void {
    this.least.clear();
    this.short.clear();
    this.long.clear();
    this.skew.clear();
    this.run.count = 0;
    this.state.fill(0);
  }

  add(transitUs: number, nowUs: number): void {
    const { run, state } = this;
    const evenUs = this.drifts ? this.skew.correct(transitUs, nowUs) : transitUs;
    if (this.isEmpty) {
      state[ANCHOR] = evenUs;
      this.learn(evenUs, nowUs);
      return;
    }
    if (run.take(evenUs - state[ANCHOR], nowUs, state[LOW], state[MEDIAN], state[QUANTILE])) {
      if (run.isPath(nowUs)) this.move(nowUs);
      return;
    }
    this.endRun(state[ANCHOR], nowUs);
    this.learn(evenUs, nowUs);
  }

  private learn(evenUs: number, nowUs: number): void {
    const { least, short, long, state } = this;
    least.add(evenUs, nowUs);
    state[BASE] = least.us;
    const offUs = state[BASE] - state[ANCHOR];
    if (offUs > RANGE_US || offUs < -RANGE_US) this.follow(offUs);
    const delayUs = evenUs - state[ANCHOR];
    short.add(delayUs);
    long.add(delayUs);
    let quantileUs = long.quantileUs(this.share);
    if (
      long.count > SHORT_MEMORY &&
      (short.quantileUs(RECENT_SHARE_LOW) > quantileUs + BUCKET_US ||
        short.quantileUs(RECENT_SHARE_HIGH) < quantileUs - BUCKET_US)
    ) {
      long.copyFrom(short);
      quantileUs = long.quantileUs(this.share);
      this.changes += 1;
    }
    state[QUANTILE] = quantileUs;
    state[MEDIAN] = long.quantileUs(0.5);
    state[LOW] = long.quantileUs(SHARE_LOW);
  }

  /** The path has changed: what is known of the old one holds for the new one, so much later. */
  private move(nowUs: number): void {
    const fromUs = this.state[ANCHOR];
    this.state[ANCHOR] += this.run.shiftUs;
    this.least.clear();
    this.skew.restart();
    this.moves += 1;
    this.endRun(fromUs, nowUs);
  }

  /** What waited has nothing to wait for any more; it is relative to `fromUs`. */
  private endRun(fromUs: number, nowUs: number): void {
    const { run } = this;
    const { count } = run;
    run.count = 0;
    for (let at = 0; at < count; at += 1) this.learn(fromUs + run.samples[at], nowUs);
  }

  /** The anchor goes where the base has gone, the histograms stay where they are. */
  private follow(offUs: number): void {
    const buckets = Math.trunc(offUs / BUCKET_US);
    this.state[ANCHOR] += buckets * BUCKET_US;
    this.short.shift(-buckets);
    this.long.shift(-buckets);
  }

  /** Throws when the structures contradict each other; for tests and the simulator. */
  checkInvariants(): void {
    this.short.checkInvariants();
    this.long.checkInvariants();
    if (this.isEmpty) return;
    if (this.state[BASE] !== this.least.us) throw new Error('the base is not the least');
    const offUs = this.state[BASE] - this.state[ANCHOR];
    if (Math.abs(offUs) > RANGE_US) throw new Error(`the anchor is ${offUs} µs off`);
  }
}
