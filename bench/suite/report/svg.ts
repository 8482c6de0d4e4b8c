/**
 * Vega-Lite specifications drawn as SVG, without a browser, for a page that has its own colours and fonts:
 * colours are its custom properties, text is its text. Widths are fixed, for Vega cannot measure text here.
 */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { type Html, html, trusted } from './html.js';

export interface Margins {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Drawing {
  /** Of the whole picture, margins included. Pixels at which text has its size. */
  width: number;
  height: number;
  margins: Margins;
  /** What is in it; sizes, margins and style are added here. */
  spec: object;
}

const CONFIG = {
  aria: false,
  background: null,
  font: 'inherit',
  view: { stroke: null },
  axis: {
    labelColor: 'var(--soft)',
    titleColor: 'var(--soft)',
    gridColor: 'var(--grid)',
    domainColor: 'var(--line)',
    tickColor: 'var(--line)',
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelPadding: 6,
    labelOverlap: false,
    labelBound: false,
    labelFlush: false,
    tickSize: 4,
  },
  text: { color: 'var(--ink)', fontSize: 12 },
} as const;

/**
 * @param id unique in the page
 * @param title what it shows, for those who cannot see it
 * @param description how, and where the figures stand
 */
export async function drawn(
  { width, height, margins, spec }: Drawing,
  id: string,
  title: string,
  description: string,
): Promise<Html> {
  const whole = {
    ...spec,
    width: width - margins.left - margins.right,
    height: height - margins.top - margins.bottom,
    padding: margins,
    autosize: 'none',
    config: CONFIG,
  } as unknown as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  const inside = svg.replace(/^<svg[^>]*>/, '').replace(/<\/svg>\s*$/, '');
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title><desc id="${id}-d">${description}</desc>${trusted(lean(inside))}</svg>`;
}

/** Without what is neither seen nor read: empty paths, roles within a picture, digits below a pixel. */
function lean(svg: string): string {
  return svg
    .replace(/<path class="foreground"[^>]*display="none"\/>/g, '')
    .replace(/<path class="background"[^>]*\/>/g, '')
    .replace(/ (?:class|role|aria-\w+|pointer-events|stroke-miterlimit|font-family)="[^"]*"/g, '')
    .replace(/ (?:opacity|fill-opacity|stroke-opacity|stroke-width)="1"/g, '')
    .replace(/ (?:d|transform|x2?|y2?)="[^"]*"/g, (attribute) => {
      return attribute.replace(/-?\d+\.\d+(?:e-?\d+)?/g, (digits) => `${shorter(Number(digits))}`);
    })
    .replace(/<g><\/g>/g, '');
}

function shorter(value: number): number {
  return Math.round(value * 10) / 10;
}
