/**
 * Whether something grows with the number of connects: samples at equal counts, each after a full
 * collection; the median of the first third against that of the last.
 */

export interface Growth {
  /** Bytes per connect between the middles of the two thirds. */
  perConnect: number;
  /** Of the two thirds, medians, bytes. */
  first: number;
  last: number;
  /** What the samples of a third differ by, per connect as above: below it nothing is seen. */
  noise: number;
}

export interface GrowthPoint {
  connects: number;
  bytes: number;
}

/** Needs six points at least. */
export function growthOf(points: readonly GrowthPoint[]): Growth {
  const third = Math.floor(points.length / 3);
  if (third < 2) throw new RangeError(`${points.length} samples are too few`);
  const first = points.slice(0, third);
  const last = points.slice(-third);
  const span = median(last.map(connectsOf)) - median(first.map(connectsOf));
  const from = median(first.map(bytesOf));
  const to = median(last.map(bytesOf));
  return {
    perConnect: (to - from) / span,
    first: from,
    last: to,
    noise: Math.max(spread(first), spread(last)) / span,
  };
}

const connectsOf = ({ connects }: GrowthPoint) => connects;
const bytesOf = ({ bytes }: GrowthPoint) => bytes;

/** Median distance from the median: one odd sample does not hide the others. */
function spread(points: readonly GrowthPoint[]): number {
  const middle = median(points.map(bytesOf));
  return median(points.map(({ bytes }) => Math.abs(bytes - middle)));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
