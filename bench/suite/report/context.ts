/** What all parts of the page look up: wires in their order, how they look, what they are called. */
import type { Results, RunResult } from '../results.js';
import { wireInfo, wiresOf } from '../wires.js';
import { type Html, html } from './html.js';
import { type WireStyle, wireStyles } from './palette.js';

export interface Context {
  results: Results;
  wires: readonly string[];
  styles: ReadonlyMap<string, WireStyle>;
}

export interface Group {
  name: string;
  /** In the order of the wires. */
  runs: RunResult[];
}

const FIRST: ReadonlySet<string> = new Set([
  'echo/saturated',
  'echo/paced-1000x60',
  'coalesced/8',
  'game/500x60',
  'loss/2pct-50ms',
  'loss/2pct-50ms-snapshots',
  'overload/2x',
]);

export function contextOf(results: Results): Context {
  const wires = wiresOf(results);
  return { results, wires, styles: wireStyles(wires) };
}

/** Runs of the same name together, in the order of the results. */
export function groupsOf({ results, wires }: Context, isWanted = (_: RunResult) => true): Group[] {
  const groups = new Map<string, RunResult[]>();
  for (const run of results.runs.filter(isWanted)) {
    groups.set(run.name, [...(groups.get(run.name) ?? []), run]);
  }
  return [...groups].map(([name, runs]) => {
    return { name, runs: runs.sort((a, b) => wires.indexOf(a.wire) - wires.indexOf(b.wire)) };
  });
}

/** Whether a run is shown at once; the others are folded away. */
export function isFirst({ name }: Group): boolean {
  return FIRST.has(name);
}

export function wireTitle({ results }: Context, wire: string): string {
  return wireInfo(wire, results)?.title ?? wire;
}

export function colourOf({ styles }: Context, wire: string): string {
  return styles.get(wire)?.colour ?? 'var(--soft)';
}

/** Colour and shape in the order of `wires`, for a specification whose data has the field `wire`. */
export function wireEncoding({ wires, styles }: Context): { color: object; shape: object } {
  const domain = [...wires];
  const pick = (field: 'colour' | 'shape'): string[] =>
    wires.map((wire) => styles.get(wire)?.[field] ?? '');
  const of = (range: string[]): object => {
    return { field: 'wire', type: 'nominal', legend: null, scale: { domain, range } };
  };
  return { color: of(pick('colour')), shape: of(pick('shape')) };
}

/** Name and mark of a wire, as every table and legend has it. */
export function wireTag(context: Context, wire: string): Html {
  const index = context.wires.indexOf(wire);
  return html`<span class="wire"><svg class="mark" aria-hidden="true"><use href="#mark-${index}"/></svg>${wireTitle(context, wire)}</span>`;
}

/** The marks that `wireTag` shows, once in a page. */
export function wireMarks({ styles }: Context): Html {
  const symbols = [...styles.values()].map(
    ({ shape, colour }, index) =>
      html`<symbol id="mark-${index}" viewBox="-6 -6 12 12"><path d="${MARKS[shape]}" fill="${colour}"/></symbol>`,
  );
  return html`<svg width="0" height="0" class="marks" aria-hidden="true">${symbols}</svg>`;
}

/** As Vega draws them. */
const MARKS: Readonly<Record<WireStyle['shape'], string>> = {
  circle: 'M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0',
  square: 'M-4.5,-4.5h9v9h-9Z',
  diamond: 'M0,-5.8L5.8,0L0,5.8L-5.8,0Z',
  'triangle-up': 'M0,-5L5.5,4.5H-5.5Z',
  'triangle-down': 'M0,5L5.5,-4.5H-5.5Z',
  cross: 'M-5,-1.8H-1.8V-5H1.8V-1.8H5V1.8H1.8V5H-1.8V1.8H-5Z',
};
