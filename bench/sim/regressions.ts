/** The list of seeds that once failed; the tests play all of them again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { RunResult, SeedRequest } from '../../src/sim/index.js';

/** From here in the compiled tree to the list in the repository. */
export const REGRESSIONS_FILE = new URL('../../../test/sim/regressions.json', import.meta.url);

export interface Regression extends SeedRequest {
  /** The oracle that spoke, and what it said. */
  found: string;
}

export function readRegressions(file: URL = REGRESSIONS_FILE): Regression[] {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

/** Adds what is new; returns how many that were. */
export function recordRegressions(
  failures: readonly RunResult[],
  profile: string | null,
  file: URL = REGRESSIONS_FILE,
): number {
  const known = readRegressions(file);
  let added = 0;
  for (const { seed, level, failure } of failures) {
    const same = (one: Regression): boolean =>
      one.seed === seed && one.level === level && one.profile === profile;
    if (failure === null || known.some(same)) continue;
    const [found] = failure.message.split('\n');
    known.push({ seed, level, profile, found });
    added += 1;
  }
  if (added > 0) writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
  return added;
}
