/** A chart in the page: its caption, the picture, and the same as a table. */
import { type Context, wireTag } from './context.js';
import { type Html, html } from './html.js';
import { type Drawing, drawn } from './svg.js';

export interface Cells {
  wire: string;
  /** Beside the wire: of which run. */
  name?: string;
  values: readonly string[];
}

export interface Figure {
  /** Unique in the page; also what tests look for. */
  id: string;
  title: string;
  subtitle?: string;
  /** What the picture shows and how to read it, in words. */
  description: string;
  /** One picture, or one for wide screens and one for narrow ones. */
  drawings: readonly Drawing[];
  heads: readonly string[];
  rows: readonly Cells[];
  /** The table is folded away where it is long. */
  isFolded?: boolean;
}

export async function figure(context: Context, chart: Figure): Promise<Html> {
  const { id, title, subtitle, description, drawings } = chart;
  const pictures = await Promise.all(
    drawings.map(async (drawing, index) => {
      const svg = await drawn(drawing, `${id}-${index}`, title, description);
      const fit = drawings.length === 1 ? 'any' : index === 0 ? 'wide' : 'narrow';
      return html`<div class="picture ${fit}">${svg}</div>`;
    }),
  );
  const table = figureTable(context, chart);
  return html`<figure class="panel" id="${id}" data-chart>
<figcaption><h3>${title}</h3>${subtitle && html`<p>${subtitle}</p>`}</figcaption>
${pictures}
${chart.isFolded ? html`<details><summary>The same in figures</summary>${table}</details>` : table}
</figure>`;
}

export function figureTable(
  context: Context,
  { title, heads, rows }: Pick<Figure, 'title' | 'heads' | 'rows'>,
): Html {
  const isNamed = rows.some(({ name }) => name !== undefined);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${title}, in figures"><table class="figures">
<thead><tr>${isNamed && html`<th scope="col">run</th>`}<th scope="col">wire</th>${heads.map((head) => html`<th scope="col" class="n">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({
      wire,
      name,
      values,
    }) => html`<tr>${isNamed && html`<td>${name}</td>`}<th scope="row">${wireTag(context, wire)}</th>${values.map((value) => html`<td class="n">${value}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}
