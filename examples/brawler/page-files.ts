/** The page: two files as they are, and its program bundled with esbuild. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import type { PageFile } from './front.js';

/** From the sources, wherever this file was compiled to. */
const root = dirname(createRequire(import.meta.url).resolve('@ggscale/transport/package.json'));
const folder = join(root, 'examples/brawler/page');

export async function pageFiles(): Promise<Map<string, PageFile>> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false,
  });
  const html = await readFile(join(folder, 'index.html'));
  const css = await readFile(join(folder, 'style.css'));
  return new Map([
    ['/', { contentType: 'text/html; charset=utf-8', body: html }],
    ['/style.css', { contentType: 'text/css', body: css }],
    ['/main.js', { contentType: 'text/javascript', body: outputFiles[0].contents }],
  ]);
}
