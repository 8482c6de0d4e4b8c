// The repository checks itself. One line for each finding, `N passed, N failed` (rules) at the end,
// exit code 1 with any finding.
import { spawnSync } from 'node:child_process';
import { packageRoot as root } from './build-addon.mjs';
import { closingLine } from './lib/test-counts.mjs';
import {
  bannedGlobals,
  fileLength,
  leftovers,
  machineTraces,
  nativeLoading,
} from './lib/tidy/code.mjs';
import {
  documentedCommands,
  documentedTests,
  documentLinks,
  packageFiles,
  readmeCommands,
} from './lib/tidy/documents.mjs';
import { importDirections } from './lib/tidy/imports.mjs';
import { treeOnDisk } from './lib/tidy/tree.mjs';

const rules = {
  'import directions': importDirections,
  'banned calls': bannedGlobals,
  'addon loading': nativeLoading,
  'file length': fileLength,
  leftovers,
  'machine traces': machineTraces,
  'documented commands': documentedCommands,
  'README and CI commands': readmeCommands,
  'documented tests': documentedTests,
  'document links': documentLinks,
  'package files': packageFiles,
  'generated files': generatedFiles,
};

function generatedFiles() {
  const run = spawnSync(process.execPath, ['scripts/generate.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status === 0) return [];
  const lines = `${run.stdout}${run.stderr}`.trim().split('\n');
  return [`scripts/generate.mjs --check: ${lines.at(-1)}`];
}

const tree = treeOnDisk(root);
let failed = 0;
for (const [name, rule] of Object.entries(rules)) {
  const findings = rule(tree);
  for (const finding of findings) console.log(`${finding} [${name}]`);
  if (findings.length > 0) failed++;
}
console.log(closingLine(Object.keys(rules).length - failed, failed));
process.exitCode = failed === 0 ? 0 : 1;
