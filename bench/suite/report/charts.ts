/** The sections of the page that are charts. Each is empty, and says so, when its runs were not made. */
import type { RunResult } from '../results.js';
import { type Context, type Group, groupsOf, isFirst, wireTitle } from './context.js';
import { FLOW_SERIES, flowsPanel, lossPanel } from './curves.js';
import { type Cells, type Figure, figure } from './figure.js';
import { bytes, count, duration } from './format.js';
import { boundsOf, timeline } from './gc.js';
import { type Html, html } from './html.js';
import { curvePanel, QUANTILE_NAMES, quantilesOf, type Which } from './latency.js';
import { overview } from './overview.js';
import { titleOf, workOf } from './titles.js';

/** At these widths text has its own size: a page's column, and a telephone. */
const WIDTHS = [1120, 372] as const;
const QUANTILES = ['p50', 'p99', 'p999', 'max'] as const;
const QUANTILE_HEADS = QUANTILES.map((name) => QUANTILE_NAMES[name]);

const us = (value: number): string => duration(value * 1e3);
const ms = (value: number): string => duration(value * 1e6);

export async function latencySection(context: Context): Promise<Html> {
  const groups = groupsOf(context, (run) => run.startMs === undefined);
  const drawings = WIDTHS.map((width) => overview(context, groups, width)).filter(
    (it) => it !== null,
  );
  if (drawings.length === 0) return missing('latency');
  const all = await figure(context, {
    id: 'chart-latency-overview',
    title: 'All runs on one axis',
    subtitle:
      'From the filled mark, p50, a thick line to ❙ p99 and a thin one past p99.9 to the hollow mark, the slowest message. Further left is faster.',
    description:
      'For each run and wire, latency from the median to the maximum on a logarithmic axis.',
    drawings,
    heads: QUANTILE_HEADS,
    rows: groups.flatMap((group) => [
      ...quantileRows(group, 'rtt', true),
      ...quantileRows(group, 'oneWay', true),
    ]),
    isFolded: true,
  });
  const first: Html[] = [];
  const more: Html[] = [];
  for (const group of groups) {
    for (const which of ['rtt', 'oneWay'] as const) {
      const panel = await curveFigure(context, group, which);
      if (panel !== null) (isFirst(group) ? first : more).push(panel);
    }
  }
  return html`${all}<div class="grid">${first}</div>
${more.length > 0 && html`<details class="more"><summary>Distributions of the other runs (${more.length})</summary><div class="grid">${more}</div></details>`}`;
}

async function curveFigure(context: Context, group: Group, which: Which): Promise<Html | null> {
  const drawing = curvePanel(context, group, which);
  if (drawing === null) return null;
  const isAge = which === 'oneWay';
  const what = isAge
    ? 'one way'
    : group.name.startsWith('storm/')
      ? 'per connection'
      : 'round trip';
  return figure(context, {
    id: `chart-${which === 'rtt' ? 'rtt' : 'age'}-${idOf(group.name)}`,
    title: `${titleOf(group.name)}${isAge ? '; snapshot age' : ''}`,
    subtitle: `${what} · ${workOf(group.runs)}`,
    description: `Latency over percentiles, on an axis where each step right is ten times rarer; ${group.name}.`,
    drawings: [drawing],
    heads: QUANTILE_HEADS,
    rows: quantileRows(group, which, false),
  });
}

function quantileRows({ name, runs }: Group, which: Which, isNamed: boolean): Cells[] {
  return runs.flatMap((run) => {
    const quantiles = quantilesOf(run, which);
    if (quantiles === null) return [];
    const label = `${titleOf(name)}${which === 'oneWay' ? '; snapshot age' : ''}`;
    const values = QUANTILES.map((quantile) => us(quantiles[quantile]));
    return [{ wire: run.wire, values, ...(isNamed ? { name: label } : {}) }];
  });
}

export async function gcSection(context: Context): Promise<Html> {
  const groups = groupsOf(context, ({ gcTimeline }) => gcTimeline !== undefined);
  const figures = [];
  for (const { name, runs } of groups) {
    const bounds = boundsOf(runs);
    if (bounds === null) continue;
    for (const [index, run] of runs.entries()) {
      const { gcPauseMs } = run;
      figures.push(
        await figure(context, {
          id: `chart-gc-${idOf(name)}-${index}`,
          title: `${wireTitle(context, run.wire)}: ${gcPauseMs.count === 0 ? 'no pause at all' : `${count(gcPauseMs.count)} ${gcPauseMs.count === 1 ? 'pause' : 'pauses'}, ${ms(gcPauseMs.total)} in all`}`,
          subtitle: `${titleOf(name)} · ${workOf([run])}${cutShort(run)}`,
          description:
            'Each line is a pause of the garbage collector: when, and how long. Where several fall on one pixel, the longest is drawn. Triangles are collections of the whole heap.',
          drawings: WIDTHS.map((width) => timeline(context, run, bounds, width)),
          heads: ['pauses', 'p50', 'p99', 'longest', 'full'],
          rows: [pauseRow(run)],
        }),
      );
    }
  }
  return figures.length === 0
    ? missing('garbage collection')
    : html`<div class="stack">${figures}</div>`;
}

