/**
 * `node dist/bench/suite/agree.js a.json b.json`: whether the gated ratios of two runs agree within
 * 15 %. Exit code 1 when they do not.
 */
import { readFileSync } from 'node:fs';
import { disagreements } from './ratios.js';
import type { Results } from './results.js';
import { THRESHOLDS } from './thresholds.js';

const SHARE = 0.15;

const [a, b] = process.argv.slice(2).map((file) => {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
});
if (a === undefined || b === undefined) {
  process.stderr.write('agree: two result files are needed\n');
  process.exit(2);
}
const names = THRESHOLDS.map(({ ratio }) => ratio);
const differing = disagreements(a, b, names, SHARE);
for (const name of names) {
  const mark = differing.some((it) => it.name === name) ? 'DIFFERS' : 'agrees';
  console.log(`${mark}  ${a.ratios[name] ?? 'none'}  ${b.ratios[name] ?? 'none'}  ${name}`);
}
process.exitCode = differing.length === 0 ? 0 : 1;
