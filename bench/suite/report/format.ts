/** Figures as readers see them: three significant digits, and always a unit. Pure. */

/** What is no number, or was not measured. */
export const NOTHING = '–';

const DIGITS = 3;

type Step = readonly [perUnit: number, unit: string];

const NS: readonly Step[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];
const BYTES: readonly Step[] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
  [1, 'B'],
];

/** `8.72 µs`; of 0, the unit alone says what it is none of: `0 ns`. */
export function duration(ns: number): string {
  return scaled(ns, NS, significant);
}

export function bytes(count: number): string {
  return scaled(count, BYTES, Math.abs(count) < 1023.5 ? plain : significant);
}

/** Whole, in groups of three digits. */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : NOTHING;
}

/** Messages per second, of which the last digits say nothing. */
export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return NOTHING;
  return `${count(Number(perSecond.toPrecision(4)))}/s`;
}

/** Of a share of 1; what is above nothing never reads as nothing. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return NOTHING;
  if (share === 0) return '0 %';
  const value = share * 100;
  if (value < 0.001) return '< 0.001 %';
  return `${plain(value, value < 0.1 ? 1 : DIGITS)} %`;
}

/** `2.11 ×` */
export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${significant(ratio)} ×` : NOTHING;
}

/** Three significant digits without an exponent: 0.0308, 1.19, 35,000. */
export function plain(value: number, digits = DIGITS): string {
  if (!Number.isFinite(value)) return NOTHING;
  const maximumSignificantDigits = Math.abs(value) >= 10 ** digits ? 21 : digits;
  const rounded = Math.abs(value) >= 10 ** digits ? Math.round(value) : value;
  return rounded.toLocaleString('en', { maximumSignificantDigits });
}

/** `2026-11-21 23:49 UTC`; what is no date stays as it is. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The same with zeros at its end, so that columns of figures line up: 1.60, 27.0. */
function significant(value: number): string {
  if (value === 0 || Math.abs(value) >= 10 ** DIGITS) return plain(value);
  const digits = { minimumSignificantDigits: DIGITS, maximumSignificantDigits: DIGITS };
  return value.toLocaleString('en', digits);
}

function scaled(value: number, steps: readonly Step[], show: (value: number) => string): string {
  if (!Number.isFinite(value)) return NOTHING;
  const last = steps[steps.length - 1];
  // What rounds up to a thousand of a unit is one of the next.
  const fits = ([size]: Step): boolean => Number((Math.abs(value) / size).toPrecision(DIGITS)) >= 1;
  const [size, unit] = steps.find(fits) ?? last;
  return `${show(value / size)} ${unit}`;
}
