/** All plans of a run, one after the other, into results. Ends every process it started. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './commands.js';
import { killAll } from './line-process.js';
import { missingLink } from './link.js';
import { describeMachine, pinning } from './machine.js';
import type { RunPlan } from './plan.js';
import { ratiosOf } from './ratios.js';
import type { Results, RunResult, WireInfo } from './results.js';
import { ROOT } from './root.js';
import { loopbackPlace, measurePlan } from './run.js';

export { buildNative } from '../native/build.js';

export interface Watcher {
  begin(plan: RunPlan): void;
  step(doing: string): void;
  end(plan: RunPlan): void;
  fail?(plan: RunPlan, error: Error): void;
}

/**
 * `watcher.fail` is told of a plan that failed, which is left out, and the others go on: minutes of
 * measuring are not lost for one. Without it the first failure is thrown.
 *
 * @throws Error what `measurePlan` throws
 */
export async function measureAll(
  plans: readonly RunPlan[],
  place: Place,
  watcher: Watcher,
  command: string,
  wires: Readonly<Record<string, WireInfo>> = {},
): Promise<Results> {
  const runs: RunResult[] = [];
  const skipped = place.skipped ?? [];
  const here = { ...place, skipped };
  try {
    for (const plan of plans) {
      const reason = plan.network === undefined ? null : missingLink();
      if (reason !== null) {
        skipped.push({ name: plan.name, reason });
        continue;
      }
      watcher.begin(plan);
      try {
        runs.push(...(await measurePlan(plan, here, (doing) => watcher.step(doing))));
      } catch (error) {
        if (watcher.fail === undefined) throw error;
        const { message: reason } = error as Error;
        skipped.push({ name: plan.name, reason });
        watcher.fail(plan, error as Error);
      }
      watcher.end(plan);
    }
  } finally {
    killAll();
  }
  return {
    machine: describeMachine(place.pins),
    versions: versions(),
    date: new Date().toISOString(),
    command,
    runs,
    ratios: ratiosOf(runs),
    ...(skipped.length === 0 ? {} : { skipped }),
    ...(Object.keys(wires).length === 0 ? {} : { wires }),
  };
}

export function placeHere(binary: string): Place {
  return loopbackPlace(binary, pinning());
}

function versions(): Record<string, string> {
  const versionOf = (file: string): string => {
    return (JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as { version: string }).version;
  };
  return {
    transport: versionOf('package.json'),
    node: process.version,
    v8: process.versions.v8,
    ws: versionOf('node_modules/ws/package.json'),
    flatbuffers: versionOf('node_modules/flatbuffers/package.json'),
  };
}
