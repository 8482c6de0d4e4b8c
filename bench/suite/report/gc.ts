/** Pauses of the garbage collector over time, a strip for each wire, all with the same axes. */
import type { GcKind, RunResult } from '../results.js';
import { type Context, colourOf } from './context.js';
import type { Drawing } from './svg.js';

const HEIGHT = 132;
const MARGINS = { left: 52, right: 16, top: 10, bottom: 40 };
/** Of a slot of time, the longest pause is drawn: more slots than pixels show no more. */
const PIXELS_PER_SLOT = 3;
const FULL: ReadonlySet<GcKind> = new Set<GcKind>(['major', 'incremental']);

export interface Bounds {
  seconds: number;
  ms: number;
}

/** Around the timelines of all wires. Null when there is no timeline. */
export function boundsOf(runs: readonly RunResult[]): Bounds | null {
  if (!runs.some(({ gcTimeline }) => gcTimeline !== undefined)) return null;
  const pauses = runs.flatMap(({ gcTimeline }) => gcTimeline ?? []);
  const most = (pick: (pause: [number, number, GcKind]) => number): number =>
    pauses.reduce((longest, pause) => Math.max(longest, pick(pause)), 0);
  // The stretch ends about where the last pause does.
  const seconds = Math.max(1, Math.ceil(most(([at]) => at)));
  return { seconds, ms: roundedUp(most(([, ms]) => ms)) };
}

export function timeline(context: Context, run: RunResult, bounds: Bounds, width: number): Drawing {
  const plotted = width - MARGINS.left - MARGINS.right;
  const values = slotsOf(run, bounds.seconds, Math.round(plotted / PIXELS_PER_SLOT));
  const x = {
    field: 's',
    type: 'quantitative',
    scale: { domain: [0, bounds.seconds], nice: false },
    axis: { title: 'seconds', tickCount: 6, labelExpr: "format(datum.value, '~r')" },
  };
  const y = {
    field: 'ms',
    type: 'quantitative',
    scale: { domain: [0, bounds.ms], nice: false },
    axis: { title: null, tickCount: 3, labelExpr: "datum.value + ' ms'" },
  };
  const colour = colourOf(context, run.wire);
  const spec = {
    data: { values },
    encoding: { x, y },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: PIXELS_PER_SLOT - 1, color: colour },
        encoding: { y2: { datum: 0 } },
      },
      {
        transform: [{ filter: 'datum.isFull' }],
        mark: {
          type: 'point',
          shape: 'triangle-down',
          filled: true,
          size: 60,
          color: colour,
          opacity: 1,
        },
      },
    ],
  };
  return { width, height: HEIGHT, margins: MARGINS, spec };
}

interface Slot {
  s: number;
  /** The longest pause that began in it. */
  ms: number;
  /** Not the young generation alone. */
  isFull: boolean;
}

export function slotsOf({ gcTimeline = [] }: RunResult, seconds: number, count: number): Slot[] {
  const slots = new Map<number, Slot>();
  for (const [at, ms, kind] of gcTimeline) {
    const index = Math.floor((at / seconds) * count);
    const slot = slots.get(index);
    const isFull = FULL.has(kind) || slot?.isFull === true;
    if (slot === undefined || ms > slot.ms) slots.set(index, { s: at, ms, isFull });
    else slot.isFull = isFull;
  }
  return [...slots.values()];
}

/** To 1, 2, 3, 4, 5 or 10 times a power of ten; 1 of nothing. */
function roundedUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 3, 4, 5, 6, 8].find((step) => step * power >= value) ?? 10) * power;
}
