/** Vega-Lite specifications drawn as SVG files, without a browser: light background, named units. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** Colours that colour-blind readers tell apart (Okabe and Ito 2008), without the pale ones. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#666666', '#e69f00'] as const;

const FONT = 'DejaVu Sans, Verdana, sans-serif';

const CONFIG = {
  background: 'white',
  padding: 12,
  font: FONT,
  title: { fontSize: 14, subtitleFontSize: 12, anchor: 'start', offset: 12 },
  axis: { labelFontSize: 11, titleFontSize: 12, grid: true, gridColor: '#e4e4e4' },
  legend: { labelFontSize: 11, titleFontSize: 12, orient: 'bottom', labelLimit: 0 },
  range: { category: [...COLOURS] },
  view: { stroke: '#999999' },
} as const;

/** Writes the plot to `path`, and the folders on the way to it. */
export async function writePlot(path: string, spec: TopLevelSpec): Promise<void> {
  const { config, ...rest } = spec;
  const whole = { ...rest, config: { ...CONFIG, ...config } } as TopLevelSpec;
  const view = new View(parse(compile(whole).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${svg}\n`);
}
