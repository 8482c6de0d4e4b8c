// Compiles as tsc -p tsconfig.build.json does, and folds constants (lib/fold-constants.mjs).
//
//   node scripts/compile.mjs [outDir]      default: what tsconfig.build.json says
//
// It always writes everything: output in which a value was folded is stale when another file
// changes, which tsc's own record does not know. That record is removed, so that a later plain tsc
// writes everything too; its output is as right, only slower.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { foldConstants } from './lib/fold-constants.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const formatHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => root,
  getNewLine: () => '\n',
};

function compile(outDir) {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => say([problem]) };
  const given = outDir === undefined ? {} : { outDir };
  const parsed = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.build.json'),
    given,
    host,
  );
  if (parsed === undefined) return false;
  const { tsBuildInfoFile, ...options } = parsed.options;
  const program = ts.createProgram(parsed.fileNames, { ...options, incremental: false });
  const problems = [...parsed.errors, ...ts.getPreEmitDiagnostics(program)];
  if (problems.length === 0) {
    if (outDir === undefined && tsBuildInfoFile !== undefined)
      rmSync(tsBuildInfoFile, { force: true });
    const transformers = { before: [foldConstants(program)] };
    problems.push(
      ...program.emit(undefined, undefined, undefined, false, transformers).diagnostics,
    );
  }
  say(problems);
  return problems.length === 0;
}

function say(problems) {
  if (problems.length > 0) process.stdout.write(ts.formatDiagnostics(problems, formatHost));
}

process.exitCode = compile(process.argv[2]) ? 0 : 1;
