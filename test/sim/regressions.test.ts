/** Seeds that once broke an invariant. `npm run sim -- --seeds=…` adds those that it finds. */
import t from 'tap';
import { readRegressions } from '../../bench/sim/regressions.js';
import { replayCommand, runSeed } from '../../src/sim/index.js';

const file = new URL('./regressions.json', import.meta.url);

for (const regression of readRegressions(file)) {
  const { seed, level, found } = regression;
  t.test(`seed ${seed} of the ${level} level, once: ${found}`, async (t) => {
    t.equal(runSeed(regression).failure, null, replayCommand(regression));
  });
}
