/** Other transports beside this one, cheapest first. */
import { rank } from '../../peers/table.js';
import { wireInfo } from '../wires.js';
import { type Context, colourOf, groupsOf, wireTag } from './context.js';
import { duration, NOTHING, percent, times } from './format.js';
import { type Html, html } from './html.js';
import { titleOf, workOf } from './titles.js';

/** Runs over a lossy link are among the charts of loss. */
const RANKED = /^peers\/(?!loss-)/;

/** Null when none was asked for: there is nothing to miss then. */
export function peersSection(context: Context): Html | null {
  const groups = groupsOf(context, ({ name }) => RANKED.test(name));
  if (groups.length === 0) return null;
  return html`${groups.map(({ name, runs }, index) => {
    const ranked = rank(runs, name);
    const most = Math.max(...runs.map((run) => run.serverCpuNsPerMessage));
    const rows = ranked.map(({ run, toFloor }) => {
      const cpu = run.serverCpuNsPerMessage;
      const width = most > 0 ? ((100 * cpu) / most).toFixed(2) : '0';
      const { isEncrypted, isReliable, isOrdered } = wireInfo(run.wire, context.results) ?? {};
      const has = [isEncrypted, isReliable, isOrdered].map((yes) => {
        return yes === undefined ? NOTHING : yes ? '✓' : '✗';
      });
      return html`<tr role="row"${run.wire === 'udp' && html` class="own"`}><th scope="row" role="rowheader">${wireTag(context, run.wire)}</th><td role="cell" class="whole"><span class="bar"><span class="track" aria-hidden="true"><span style="width:${width}%;background:${colourOf(context, run.wire)}"></span></span><span class="value">${duration(cpu)}</span></span></td><td role="cell" class="n" data-label="÷ floor">${times(toFloor ?? Number.NaN)}</td><td role="cell" class="n" data-label="p99">${duration(run.rttUs.p99 * 1e3)}</td><td role="cell" class="n" data-label="lost">${percent(run.lossRatio)}</td>${['encrypted', 'reliable', 'ordered'].map((what, column) => html`<td role="cell" data-label="${what}">${has[column]}</td>`)}</tr>
`;
    });
    return html`<div class="panel" id="chart-peers-${index}" data-chart><h3>${titleOf(name)}</h3><p class="soft">${workOf(runs)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="${titleOf(name)}"><table class="figures rows ranked" role="table">
<thead role="rowgroup"><tr role="row"><th scope="col">wire</th><th scope="col">server CPU per message</th><th scope="col" class="n">÷ floor</th><th scope="col" class="n">RTT p99</th><th scope="col" class="n">lost</th><th scope="col">encrypted</th><th scope="col">reliable</th><th scope="col">ordered</th></tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></div></div>`;
  })}`;
}