/** Results keep so many pauses and no more. */
function cutShort({ gcTimeline = [], gcPauseMs }: RunResult): string {
  return gcTimeline.length < gcPauseMs.count
    ? ` · the first ${count(gcTimeline.length)} are drawn`
    : '';
}

function pauseRow({ wire, gcPauseMs, gcByKind = {} }: RunResult): Cells {
  const { count: pauses, p50, p99, max } = gcPauseMs;
  const whole = (gcByKind.major?.count ?? 0) + (gcByKind.incremental?.count ?? 0);
  return { wire, values: [count(pauses), ms(p50), ms(p99), ms(max), count(whole)] };
}

const LOSS_PANELS = [
  {
    pattern: /^loss\/(\d+)pct-\d+ms$/,
    which: 'rtt',
    id: 'echo',
    title: 'Reliable echo: round trip',
  },
  {
    pattern: /^loss\/(\d+)pct-\d+ms-snapshots$/,
    which: 'oneWay',
    id: 'age',
    title: 'Game: snapshot age on arrival',
  },
  {
    pattern: /^loss\/(\d+)pct-\d+ms-snapshots$/,
    which: 'rtt',
    id: 'game',
    title: 'Game: from input to its snapshot',
  },
  {
    pattern: /^peers\/loss-(\d+)pct-\d+ms$/,
    which: 'rtt',
    id: 'peers',
    title: 'Other transports: round trip',
  },
] as const;

export async function lossSection(context: Context): Promise<Html> {
  const panels = [];
  for (const { pattern, which, id, title } of LOSS_PANELS) {
    const drawing = lossPanel(context, pattern, which);
    if (drawing === null) continue;
    const groups = groupsOf(context, ({ name }) => pattern.test(name));
    panels.push(
      await figure(context, {
        id: `chart-loss-${id}`,
        title,
        subtitle: 'p99 drawn through, p50 dotted; 50 ms there and back without loss',
        description: 'Latency over the share of packets that a link loses, a line for each wire.',
        drawings: [drawing],
        heads: ['lost', ...QUANTILE_HEADS],
        rows: groups.flatMap((group) => {
          const lost = pattern.exec(group.name)?.[1];
          return quantileRows(group, which, false).map((row) => ({
            ...row,
            values: [`${lost} %`, ...row.values],
          }));
        }),
        isFolded: groups.length > 1,
      }),
    );
  }
  return panels.length === 0 ? missing('loss') : html`<div class="grid">${panels}</div>`;
}

export async function flowsSection(context: Context): Promise<Html> {
  const panels = [];
  for (const [index, series] of FLOW_SERIES.entries()) {
    const drawing = flowsPanel(context, series);
    if (drawing === null) continue;
    const isCpu = series.figure === 'cpu';
    const chart: Figure = {
      id: `chart-flows-${index}`,
      title: isCpu ? `CPU per message: ${series.title}` : 'Resident memory per flow',
      subtitle: isCpu
        ? 'server process, all threads; both axes logarithmic'
        : 'what the server process grew by, from its start, over its flows',
      description:
        'A figure over the number of flows, a line for each wire, both axes logarithmic.',
      drawings: [drawing],
      heads: ['flows', isCpu ? 'CPU per message' : 'per flow'],
      rows: groupsOf(context, ({ name }) => series.pattern.test(name)).flatMap(({ runs }) =>
        runs.map((run) => ({
          wire: run.wire,
          values: [
            count(run.flows),
            isCpu ? duration(run.serverCpuNsPerMessage) : bytes(run.rssBytesPerFlow),
          ],
        })),
      ),
      isFolded: true,
    };
    panels.push(await figure(context, chart));
  }
  return panels.length === 0 ? missing('flow scaling') : html`<div class="grid">${panels}</div>`;
}

export function missing(what: string): Html {
  return html`<p class="missing">No run of these results tells about ${what}.</p>`;
}

/** Of letters, digits and dashes: names may hold anything. */
export function idOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9]+/g, (other) => {
    return other === '/' || other === '-' ? '-' : `_${other.codePointAt(0)?.toString(16)}_`;
  });
}
