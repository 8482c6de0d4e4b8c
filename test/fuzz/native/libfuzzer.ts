/** One run of libFuzzer over one target of native/fuzz, as a child process. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crateFolder, packageRoot } from './build.js';

export interface Run {
  target: string;
  /** Inputs run. */
  inputs: number;
  /** Null: nothing was found. */
  finding: Finding | null;
}

export interface Finding {
  /** The input, in hex. */
  hex: string;
  /** What the program said about it: the panic, or the sanitizer's report. */
  report: string;
}

export interface RunOptions {
  seconds: number;
  /** Inputs after which it is enough. Default: as many as the time allows. */
  inputs?: number;
  /** Turns the target's planted fault on. */
  planted?: boolean;
  /** Keeps what was found out in `.setup/fuzz`, for the next run. Default false. */
  keep?: boolean;
  seed?: number;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Somebody ended the run; the fuzzer is gone, and so is its folder. */
export class Interrupted extends Error {
  constructor(readonly signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
  }
}

/** Names and longest inputs, as native/fuzz/src/lib.rs lists them. */
export function nativeTargets(): { name: string; maxLength: number }[] {
  const source = readFileSync(join(crateFolder, 'src/lib.rs'), 'utf8');
  const entries = source.matchAll(/name: "(\w+)",\s+run: [\w:]+,\s+max_length: (\d+),/g);
  return [...entries].map(([, name, maxLength]) => ({ name, maxLength: Number(maxLength) }));
}

export function corpusFolder(target: string): string {
  return join(crateFolder, 'corpus', target);
}

function workFolder(target: string): string {
  const folder = join(packageRoot, '.setup/fuzz', target);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** @throws Error the program ended, but not over an input; Interrupted */
export async function runTarget(program: string, name: string, options: RunOptions): Promise<Run> {
  const found = nativeTargets().find((target) => target.name === name);
  if (found === undefined) throw new Error(`native/fuzz has no target ${name}`);
  const scratch = mkdtempSync(join(tmpdir(), 'ggscale-fuzz-'));
  try {
    const artifacts = join(scratch, 'found');
    const fresh = join(scratch, 'corpus');
    for (const folder of [artifacts, fresh]) mkdirSync(folder);
    const { code, output } = await start(program, name, options.planted ?? false, [
      options.keep ? workFolder(name) : fresh,
      corpusFolder(name),
      `-max_total_time=${options.seconds}`,
      `-runs=${options.inputs ?? -1}`,
      `-max_len=${found.maxLength}`,
      `-artifact_prefix=${artifacts}/`,
      `-seed=${options.seed ?? 0}`,
      '-timeout=20',
      '-rss_limit_mb=2048',
      '-print_final_stats=1',
      '-verbosity=0',
    ]);
    const inputs = Number(/number_of_executed_units: (\d+)/.exec(output)?.[1] ?? 0);
    if (code === 0) return { target: name, inputs, finding: null };
    const [file] = readdirSync(artifacts);
    if (file === undefined) throw new Error(`${name} does not run, ${code}:\n${output.trim()}`);
    const hex = readFileSync(join(artifacts, file)).toString('hex');
    return { target: name, inputs, finding: { hex, report: output.trim() } };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** One input, without fuzzing. @returns what the program said when it failed, or null */
export async function replayInput(program: string, name: string, file: string) {
  const { code, output } = await start(program, name, false, [file]);
  return code === 0 ? null : output.trim();
}

/**
 * Makes the committed corpus of what long runs left in `.setup/fuzz`: the fewest inputs that reach every
 * place that all of them reach. @returns how many there are
 */
export async function minimiseCorpus(program: string, name: string): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'ggscale-fuzz-'));
  const committed = corpusFolder(name);
  const length = nativeTargets().find((target) => target.name === name)?.maxLength ?? 0;
  const args = ['-merge=1', '-use_counters=0', `-max_len=${length}`, '-verbosity=0'];
  const { code, output } = await start(program, name, false, [
    ...args,
    scratch,
    committed,
    workFolder(name),
  ]);
  if (code !== 0) throw new Error(`the corpus of ${name} cannot be merged:\n${output}`);
  rmSync(committed, { recursive: true, force: true });
  mkdirSync(committed, { recursive: true });
  cpSync(scratch, committed, { recursive: true });
  rmSync(scratch, { recursive: true });
  return readdirSync(committed).length;
}

function start(
  program: string,
  target: string,
  planted: boolean,
  args: string[],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, args, {
    env: {
      ...process.env,
      GGSCALE_FUZZ_TARGET: target,
      GGSCALE_FUZZ_PLANT: planted ? '1' : '0',
      RUST_BACKTRACE: '0',
      // What lives as long as the process is no leak; the targets' own memory is checked by size.
      ASAN_OPTIONS: 'detect_leaks=0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  let ended: NodeJS.Signals | null = null;
  const end = (signal: NodeJS.Signals) => {
    ended = signal;
    child.kill('SIGKILL');
  };
  for (const signal of SIGNALS) process.on(signal, end);
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (ended === null) resolve({ code, output });
      else reject(new Interrupted(ended));
    });
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, end);
  });
}
