/** What a message costs: CPU, bytes on the wire, bytes on the heap, a row of bars for each wire of a run. */
import type { RunResult } from '../results.js';
import { missing } from './charts.js';
import { type Context, colourOf, groupsOf, isFirst, wireTag } from './context.js';
import { bytes, duration, NOTHING } from './format.js';
import { type Html, html } from './html.js';
import { titleOf, workOf } from './titles.js';

interface Measure {
  title: string;
  /** Beside a bar, where there is no head above it. */
  short: string;
  of: (run: RunResult) => number;
  /** The darker part of the bar. */
  partOf?: (run: RunResult) => number;
  format: (value: number) => string;
}

const MEASURES: readonly Measure[] = [
  {
    title: 'CPU',
    short: 'CPU',
    of: (run) => run.serverCpuNsPerMessage,
    partOf: (run) => run.jsNsPerMessage,
    format: duration,
  },
  { title: 'on the wire', short: 'wire', of: (run) => run.wireBytesPerMessage, format: bytes },
  {
    title: 'on the JavaScript heap',
    short: 'JS heap',
    of: (run) => run.allocatedBytesPerMessage,
    format: bytes,
  },
];

export function costSection(context: Context): Html {
  const groups = groupsOf(context, (run) => run.startMs === undefined);
  if (groups.length === 0) return missing('costs');
  const first = groups.filter(isFirst);
  const more = groups.filter((group) => !isFirst(group));
  return html`<div class="panel costs" id="chart-costs" data-chart>
<p class="legend"><span class="key dark"></span> of it JavaScript <span class="key"></span> the rest: kernel, native code, collector. Bars of a run are to scale with each other, not with those of other runs.</p>
<div role="table" aria-label="Costs per message, by run and wire">
<div role="row" class="cost-row head"><span role="columnheader">wire</span>${MEASURES.map(({ title }) => html`<span role="columnheader">${title}</span>`)}</div>
${first.map(({ name, runs }) => group(context, name, runs))}
</div>${more.length > 0 && html`<details class="more"><summary>Costs of the other runs (${more.length})</summary><div role="table" aria-label="Costs per message of the other runs">${more.map(({ name, runs }) => group(context, name, runs))}</div></details>`}</div>`;
}

function group(context: Context, name: string, runs: readonly RunResult[]): Html {
  const most = MEASURES.map(({ of }) => Math.max(0, ...runs.map(of)));
  return html`<div role="rowgroup" class="cost-group"><div role="row" class="cost-title"><span role="rowheader"><b>${titleOf(name)}</b> <small>${workOf(runs)}</small></span></div>
${runs.map(
  (
    run,
  ) => html`<div role="row" class="cost-row"><span role="rowheader">${wireTag(context, run.wire)}</span>${MEASURES.map((measure, index) => bar(context, run, measure, most[index]))}</div>
`,
)}</div>`;
}

function bar(
  context: Context,
  run: RunResult,
  { short, of, partOf, format }: Measure,
  most: number,
): Html {
  const value = of(run);
  const share = (part: number): string => (most > 0 ? ((100 * part) / most).toFixed(2) : '0');
  // The floor has neither a heap nor JavaScript: nothing is no figure there.
  const isNone = run.wire === 'floor' && value === 0;
  const part = partOf === undefined ? 0 : Math.min(partOf(run), value);
  return html`<span role="cell" class="bar"><span class="what">${short}</span><span class="track" aria-hidden="true"><span style="width:${share(value)}%;background:${colourOf(context, run.wire)}"></span>${part > 0 && html`<span class="part" style="width:${share(part)}%"></span>`}</span><span class="value">${isNone ? NOTHING : format(value)}${part > 0 && html` <small>JS ${format(part)}</small>`}</span></span>`;
}
