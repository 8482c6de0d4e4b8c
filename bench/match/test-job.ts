/** For the tests of the compiled main job: its processes, their output and their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

export const job = fileURLToPath(new URL('../../dist/bench/match/main.js', import.meta.url));
/** `npm test` compiles first; a single test file run by hand may find nothing. */
export const skip = existsSync(job) ? false : 'not compiled: run `node scripts/setup.mjs` first';

/** Real processes on a machine that may be busy; only a hang takes this long. */
export const TIMEOUT_MS = 120_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Killed at the end of the test, should it still run. */
export function start(
  t: Pick<Test, 'teardown'>,
  args: string[],
  env: Record<string, string> = {},
): ChildProcess {
  const child = spawn(process.execPath, [job, ...args], { env: { ...process.env, ...env } });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

export function ended(child: ChildProcess): Promise<Ended> {
  const result: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    result.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    result.stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ ...result, code }));
  });
}

export function readyLine(child: ChildProcess): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line));
    });
  });
}

export async function isListening(port: unknown): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  );
}
