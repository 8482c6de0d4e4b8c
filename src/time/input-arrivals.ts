/**
 * How far ahead of their ticks a player's inputs arrive, at the server: margin = due time of the tick −
 * arrival, negative when it was late. Every 100 ms with inputs the least margin is told to the client
 * (InputLead). Copies of an input that came before do not count, so redundancy does not look like
 * lateness.
 *
 * Ticks are u32 that wrap; times are ms of the server's monotonic clock.
 */
const REPORT_MS = 100;
/** Ticks that are remembered as seen. */
const SEEN_TICKS = 32;

export class InputArrivals {
  /** First copies of inputs that arrived, and those of them that came after their tick had run. */
  inputs = 0;
  late = 0;
  /** Of the report that is due: the least margin, and the tick of that input. */
  leastMarginMs = 0;
  leastTick = 0;
  /** First copies since the last report, and the late ones among them. */
  reportInputs = 0;
  reportLate = 0;
  private reportedMs = Number.NEGATIVE_INFINITY;
  private newestTick = 0;
  /** Bit k: the input of newestTick − k is here. */
  private seen = 0;
  private hasTick = false;

  /**
   * An input for `tick` arrived at `arrivalMs`; the tick is due at `dueMs`, and has run already if
   * `hasRun`. Answers whether a report is due now.
   */
  add(tick: number, arrivalMs: number, dueMs: number, hasRun: boolean): boolean {
    if (!this.isFirst(tick | 0)) return false;
    const marginMs = dueMs - arrivalMs;
    if (this.reportInputs === 0 || marginMs < this.leastMarginMs) {
      this.leastMarginMs = marginMs;
      this.leastTick = tick >>> 0;
    }
    this.inputs += 1;
    this.reportInputs += 1;
    if (hasRun) {
      this.late += 1;
      this.reportLate += 1;
    }
    return arrivalMs - this.reportedMs >= REPORT_MS;
  }

  /** The report has been told. */
  reported(nowMs: number): void {
    this.reportedMs = nowMs;
    this.reportInputs = 0;
    this.reportLate = 0;
  }

  private isFirst(tick: number): boolean {
    const ahead = this.hasTick ? (tick - this.newestTick) | 0 : 1;
    if (ahead > 0) {
      this.seen = this.hasTick && ahead < SEEN_TICKS ? (this.seen << ahead) | 1 : 1;
      this.newestTick = tick;
      this.hasTick = true;
      return true;
    }
    if (ahead <= -SEEN_TICKS) return false;
    const bit = 1 << -ahead;
    if ((this.seen & bit) !== 0) return false;
    this.seen |= bit;
    return true;
  }
}
