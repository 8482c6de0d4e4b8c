/**
 * Colours, for both themes: those of Okabe and Ito (2008), which colour-blind readers tell apart, darkened
 * on white and lightened on black until they stand out from it (WCAG 2.2: graphics 3:1, text 4.5:1; a test
 * computes them). A wire keeps its colour in all charts, and its shape, which tells it without colour.
 */

export interface Shade {
  light: string;
  dark: string;
}

export const SURFACES: Readonly<Record<'page' | 'panel', Shade>> = {
  page: { light: '#f6f7f9', dark: '#0e1116' },
  panel: { light: '#ffffff', dark: '#171b22' },
};

/** Of text, on any surface. */
export const INKS: Readonly<Record<'ink' | 'soft' | 'link' | 'good' | 'bad', Shade>> = {
  ink: { light: '#16191f', dark: '#e8ebf0' },
  soft: { light: '#555d6b', dark: '#a3adbd' },
  link: { light: '#0b5cad', dark: '#79b8f5' },
  good: { light: '#00694b', dark: '#4cd3a5' },
  bad: { light: '#a13d00', dark: '#ffa066' },
};

/** Between things; nothing is told by these alone. */
export const LINES: Readonly<Record<'line' | 'grid', Shade>> = {
  line: { light: '#d5dae2', dark: '#323946' },
  grid: { light: '#e6e9ee', dark: '#272d37' },
};

const WIRES: Readonly<Record<string, Shade>> = {
  udp: { light: '#0068a8', dark: '#56b4e9' },
  'json-ws': { light: '#cc5200', dark: '#ff8f3f' },
  'json-http': { light: '#008a65', dark: '#2cc99b' },
  'json-dgram': { light: '#b0578c', dark: '#e79fc8' },
  floor: { light: '#666d78', dark: '#9aa3b0' },
};

/** For wires that are not the suite's own, in turn; as many as have no divisor with the shapes. */
const OTHERS: readonly Shade[] = [
  { light: '#8a6a00', dark: '#f0d442' },
  { light: '#5a48b0', dark: '#b5a7ff' },
  { light: '#9c2f2f', dark: '#ff9a94' },
  { light: '#2f7d8a', dark: '#7ad7e6' },
  { light: '#4f7a16', dark: '#a6d854' },
  { light: '#7a4a21', dark: '#d8a679' },
  { light: '#27408b', dark: '#9dbcff' },
];

const SHAPES = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross'] as const;

export interface WireStyle {
  /** A colour for SVG and CSS. */
  colour: string;
  shade: Shade;
  shape: (typeof SHAPES)[number];
}

/** By wire. Names never become part of the style sheet: wires are numbered. */
export function wireStyles(wires: readonly string[]): Map<string, WireStyle> {
  let others = 0;
  return new Map(
    wires.map((wire, index) => {
      const own = Object.hasOwn(WIRES, wire) ? WIRES[wire] : undefined;
      const shade = own ?? OTHERS[others++ % OTHERS.length];
      return [
        wire,
        { colour: `var(--wire-${index})`, shade, shape: SHAPES[index % SHAPES.length] },
      ];
    }),
  );
}

/** Custom properties of all of them. */
export function paletteStyle(styles: ReadonlyMap<string, WireStyle>): string {
  const shades: [string, Shade][] = [
    ...Object.entries({ ...SURFACES, ...INKS, ...LINES }),
    ...[...styles.values()].map(({ shade }, index): [string, Shade] => [`wire-${index}`, shade]),
  ];
  return shades
    .map(([name, { light, dark }]) => `--${name}: light-dark(${light}, ${dark});`)
    .join('\n');
}

/** Between two colours `#rrggbb`, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
