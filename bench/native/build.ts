/** Builds the bench's own program with cargo. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../suite/root.js';

/** The path of the program. @throws Error with one line that says what is wrong */
export async function buildNative({ release = true } = {}): Promise<string> {
  const cargo = await findCargo();
  if (cargo === null) throw new Error('no Rust toolchain (cargo) found');
  const args = ['build', '--message-format=json-render-diagnostics', '-p', 'ggscale-bench'];
  args.push('--manifest-path', join(ROOT, 'native/Cargo.toml'));
  args.push('--target-dir', process.env.CARGO_TARGET_DIR ?? join(ROOT, 'native/target'));
  if (release) args.push('--release');
  const child = spawn(cargo, args, {
    stdio: ['ignore', 'pipe', 2],
    env: { ...process.env, PATH: `${dirname(cargo)}:${process.env.PATH ?? ''}` },
  });
  let json = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    json += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error('cargo failed; the lines above say why');
  for (const line of json.split('\n')) {
    if (!line.startsWith('{"reason":"compiler-artifact"')) continue;
    const { target, executable } = JSON.parse(line);
    if (target.name === 'ggscale-bench' && executable) return executable;
  }
  throw new Error('cargo built no ggscale-bench');
}

/** The build scripts are no part of what is compiled. */
async function findCargo(): Promise<string | null> {
  const url = pathToFileURL(join(ROOT, 'scripts/build-addon.mjs')).href;
  const script = (await import(url)) as { findCargo(): string | null };
  return script.findCargo();
}
