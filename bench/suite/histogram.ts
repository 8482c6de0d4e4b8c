/**
 * Histograms as the native processes of the bench give them: buckets of at most 1/64 of their value,
 * lowest value first. Nanoseconds.
 */
import type { Quantiles } from './results.js';

export interface Histogram {
  max: number;
  buckets: [number, number][];
}

/** Of the share of samples that lie above: so many points for each tenfold. */
const CURVE_POINTS_PER_DECADE = 4;

/** Over all samples of several histograms, in microseconds; zeros without samples. */
export function quantilesUs(histograms: readonly Histogram[]): Quantiles {
  const { at, maxUs } = merged(histograms);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: maxUs };
}

/**
 * The whole distribution: [quantile, microseconds], quantiles ascending, evenly far apart where the axis
 * counts nines. It ends at the last quantile that one sample reaches, and with [1, maximum]. Empty
 * without samples.
 */
export function curveUs(histograms: readonly Histogram[]): [number, number][] {
  const { at, total, maxUs } = merged(histograms);
  if (total === 0) return [];
  const curve: [number, number][] = [];
  const last = Math.floor(Math.log10(total) * CURVE_POINTS_PER_DECADE);
  for (let point = 0; point <= last; point += 1) {
    const share = rounded(1 - 10 ** (-point / CURVE_POINTS_PER_DECADE), 8);
    curve.push([share, at(share)]);
  }
  curve.push([1, maxUs]);
  return curve;
}

function merged(histograms: readonly Histogram[]): {
  at: (share: number) => number;
  total: number;
  maxUs: number;
} {
  const counts = new Map<number, number>();
  let total = 0;
  let max = 0;
  for (const histogram of histograms) {
    max = Math.max(max, histogram.max);
    for (const [value, count] of histogram.buckets) {
      counts.set(value, (counts.get(value) ?? 0) + count);
      total += count;
    }
  }
  const values = [...counts].sort(([a], [b]) => a - b);
  const at = (share: number): number => {
    let seen = 0;
    for (const [value, count] of values) {
      seen += count;
      if (seen >= total * share) return rounded(value / 1000, 3);
    }
    return 0;
  };
  return { at, total, maxUs: rounded(max / 1000, 3) };
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted.length === 0 ? 0 : rounded(sorted[Math.ceil(sorted.length * share) - 1], 3);
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** 0 for what is no number: JSON cannot say it. */
export function rounded(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : 0;
}
