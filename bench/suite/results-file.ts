/** Results from a file, as the committed schema says they look. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Results } from './results.js';
import { ROOT } from './root.js';
import { problemsOf } from './schema-check.js';

/** @throws Error when there are none, or they look otherwise */
export function readResults(file: string): Results {
  const schema = JSON.parse(readFileSync(join(ROOT, 'bench/suite/results.schema.json'), 'utf8'));
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const [problem] = problemsOf(results, schema);
  if (problem !== undefined) throw new Error(`${file}: ${problem}`);
  return results;
}
