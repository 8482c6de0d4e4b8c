/**
 * The window of a bulk TCP flow with CUBIC (RFC 9438), to compete with: slow start, the cubic curve,
 * one reduction per round trip with a loss. No Reno-friendly region, no timeouts: where those matter,
 * CUBIC is no strong competitor.
 */
const C = 0.4;
const BETA = 0.7;
const START_SEGMENTS = 10;
const LEAST_SEGMENTS = 2;
const SECOND_US = 1_000_000;

export class CubicWindow {
  /** Segments. */
  size = START_SEGMENTS;
  inFlight = 0;
  private slowStartBelow = Number.POSITIVE_INFINITY;
  private most = 0;
  private epochUs = -1;
  private plateauS = 0;
  private recoverUntilUs = 0;

  get isOpen(): boolean {
    return this.inFlight < Math.floor(this.size);
  }

  acked(nowUs: number, roundTripUs: number): void {
    this.inFlight -= 1;
    if (this.size < this.slowStartBelow) {
      this.size += 1;
      return;
    }
    if (this.epochUs < 0) this.beginEpoch(nowUs);
    // §4.2: W_cubic(t) = C · (t − K)^3 + W_max, aimed at one round trip ahead.
    const t = (nowUs - this.epochUs + roundTripUs) / SECOND_US - this.plateauS;
    const target = Math.min(C * t * t * t + this.most, this.size * 1.5);
    if (target > this.size) this.size += (target - this.size) / this.size;
  }

  lost(nowUs: number, roundTripUs: number): void {
    this.inFlight -= 1;
    if (nowUs < this.recoverUntilUs) return;
    this.recoverUntilUs = nowUs + roundTripUs;
    // §4.7, fast convergence: who was pushed back leaves room.
    this.most = this.size < this.most ? (this.size * (1 + BETA)) / 2 : this.size;
    this.size = Math.max(LEAST_SEGMENTS, this.size * BETA);
    this.slowStartBelow = this.size;
    this.epochUs = -1;
  }

  private beginEpoch(nowUs: number): void {
    this.epochUs = nowUs;
    this.most = Math.max(this.most, this.size);
    this.plateauS = cubeRoot((this.most - this.size) / C);
  }
}

/** By Newton's method: Math.cbrt may differ from one engine to the next. */
export function cubeRoot(value: number): number {
  if (value <= 0) return 0;
  let root = Math.max(1, value);
  for (let step = 0; step < 60; step++) root = (2 * root + value / (root * root)) / 3;
  return root;
}
