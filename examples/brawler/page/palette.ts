/** Colours of the arena, by day and by night; fighters keep theirs. */

export const FIGHTER_COLOURS = ['#ff5d5d', '#3aa0ff', '#34c771', '#b57bff'];

export interface Palette {
  sky: [string, string, string];
  hills: [string, string, string];
  orb: string;
  /** Red, green, blue, and how strong. */
  orbGlow: readonly [number, number, number, number];
  ground: string;
  groundEdge: string;
  platform: string;
  platformEdge: string;
  /** Underside of platforms, and the depth of the earth. */
  shade: string;
  outline: string;
  label: string;
  labelEdge: string;
  isNight: boolean;
}

export const DAY: Palette = {
  sky: ['#7cc7ff', '#bfe6ff', '#fff3dc'],
  hills: ['#a8d8e8', '#7fc4b4', '#57a98c'],
  orb: '#fff6c9',
  orbGlow: [255, 248, 220, 0.7],
  ground: '#5b4636',
  groundEdge: '#6fbf4f',
  platform: '#7a5c44',
  platformEdge: '#86d163',
  shade: '#4a382b',
  outline: 'rgba(24, 30, 46, 0.85)',
  label: '#182033',
  labelEdge: 'rgba(255, 255, 255, 0.85)',
  isNight: false,
};

export const NIGHT: Palette = {
  sky: ['#0a0f2a', '#1b1b4b', '#4a2a68'],
  hills: ['#2a2558', '#1f1c47', '#151436'],
  orb: '#fdf3d0',
  orbGlow: [190, 190, 255, 0.28],
  ground: '#1f1b42',
  groundEdge: '#6d5cff',
  platform: '#2c265c',
  platformEdge: '#8b7bff',
  shade: '#0f0d24',
  outline: 'rgba(6, 8, 24, 0.9)',
  label: '#f3f5ff',
  labelEdge: 'rgba(8, 10, 30, 0.8)',
  isNight: true,
};

/** Follows the reader's colour scheme. */
export function watchPalette(): () => Palette {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  return () => (dark.matches ? NIGHT : DAY);
}
