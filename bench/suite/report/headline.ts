/** The few figures that a reader sees first: ours beside the baseline's, better or worse. */
import { findRun, type RunResult } from '../results.js';
import { type Context, colourOf, wireTitle } from './context.js';
import { bytes, duration, times } from './format.js';
import { type Html, html } from './html.js';
import { titleOf } from './titles.js';

interface Headline {
  run: string;
  what: string;
  of: (run: RunResult) => number | undefined;
  format: (value: number) => string;
  /** Whose rounds were interleaved; else the figures are divided. */
  ratio?: string;
}

const us = (value: number): string => duration(value * 1e3);

const HEADLINES: readonly Headline[] = [
  ...['echo/saturated', 'game/500x60'].map((run) => ({
    run,
    what: 'server CPU per message',
    of: ({ serverCpuNsPerMessage }: RunResult) => serverCpuNsPerMessage,
    format: duration,
    ratio: `${run} cpu json-ws/udp`,
  })),
  {
    run: 'game/500x60',
    what: 'bytes on the wire per message',
    of: ({ wireBytesPerMessage }) => wireBytesPerMessage,
    format: bytes,
  },
  {
    run: 'echo/paced-1000x60',
    what: 'round trip, 99th percentile',
    of: ({ rttUs }) => rttUs.p99,
    format: us,
  },
  {
    run: 'loss/2pct-50ms-snapshots',
    what: 'snapshot age, 99th percentile',
    of: ({ oneWayUs }) => oneWayUs?.p99,
    format: us,
  },
  {
    run: 'gc-soak',
    what: 'GC pauses, all together',
    of: ({ gcPauseMs }) => gcPauseMs.total,
    format: (value) => duration(value * 1e6),
  },
];
const BASELINE = 'json-ws';

export function headlines(context: Context): Html | null {
  const cards = HEADLINES.map((headline) => card(context, headline)).filter((it) => it !== null);
  return cards.length === 0
    ? null
    : html`<div class="cards" id="chart-headlines" data-chart>${cards}</div>`;
}

function card(context: Context, { run: name, what, of, format, ratio }: Headline): Html | null {
  const { results } = context;
  const values = ['udp', BASELINE].map((wire) => {
    const run = findRun(results, name, wire);
    return run === undefined ? undefined : of(run);
  });
  const [own, other] = values;
  if (own === undefined || other === undefined || !(own > 0) || !(other > 0)) return null;
  const quotient = (ratio !== undefined && results.ratios[ratio]) || other / own;
  const isLess = quotient >= 1;
  const most = Math.max(own, other);
  const bar = (wire: string, value: number): Html =>
    html`<div class="bar"><span class="what">${wireTitle(context, wire)}</span><span class="track" aria-hidden="true"><span style="width:${((100 * value) / most).toFixed(2)}%;background:${colourOf(context, wire)}"></span></span><span class="value">${format(value)}</span></div>`;
  return html`<section class="panel card"><h3>${titleOf(name)}</h3>
<p class="big ${isLess ? 'good' : 'bad'}">${times(isLess ? quotient : 1 / quotient)} <span>${isLess ? 'less' : 'more'}</span></p>
<p>${what}</p>${bar('udp', own)}${bar(BASELINE, other)}</section>`;
}
