/**
 * One machine's monotonic clock against the world's time: another origin, a rate that is off by some
 * parts per million, and jumps ahead (a suspended machine). It never goes back, as CLOCK_MONOTONIC
 * never does.
 *
 *   node µs = base + (world µs − origin) · (1 + ppm / 10^6)
 */
export class NodeClock {
  private originUs = 0;
  private baseUs: number;
  private rate = 1;

  /** `startUs` is what the clock shows at world time 0; any whole number below 2^52. */
  constructor(startUs: number) {
    this.baseUs = startUs;
  }

  /** Whole µs, not wrapped. */
  absoluteUs(worldUs: number): number {
    return Math.floor(this.baseUs + (worldUs - this.originUs) * this.rate);
  }

  /** int32 wrapping µs, as the cores take it. */
  at(worldUs: number): number {
    return this.absoluteUs(worldUs) | 0;
  }

  /** The first whole world µs, from `worldUs` on, at which the clock shows `deadlineUs` or later. */
  worldAt(deadlineUs: number, worldUs: number): number {
    const aheadUs = (deadlineUs - this.at(worldUs)) | 0;
    return this.worldAtAbsolute(this.absoluteUs(worldUs) + aheadUs, worldUs);
  }

  /** The same for a time that is not wrapped. */
  worldAtAbsolute(wantedUs: number, worldUs: number): number {
    if (wantedUs <= this.absoluteUs(worldUs)) return worldUs;
    let atUs = Math.max(worldUs, Math.floor(this.originUs + (wantedUs - this.baseUs) / this.rate));
    while (this.absoluteUs(atUs) < wantedUs) atUs += 1;
    return atUs;
  }

  setDrift(worldUs: number, ppm: number): void {
    this.rebase(worldUs);
    this.rate = 1 + ppm / 1_000_000;
  }

  jumpAhead(worldUs: number, byUs: number): void {
    this.rebase(worldUs);
    this.baseUs += byUs;
  }

  private rebase(worldUs: number): void {
    this.baseUs = this.absoluteUs(worldUs);
    this.originUs = worldUs;
  }
}
