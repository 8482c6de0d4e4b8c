/** All runs on one axis of time: which are fast, which are slow, and how far the wires lie apart. */
import type { Quantiles } from '../results.js';
import { logAxis, MICROSECONDS_LABEL } from './axis.js';
import { type Context, type Group, wireEncoding } from './context.js';
import { quantilesOf } from './latency.js';
import type { Drawing } from './svg.js';
import { titleOf } from './titles.js';

/** Pixels. Names stand left of the axis, or above their bars where there is no room. */
const WIDE = { label: 0, wire: 13, gap: 11 };
const NARROW = { label: 18, wire: 13, gap: 10 };
const WIDE_FROM = 800;
const LABELS_WIDTH = 356;

/** Every run and wire on one axis of time: a bar from p50 to p99, a line on to the maximum. */
export function overview(
  context: Context,
  groups: readonly Group[],
  width: number,
): Drawing | null {
  const isWide = width >= WIDE_FROM;
  const rows = rowsOf(groups, isWide ? WIDE : NARROW);
  const axis = logAxis(rows.values.flatMap(({ p50, max }) => [p50, max]));
  if (axis === null) return null;
  const { color, shape } = wireEncoding(context);
  const x = (field: string): object => ({
    field,
    type: 'quantitative',
    scale: { type: 'log', domain: axis.domain },
    axis: { values: axis.ticks, labelExpr: MICROSECONDS_LABEL, title: null, orient: 'top' },
  });
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { domain: [rows.height, 0], nice: false },
    axis: null,
  };
  const spans = (from: string, to: string, strokeWidth: number, opacity: number): object => ({
    mark: { type: 'rule', strokeWidth, opacity },
    encoding: { x: x(from), x2: { field: to } },
  });
  const points = (field: string, mark: object): object => ({
    mark: { type: 'point', opacity: 1, ...mark },
    encoding: { x: x(field), shape },
  });
  const spec = {
    encoding: { y },
    layer: [
      {
        data: { values: rows.labels },
        mark: { type: 'text', align: 'left', baseline: 'middle', fontWeight: 600, fontSize: 12 },
        encoding: { x: { value: isWide ? -LABELS_WIDTH : 0 }, text: { field: 'text' } },
      },
      {
        data: { values: rows.values },
        encoding: { color },
        layer: [
          spans('p99', 'max', 1.5, 0.7),
          spans('p50', 'p99', 5, 0.4),
          points('p50', { filled: true, size: 46 }),
          {
            mark: { type: 'tick', thickness: 3, size: 11, orient: 'vertical' },
            encoding: { x: x('p99') },
          },
          {
            mark: { type: 'tick', thickness: 1.5, size: 9, orient: 'vertical' },
            encoding: { x: x('p999') },
          },
          points('max', { filled: false, size: 26, strokeWidth: 1.5 }),
        ],
      },
    ],
  };
  const margins = { left: isWide ? LABELS_WIDTH + 4 : 12, right: 22, top: 28, bottom: 4 };
  return { width, height: rows.height + margins.top + margins.bottom, margins, spec };
}

interface Rows {
  height: number;
  labels: { y: number; text: string }[];
  values: ({ y: number; wire: string } & Quantiles)[];
}

function rowsOf(groups: readonly Group[], size: typeof WIDE): Rows {
  const rows: Rows = { height: 0, labels: [], values: [] };
  for (const which of ['rtt', 'oneWay'] as const) {
    for (const { name, runs } of groups) {
      const present = runs.flatMap((run) => {
        const quantiles = quantilesOf(run, which);
        return quantiles === null || quantiles.p50 <= 0 ? [] : [{ wire: run.wire, ...quantiles }];
      });
      if (present.length === 0) continue;
      const text = `${titleOf(name)}${which === 'oneWay' ? '; snapshot age' : ''}`;
      const labelHeight = size.label === 0 ? size.wire : size.label;
      rows.labels.push({ y: rows.height + labelHeight / 2 + 1, text });
      rows.height += size.label;
      for (const value of present) {
        rows.values.push({ y: rows.height + size.wire / 2, ...value });
        rows.height += size.wire;
      }
      rows.height += size.gap;
    }
  }
  return rows;
}
