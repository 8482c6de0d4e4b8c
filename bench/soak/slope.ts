/**
 * Whether something grows with time: ordinary least squares over the samples of the second half of a
 * run, and by how much their scatter lets the slope be wrong.
 */

/** Fewer say nothing about a slope. */
export const SLOPE_POINTS_MIN = 5;

export interface Point {
  atMs: number;
  bytes: number;
}

export interface Slope {
  /** KiB per minute. */
  kibPerMinute: number;
  /** Standard error of the slope, KiB per minute. */
  error: number;
}

/** Null when there are too few points. */
export function slopeOfSecondHalf(points: readonly Point[]): Slope | null {
  const half = points.slice(Math.floor(points.length / 2));
  if (half.length < SLOPE_POINTS_MIN) return null;
  const minutes = half.map(({ atMs }) => atMs / 60_000);
  const kib = half.map(({ bytes }) => bytes / 1024);
  const middle = mean(minutes);
  const level = mean(kib);
  let spread = 0;
  let together = 0;
  for (const [at, minute] of minutes.entries()) {
    spread += (minute - middle) ** 2;
    together += (minute - middle) * (kib[at] - level);
  }
  const kibPerMinute = together / spread;
  let rest = 0;
  for (const [at, minute] of minutes.entries()) {
    rest += (kib[at] - level - kibPerMinute * (minute - middle)) ** 2;
  }
  return { kibPerMinute, error: Math.sqrt(rest / (half.length - 2) / spread) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
