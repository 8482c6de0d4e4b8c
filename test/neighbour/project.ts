/** The example in examples/native-neighbour, built as a project where the package is installed. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NativeHandle } from '../../src/server/index.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLE = join(ROOT, 'examples/native-neighbour');

type Counts = Record<string, number>;

export interface Sampler {
  take(): { intervals: number; closed: boolean; peaks: Counts; totals: Counts };
  stop(): void;
}

/** examples/native-neighbour/neighbour.cc */
export interface Neighbour {
  read(handle: unknown): { closed: boolean; counters: Counts };
  Sampler: new (handle: unknown, intervalUs?: unknown) => Sampler;
}

/** foreign.c */
export interface Foreign {
  check(value: unknown): number;
  forged(abiVersion: number, bytesMissing: number): NativeHandle;
  taggedObject(): object;
  taggedExternal(): unknown;
  untagged: unknown;
  otherTag: unknown;
}

/** Why nothing can be built here, for `skip`; false where it can. */
export function missingTools(): string | false {
  const tools = [process.env.CXX ?? 'c++', process.env.CC ?? 'cc', 'make', 'python3'];
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0);
  return missing.length > 0 && `no ${missing.join(', no ')}`;
}

/** Builds the example, and foreign.c beside it, in the empty `folder`. */
export async function buildProject(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@ggscale'), { recursive: true });
  symlinkSync(ROOT, join(modules, '@ggscale/transport'));
  symlinkSync(join(ROOT, 'node_modules/node-addon-api'), join(modules, 'node-addon-api'));
  for (const file of readdirSync(EXAMPLE)) {
    if (/\.(cc|h)$/.test(file)) cpSync(join(EXAMPLE, file), join(folder, file));
  }
  cpSync(join(ROOT, 'test/neighbour/foreign.c'), join(folder, 'foreign.c'));
  const gyp = readFileSync(join(EXAMPLE, 'binding.gyp'), 'utf8');
  const { targets } = JSON.parse(gyp.replace(/^\s*#.*$/gm, ''));
  const [{ include_dirs, defines }] = targets;
  const cflags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-pedantic'];
  const foreign = { target_name: 'foreign', sources: ['foreign.c'], include_dirs, defines, cflags };
  writeFileSync(join(folder, 'binding.gyp'), JSON.stringify({ targets: [...targets, foreign] }));
  const { buildNeighbour } = await import(new URL('build.mjs', `file://${EXAMPLE}/`).href);
  buildNeighbour(folder);
}

/** A module of the project: `neighbour` or `foreign`. */
export function load<T>(folder: string, name: string): T {
  return createRequire(import.meta.url)(join(folder, `build/Release/${name}.node`));
}
