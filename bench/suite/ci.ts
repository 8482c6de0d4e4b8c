/**
 * `npm run bench:ci`: the gated runs, five rounds each, judged by thresholds.ts. Markdown on stdout and
 * into the job's summary; the last line is `N passed, N failed`. Nothing is run again.
 */
import { appendFileSync } from 'node:fs';
import { endWithParent } from './ending.js';
import { judge, markdown } from './gates.js';
import { choose, createPlan, type PlanSize, QUICK } from './plan.js';
import { buildNative, measureAll, placeHere } from './suite.js';

const SIZE: PlanSize = { ...QUICK, rounds: 5, settleMs: 4_000, warmMs: 200, measureMs: 1_000 };
const GATED = ['echo/saturated', 'echo/paced-1000x60', 'coalesced/8', 'game/500x60'];

const watcher = {
  begin: ({ name }: { name: string }) => process.stderr.write(`bench: ${name}\n`),
  step() {},
  end() {},
};

async function main(): Promise<void> {
  const plans = choose(createPlan(SIZE), GATED).map((plan) => ({ ...plan, rounds: SIZE.rounds }));
  const results = await measureAll(plans, placeHere(await buildNative()), watcher, 'bench:ci');
  const verdicts = judge(results);
  const text = markdown(results, verdicts);
  console.log(text);
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary !== undefined && summary !== '') appendFileSync(summary, `${text}\n`);
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  console.log(`\n${passed} passed, ${verdicts.length - passed} failed`);
  process.exitCode = passed === verdicts.length ? 0 : 1;
}

endWithParent();
main().then(
  () => process.exit(),
  (error: Error) => {
    console.log(`bench: ${error.message}\n0 passed, 1 failed`);
    process.exit(1);
  },
);
