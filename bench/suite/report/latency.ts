/** Latency of a run on all its wires: the whole distribution, on an axis that counts nines. */
import type { Quantiles, RunResult } from '../results.js';
import { logAxis, MICROSECONDS_LABEL } from './axis.js';
import { type Context, type Group, wireEncoding } from './context.js';
import type { Drawing } from './svg.js';

/** Which distribution of a run: until the answer came, or one way. */
export type Which = 'rtt' | 'oneWay';

export const QUANTILE_NAMES = { p50: 'p50', p99: 'p99', p999: 'p99.9', max: 'max' } as const;

const MARKED = [0.5, 0.99, 0.999];
/** The maximum stands so far right of the last quantile. */
const MAX_STEP = 0.25;
const PANEL = { width: 420, height: 236, margins: { left: 52, right: 16, top: 8, bottom: 42 } };

export function quantilesOf(run: RunResult, which: Which): Quantiles | null {
  const quantiles = which === 'rtt' ? run.rttUs : run.oneWayUs;
  return quantiles !== undefined && quantiles.max > 0 ? quantiles : null;
}

/** Null when no wire has the distribution. */
export function curvePanel(context: Context, { runs }: Group, which: Which): Drawing | null {
  const values = runs.flatMap((run) => curveOf(run, which));
  const axis = logAxis(values.map(({ us }) => us));
  if (axis === null) return null;
  const last = values.reduce((most, { nines }) => Math.max(most, nines), 0);
  const { color, shape } = wireEncoding(context);
  const x = {
    field: 'nines',
    type: 'quantitative',
    scale: { domain: [0, last], nice: false },
    axis: {
      values: [-Math.log10(0.5), 1, 2, 3, 4, 5].filter((tick) => tick <= last),
      labelExpr:
        "datum.value < 1 ? format(100 * (1 - pow(10, -datum.value)), '.0f') : format(100 * (1 - pow(10, -datum.value)), '~r')",
      title: 'percentile, up to the slowest message',
    },
  };
  const y = {
    field: 'us',
    type: 'quantitative',
    scale: { type: 'log', domain: axis.domain },
    axis: { values: axis.ticks, labelExpr: MICROSECONDS_LABEL, title: null },
  };
  const spec = {
    data: { values },
    encoding: { x, y, color },
    layer: [
      { mark: { type: 'line', strokeWidth: 2.25, strokeJoin: 'round' } },
      {
        transform: [{ filter: 'datum.isMarked' }],
        mark: { type: 'point', filled: true, size: 52, opacity: 1 },
        encoding: { shape },
      },
    ],
  };
  return { ...PANEL, spec };
}

interface CurvePoint {
  wire: string;
  /** -log10(1 - quantile) */
  nines: number;
  us: number;
  isMarked: boolean;
}

/** Without a curve in the results, the quantiles that every run has. */
export function curveOf(run: RunResult, which: Which): CurvePoint[] {
  const quantiles = quantilesOf(run, which);
  if (quantiles === null) return [];
  const { p50, p99, p999, max } = quantiles;
  const given = (which === 'rtt' ? run.rttCurveUs : run.oneWayCurveUs) ?? [];
  const few: [number, number][] = [
    [0.5, p50],
    [0.99, p99],
    [0.999, p999],
  ];
  // The quantiles that a table tells are on the curve, whatever points it has.
  const between = given.filter(([share]) => share < 1 && !MARKED.includes(share));
  const points = [...between, ...few].sort(([a], [b]) => a - b);
  const last = points[points.length - 1];
  const { wire } = run;
  return [
    ...points.map(([share, us]) => ({
      wire,
      nines: -Math.log10(1 - share),
      us,
      isMarked: MARKED.includes(share),
    })),
    { wire, nines: -Math.log10(1 - last[0]) + MAX_STEP, us: max, isMarked: true },
  ].filter(({ us }) => us > 0);
}
