/** The addon with the feature `planted-panics`: built for tests, beside what the package loads. */
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { searchPath } from '../interop/peer-build.js';
import { collectText } from '../interop/peer-process.js';

const MANIFEST = fileURLToPath(new URL('../../native/addon/Cargo.toml', import.meta.url));

/** Builds into `folder`; null without a Rust toolchain. Throws when the build itself fails. */
export async function buildPlanted(folder: string): Promise<string | null> {
  const args = ['build', '--locked', '--quiet', '--lib', '--manifest-path', MANIFEST];
  args.push('--features', 'planted-panics', '--message-format=json-render-diagnostics');
  const cargo = spawn('cargo', args, {
    env: { ...process.env, PATH: searchPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null | Error>((resolve) => {
    cargo.once('error', resolve);
    cargo.once('close', resolve);
  });
  const [output, errors] = await Promise.all([
    collectText(cargo.stdout),
    collectText(cargo.stderr),
  ]);
  const code = await ended;
  if (code instanceof Error) return null;
  if (code !== 0) throw new Error(`cargo build of the addon failed:\n${errors}`);
  const file = join(folder, 'planted.node');
  copyFileSync(libraryOf(output), file);
  return file;
}

function libraryOf(output: string): string {
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue;
    const message = JSON.parse(line) as { filenames?: string[]; target?: { name: string } };
    if (message.target?.name !== 'ggscale_transport_addon') continue;
    const found = message.filenames?.find((name) => name.endsWith('.so'));
    if (found !== undefined) return found;
  }
  throw new Error('cargo named no library of the addon');
}
