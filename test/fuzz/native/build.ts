/** Builds native/fuzz: with libFuzzer and coverage, on the toolchain that builds everything else. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { searchPath } from '../../interop/peer-build.js';

/** Of the package, seen from the source or from what was compiled into dist. */
const ROOT = import.meta.url.includes('/dist/') ? '../../../../' : '../../../';
export const packageRoot = fileURLToPath(new URL(ROOT, import.meta.url));
export const crateFolder = join(packageRoot, 'native/fuzz');

/** SanitizerCoverage as libFuzzer wants it: counters, a table of places, and every comparison. */
const COVERAGE = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
];

export type Mode = 'plain' | 'asan';

/** Why it cannot be built here, or null. libFuzzer is C++. */
export function whyNot(): string | null {
  const env = { ...process.env, PATH: searchPath() };
  const has = (command: string) => spawnSync(command, ['--version'], { env }).status === 0;
  if (!has('cargo')) return 'no Rust toolchain (cargo)';
  if (!has(process.env.CXX ?? 'c++')) return 'no C++ compiler (c++), which libFuzzer needs';
  return process.platform === 'linux' ? null : `not tried on ${process.platform}`;
}

/** @returns the program's path. @throws Error with cargo's words when it does not build */
export async function buildFuzzer(mode: Mode): Promise<string> {
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: searchPath() };
  const flags = [...COVERAGE];
  if (mode === 'asan') {
    // The sanitizer's run-time comes with the toolchain; only its flag is held back on stable.
    env.RUSTC_BOOTSTRAP = '1';
    flags.push('-Zsanitizer=address');
  }
  env.RUSTFLAGS = flags.join(' ');
  const target = join(env.CARGO_TARGET_DIR ?? join(packageRoot, 'native/target'), `fuzz-${mode}`);
  env.CARGO_TARGET_DIR = target;
  // Without a target of its own, build scripts would be instrumented too.
  const triple = hostTriple(env);
  const args = ['build', '--quiet', '--locked', '--release', '--features', 'libfuzzer'];
  const built = promisify(execFile)('cargo', [...args, '--target', triple], {
    cwd: crateFolder,
    env,
    maxBuffer: 1 << 28,
  });
  await built.catch(({ stderr, message }) => {
    throw new Error(`native/fuzz does not build:\n${stderr || message}`);
  });
  return join(target, triple, 'release/ggscale-fuzz');
}

function hostTriple(env: NodeJS.ProcessEnv): string {
  const { stdout } = spawnSync('rustc', ['-vV'], { env, encoding: 'utf8' });
  const triple = /^host: (\S+)$/m.exec(stdout ?? '')?.[1];
  if (triple === undefined) throw new Error('rustc -vV names no host');
  return triple;
}
