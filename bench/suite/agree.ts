/**
 * `node dist/bench/suite/agree.js a.json b.json`: whether the gated ratios of two runs agree within
 * 15 %. Exit codes: 0 they do, 1 they do not, 2 bad arguments.
 */
import { disagreements } from './ratios.js';
import { readResults } from './results-file.js';
import { THRESHOLDS } from './thresholds.js';

const SHARE = 0.15;

function agree(files: readonly string[]): boolean {
  if (files.length !== 2) throw new Error('two result files are needed');
  const [a, b] = files.map(readResults);
  const names = THRESHOLDS.map(({ ratio }) => ratio);
  const differing = disagreements(a, b, names, SHARE);
  for (const name of names) {
    const mark = differing.some((it) => it.name === name) ? 'DIFFERS' : 'agrees';
    console.log(`${mark}  ${a.ratios[name] ?? 'none'}  ${b.ratios[name] ?? 'none'}  ${name}`);
  }
  return differing.length === 0;
}

try {
  process.exitCode = agree(process.argv.slice(2)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`agree: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
