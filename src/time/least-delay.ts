/**
 * The least of the last two seconds of a series: eight windows of a quarter of a second each. A window
 * also needs four samples to end, so that a pause of the sender does not make the first late packet
 * after it the measure of all.
 *
 * Invariant: least = min of the windows, the one that is being filled included.
 */
const WINDOWS = 8;
const WINDOW_US = 250_000;
const WINDOW_SAMPLES = 4;
const LEAST = WINDOWS;
export const NONE = 0x7fffffff;

export class LeastDelay {
  /** The windows' minima, then the least of them; whole µs. */
  private readonly values = new Int32Array(WINDOWS + 1);
  private at = 0;
  private samples = 0;
  private startUs = 0;

  constructor() {
    this.clear();
  }

  /** NONE before the first sample. */
  get us(): number {
    return this.values[LEAST];
  }

  clear(): void {
    this.values.fill(NONE);
    this.samples = 0;
  }

  add(valueUs: number, nowUs: number): void {
    const { values } = this;
    if (values[LEAST] === NONE) this.startUs = nowUs;
    if (((nowUs - this.startUs) | 0) >= WINDOW_US && this.samples >= WINDOW_SAMPLES) {
      this.at = (this.at + 1) % WINDOWS;
      values[this.at] = NONE;
      this.samples = 0;
      this.startUs = nowUs;
    }
    this.samples += 1;
    if (valueUs < values[this.at]) values[this.at] = valueUs;
    let least = values[0];
    for (let window = 1; window < WINDOWS; window += 1) {
      if (values[window] < least) least = values[window];
    }
    values[LEAST] = least;
  }
}
