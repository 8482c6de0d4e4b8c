/** Goals with what was measured, reached or not, and all ratios. */
import { goalsOutcome, type Outcome, type Unit } from '../goals.js';
import { type Context, wireTitle } from './context.js';
import { bytes, duration, NOTHING, percent, times } from './format.js';
import { type Html, html } from './html.js';
import { figureTitle } from './titles.js';

const SHOW: Readonly<Record<Unit, (value: number) => string>> = {
  times,
  ns: duration,
  µs: (value) => duration(value * 1e3),
  ms: (value) => duration(value * 1e6),
  bytes,
  share: percent,
};

/** The scale of a bar ends at so many times better, and worse. */
const SCALE_MAX = 8;

export function goalsSection(context: Context): Html {
  const all = goalsOutcome(context.results);
  const reached = all.filter(({ isReached }) => isReached === true).length;
  const measured = all.filter(({ isReached }) => isReached !== null).length;
  return html`<div class="panel goals" id="chart-goals" data-chart>
<p class="legend"><b>${reached} of ${measured}</b> measured goals are reached${measured < all.length && html`; ${all.length - measured} were not measured in this run`}. The line in the middle is the goal; a bar to its right is better, to its left short of it, on a logarithmic scale that ends at ${SCALE_MAX} ×.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Goals"><table class="figures rows" role="table">
<thead role="rowgroup"><tr role="row"><th scope="col">figure</th><th scope="col" class="n">measured</th><th scope="col" class="n">goal</th><th scope="col">◂ short of it · better ▸</th><th scope="col">outcome</th></tr></thead>
<tbody role="rowgroup">${all.map((outcome) => row(context, outcome))}</tbody></table></div></div>`;
}

function row(context: Context, outcome: Outcome): Html {
  const { name, unit, measured, isReached } = outcome;
  const show = SHOW[unit];
  const word = isReached === null ? 'not measured' : isReached ? '✓ reached' : '✗ not reached';
  const kind = isReached === null ? '' : isReached ? 'good' : 'bad';
  return html`<tr role="row"><th scope="row" role="rowheader">${named(context, name)}</th><td role="cell" class="n" data-label="measured">${measured === undefined ? NOTHING : show(measured)}</td><td role="cell" class="n" data-label="goal">${goalText(outcome)}</td><td role="cell" class="whole">${scoreBar(outcome) ?? reason(outcome)}</td><td role="cell" class="${kind} outcome">${word}</td></tr>
`;
}

function scoreBar({ score, isReached }: Outcome): Html | null {
  if (!Number.isFinite(score) || isReached === null) return null;
  const reach = Math.min(1, Math.abs(Math.log(score)) / Math.log(SCALE_MAX)) * 50;
  const from = score >= 1 ? 50 : 50 - reach;
  return html`<span class="score" aria-hidden="true"><span class="${isReached ? 'good' : 'bad'}" style="left:${from.toFixed(1)}%;width:${reach.toFixed(1)}%"></span></span>`;
}

/** In the place of a bar. */
function reason({ isReached, why }: Outcome): Html | null {
  return isReached === null && why !== undefined ? html`<small>${why}</small>` : null;
}

export function ratiosTable(context: Context): Html {
  const { ratios } = context.results;
  const goals = new Map(goalsOutcome(context.results).map((outcome) => [outcome.name, outcome]));
  const rows = Object.entries(ratios).map(([name, value]) => {
    const outcome = goals.get(name);
    const goal = outcome === undefined ? NOTHING : goalText(outcome);
    return html`<tr><th scope="row">${named(context, name)}</th><td><code>${name}</code></td><td class="n">${times(value)}</td><td class="n">${goal}</td></tr>
`;
  });
  return html`<details class="panel"><summary>All ratios (${rows.length})</summary>
<div class="scroll" tabindex="0" role="region" aria-label="All ratios"><table class="figures">
<thead><tr><th scope="col">ratio</th><th scope="col">in the results</th><th scope="col" class="n">measured</th><th scope="col" class="n">goal</th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}

function named(context: Context, name: string): string {
  return figureTitle(name, (wire) => wireTitle(context, wire));
}

function goalText({ isAtMost, goal, unit }: Outcome): string {
  return `${isAtMost ? '≤' : '≥'} ${SHOW[unit](goal)}`;
}
