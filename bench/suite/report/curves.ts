/** One figure over another, a line for each wire: over packet loss, and over the number of flows. */
import { COUNT_LABEL, logAxis, MICROSECONDS_LABEL, NANOSECONDS_LABEL } from './axis.js';
import { type Context, wireEncoding } from './context.js';
import { quantilesOf, type Which } from './latency.js';
import type { Drawing } from './svg.js';

const PANEL = { width: 420, height: 250, margins: { left: 58, right: 34, top: 10, bottom: 42 } };
const BYTES_LABEL =
  "datum.value >= 1e6 ? datum.value / 1e6 + ' MB' : datum.value >= 1e3 ? datum.value / 1e3 + ' kB' : datum.value + ' B'";

interface Point {
  wire: string;
  x: number;
  y: number;
  /** What tells lines of one wire apart. */
  line: string;
}

/** Over the percentage that the names of the runs tell: p50 dotted, p99 drawn through. */
export function lossPanel(context: Context, pattern: RegExp, which: Which): Drawing | null {
  const points = context.results.runs.flatMap((run): Point[] => {
    const percent = pattern.exec(run.name)?.[1];
    const quantiles = quantilesOf(run, which);
    if (percent === undefined || quantiles === null) return [];
    const at = { wire: run.wire, x: Number(percent) };
    return [
      { ...at, y: quantiles.p50, line: 'p50' },
      { ...at, y: quantiles.p99, line: 'p99' },
    ];
  });
  const shares = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  return panel(context, points, MICROSECONDS_LABEL, {
    type: 'ordinal',
    sort: shares,
    axis: { title: 'packets lost, %', labelAngle: 0, grid: true, bandPosition: 0.5 },
  });
}

export type FlowFigure = 'cpu' | 'memory';

/** Which runs make one line: the same rate per flow, or the same messages in all. */
export const FLOW_SERIES: readonly { title: string; pattern: RegExp; figure: FlowFigure }[] = [
  { title: '60 messages/s each', pattern: /^echo\/paced-(\d+)x60$/, figure: 'cpu' },
  { title: 'the same messages/s in all', pattern: /^flows\/(\d+)$/, figure: 'cpu' },
  { title: 'after echoes', pattern: /^(?:echo\/paced-|flows\/)(\d+)(?:x60)?$/, figure: 'memory' },
];

/** A process grows by more than its flows: of few, the quotient says nothing. */
const FLOWS_MIN = 100;

export function flowsPanel(
  context: Context,
  { pattern, figure }: (typeof FLOW_SERIES)[number],
): Drawing | null {
  const lowest = new Map<string, Point>();
  for (const run of context.results.runs) {
    if (!pattern.test(run.name)) continue;
    const { wire, flows } = run;
    const y = figure === 'cpu' ? run.serverCpuNsPerMessage : run.rssBytesPerFlow;
    if (!(y > 0) || (figure === 'memory' && flows < FLOWS_MIN)) continue;
    const key = `${flows} ${wire}`;
    const other = lowest.get(key);
    if (other === undefined || y < other.y) lowest.set(key, { wire, x: flows, y, line: 'p99' });
  }
  const points = [...lowest.values()];
  const axis = logAxis(points.map(({ x }) => x));
  if (axis === null) return null;
  const label = figure === 'cpu' ? NANOSECONDS_LABEL : BYTES_LABEL;
  return panel(context, points, label, {
    type: 'quantitative',
    scale: { type: 'log', domain: axis.domain },
    axis: {
      title: 'flows',
      values: axis.ticks.filter(isPowerOfTen),
      labelExpr: COUNT_LABEL,
    },
  });
}

function isPowerOfTen(value: number): boolean {
  return value >= 1 && Number.isInteger(Math.log10(value));
}

function panel(
  context: Context,
  points: readonly Point[],
  label: string,
  x: object,
): Drawing | null {
  const axis = logAxis(points.map(({ y }) => y));
  if (axis === null) return null;
  const { color, shape } = wireEncoding(context);
  const strokeDash = {
    field: 'line',
    type: 'nominal',
    legend: null,
    scale: {
      domain: ['p99', 'p50'],
      range: [
        [1, 0],
        [3, 4],
      ],
    },
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { type: 'log', domain: axis.domain },
    axis: { title: null, values: axis.ticks, labelExpr: label },
  };
  const spec = {
    data: { values: points.filter(({ y: value }) => value > 0) },
    encoding: { x: { field: 'x', ...x }, y, color },
    layer: [
      { mark: { type: 'line', strokeWidth: 2.25 }, encoding: { strokeDash } },
      { mark: { type: 'point', filled: true, size: 60, opacity: 1 }, encoding: { shape } },
    ],
  };
  return { ...PANEL, spec };
}
