/**
 * Calls every player's frame at its own fixed times, spread evenly over the frame: an open loop. A
 * frame that runs late is told when it was due, so that waiting counts as latency (no coordinated
 * omission).
 *
 * Call n is for player n mod count and due at start + n · period / count.
 */
export class FrameClock {
  private readonly startMs = performance.now();
  private calls = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param onFrame gets the player's index and its due time on the performance.now() clock */
  constructor(
    private readonly count: number,
    private readonly periodMs: number,
    private readonly onFrame: (index: number, dueMs: number) => void,
  ) {
    this.run();
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.calls = Number.POSITIVE_INFINITY;
  }

  private run(): void {
    const stepMs = this.periodMs / this.count;
    for (;;) {
      const dueMs = this.startMs + this.calls * stepMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.run(), waitMs);
        return;
      }
      this.onFrame(this.calls % this.count, dueMs);
      this.calls += 1;
      if (this.calls === Number.POSITIVE_INFINITY) return;
    }
  }
}
