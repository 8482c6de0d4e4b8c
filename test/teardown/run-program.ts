/**
 * Starts a program of `programs/` as a process of its own. What it needs is transpiled once into a
 * folder of its own, because starting a TypeScript loader in every child would take most of the time.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['src/addon', 'src/util', 'test/teardown', 'test/teardown/programs'];
const OPTIONS = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };

export interface Outcome {
  code: number | string | null;
  lines: string[];
  errors: string;
}

/** Fills `folder` (an empty one of the test) with what the programs import. */
export function preparePrograms(folder: string): string {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'native'), join(folder, 'native'));
  for (const from of FOLDERS) {
    for (const file of readdirSync(join(ROOT, from))) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || file === 'run-program.ts') continue;
      const text = readFileSync(join(ROOT, from, file), 'utf8');
      const out = join(folder, from, file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(out, ts.transpileModule(text, { compilerOptions: OPTIONS }).outputText);
    }
  }
  return folder;
}

/** Resolves when it ended; one that hangs ends with the runner's own limit. */
export function runProgram(
  folder: string,
  name: string,
  args: string[],
  nodeArgs: string[] = [],
  variables: Record<string, string> = {},
): Promise<Outcome> {
  const path = join(folder, 'test/teardown/programs', `${name}.js`);
  // The runner's own preload would count the children as tests.
  const env = { ...process.env, NODE_OPTIONS: '', ...variables };
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArgs, path, ...args], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : (error.signal ?? error.code ?? null);
      resolve({ code, lines: stdout.split('\n').filter((line) => line !== ''), errors: stderr });
    });
  });
}
