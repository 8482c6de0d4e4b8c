/** Axes with logarithmic scales: their ends, their ticks and what these say. Pure. */

/** In Vega's expression language, of microseconds: `1 ms`. */
export const MICROSECONDS_LABEL =
  "datum.value >= 1e6 ? datum.value / 1e6 + ' s' : datum.value >= 1e3 ? datum.value / 1e3 + ' ms' : datum.value + ' µs'";

/** Of nanoseconds. */
export const NANOSECONDS_LABEL =
  "datum.value >= 1e6 ? datum.value / 1e6 + ' ms' : datum.value >= 1e3 ? datum.value / 1e3 + ' µs' : datum.value + ' ns'";

export const COUNT_LABEL = "format(datum.value, ',')";

const STEPS = [1, 2, 5] as const;

/** Shorter than this many tenfolds, an axis has ticks at 2 and 5 too. */
const FINE_DECADES = 2;

export interface LogAxis {
  domain: [number, number];
  ticks: number[];
}

/** Around all values above 0, from one tick to another; at least a tenfold. Null without values. */
export function logAxis(values: readonly number[]): LogAxis | null {
  const some = values.filter((value) => value > 0 && Number.isFinite(value));
  if (some.length === 0) return null;
  const [least, most] = [
    some.reduce((a, b) => Math.min(a, b)),
    some.reduce((a, b) => Math.max(a, b)),
  ];
  const stops = stopsBetween(least / 10, most * 10);
  const low = stops.filter((stop) => stop <= least).at(-1) ?? least;
  const high = Math.max(stops.find((stop) => stop >= most) ?? most, low * 10);
  const ticks = stopsBetween(low, high);
  const isFine = Math.log10(high / low) <= FINE_DECADES;
  return { domain: [low, high], ticks: isFine ? ticks : ticks.filter(isDecade) };
}

function stopsBetween(low: number, high: number): number[] {
  const stops: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) {
    // 10 ** -3 is no power of ten to the last bit; its text is.
    stops.push(...STEPS.map((step) => Number(`${step}e${power}`)));
  }
  return stops.filter((stop) => stop >= low * 0.999_999 && stop <= high * 1.000_001);
}

function isDecade(stop: number): boolean {
  return `${stop.toExponential()}`.startsWith('1e');
}
