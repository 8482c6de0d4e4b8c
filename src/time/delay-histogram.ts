/**
 * Where delays lie: a histogram of 2 ms buckets that forgets. The first `memory` samples weigh the
 * same; from then on each weighs 1 / (1 − 1/memory) of the one before it, so the past fades with the
 * forgetting factor 1 − 1/memory. Instead of multiplying every bucket by that factor, the new samples
 * grow, and all is scaled down once in a while.
 *
 *   bucket   0        1              64      65                    319
 *   holds    below    −126…−124  …   0…2     2…4 ms       …        510 ms and above
 *
 * Beside its weight a bucket keeps the mean of what fell into it, so that equal delays are not smeared
 * over 2 ms.
 *
 * Invariant: total = Σ weights (to rounding); every weight ≥ 0; means lie inside their buckets.
 */
export const BUCKET_US = 2_000;
export const BUCKETS = 320;
/** Buckets below zero, for what a shift leaves there. */
const ZERO_BUCKET = 64;
const SPAN_US = BUCKETS * BUCKET_US;
const WEIGHT_MAX = 2 ** 40;
/** Words of `state`: floats in fields of objects may cost a heap number at each store. */
const TOTAL = 0;
const UNIT = 1;
const COUNT = 2;
const WORDS = 3;

export class DelayHistogram {
  private readonly weights = new Float64Array(BUCKETS);
  /** Weight × distance from the bucket's lower edge, µs. */
  private readonly moments = new Float64Array(BUCKETS);
  private readonly state = new Float64Array(WORDS);
  private readonly growth: number;

  /** `memory` in samples: 59 forgets by 0.983, 1428 by 0.9993. */
  constructor(private readonly memory: number) {
    this.growth = 1 / (1 - 1 / memory);
    this.clear();
  }

  /** Samples taken, at most `memory`. */
  get count(): number {
    return this.state[COUNT];
  }

  clear(): void {
    this.weights.fill(0);
    this.moments.fill(0);
    this.state[TOTAL] = 0;
    this.state[UNIT] = 1;
    this.state[COUNT] = 0;
  }

  add(delayUs: number): void {
    const { state } = this;
    const fromEndUs = delayUs + ZERO_BUCKET * BUCKET_US;
    const heldUs = fromEndUs < 0 ? 0 : fromEndUs > SPAN_US ? SPAN_US : fromEndUs;
    const bucket = heldUs === SPAN_US ? BUCKETS - 1 : Math.floor(heldUs / BUCKET_US);
    if (state[COUNT] < this.memory) state[COUNT] += 1;
    else state[UNIT] *= this.growth;
    this.weights[bucket] += state[UNIT];
    this.moments[bucket] += state[UNIT] * (heldUs - bucket * BUCKET_US);
    state[TOTAL] += state[UNIT];
    if (state[TOTAL] > WEIGHT_MAX) this.scale(1 / state[UNIT]);
  }

  /**
   * The delay, whole µs, below which this share of the samples lies. Those of a bucket are taken to be
   * spread evenly around their mean, as far as the bucket allows.
   */
  quantileUs(share: number): number {
    const total = this.state[TOTAL];
    if (total === 0) return 0;
    let above = (1 - share) * total;
    let bucket = BUCKETS - 1;
    for (; bucket > 0 && this.weights[bucket] <= above; bucket -= 1) above -= this.weights[bucket];
    const weight = this.weights[bucket];
    const meanUs = weight > 0 ? this.moments[bucket] / weight : 0;
    const reachUs = meanUs < BUCKET_US - meanUs ? meanUs : BUCKET_US - meanUs;
    const part = weight > 0 ? 1 - (2 * above) / weight : 0;
    return ((bucket - ZERO_BUCKET) * BUCKET_US + Math.round(meanUs + part * reachUs)) | 0;
  }

  /** Moves everything by whole buckets. */
  shift(buckets: number): void {
    shiftBy(this.weights, buckets);
    shiftBy(this.moments, buckets);
  }

  /** Takes over what `other`, of a shorter memory, knows. */
  copyFrom(other: DelayHistogram): void {
    this.weights.set(other.weights);
    this.moments.set(other.moments);
    this.state.set(other.state);
    this.scale(1 / this.state[UNIT]);
  }

  private scale(by: number): void {
    for (let at = 0; at < BUCKETS; at += 1) {
      this.weights[at] *= by;
      this.moments[at] *= by;
    }
    this.state[TOTAL] *= by;
    this.state[UNIT] *= by;
  }

  /** Throws when the structure contradicts itself; for tests and the simulator. */
  checkInvariants(): void {
    let sum = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const weight = this.weights[bucket];
      if (!(weight >= 0)) throw new Error(`a weight of ${weight}`);
      const mostUs = BUCKET_US * (weight + 1e-6 * this.state[TOTAL]);
      const moment = this.moments[bucket];
      if (!(moment >= 0 && moment <= mostUs)) throw new Error(`a mean outside bucket ${bucket}`);
      sum += weight;
    }
    const total = this.state[TOTAL];
    if (Math.abs(sum - total) > 1e-6 * (total + 1)) throw new Error(`${total} is not ${sum}`);
  }
}

/** What is moved beyond an end stays in the last bucket there. */
function shiftBy(values: Float64Array, buckets: number): void {
  const by = Math.min(Math.abs(buckets), BUCKETS);
  let fallen = 0;
  if (buckets > 0) {
    for (let at = BUCKETS - by; at < BUCKETS; at += 1) fallen += values[at];
    values.copyWithin(by, 0);
    values.fill(0, 0, by);
    values[BUCKETS - 1] += fallen;
  } else if (buckets < 0) {
    for (let at = 0; at < by; at += 1) fallen += values[at];
    values.copyWithin(0, by);
    values.fill(0, BUCKETS - by);
    values[0] += fallen;
  }
}
