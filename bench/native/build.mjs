// Builds the bench's own program with cargo.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { findCargo, packageRoot } from '../../scripts/build-addon.mjs';

/** @returns the path of the program; throws with one line that says what is wrong */
export async function buildBench({ release = true } = {}) {
  const cargo = findCargo();
  if (cargo === null) throw new Error('no Rust toolchain (cargo) found');
  const args = ['build', '--message-format=json-render-diagnostics', '-p', 'ggscale-bench'];
  args.push('--manifest-path', join(packageRoot, 'native/Cargo.toml'));
  args.push('--target-dir', process.env.CARGO_TARGET_DIR ?? join(packageRoot, 'native/target'));
  if (release) args.push('--release');
  const child = spawn(cargo, args, {
    stdio: ['ignore', 'pipe', 2],
    env: { ...process.env, PATH: `${dirname(cargo)}:${process.env.PATH ?? ''}` },
  });
  let json = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
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
