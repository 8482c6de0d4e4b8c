/** No criterion of a scenario holds whatever happens: each fails once a part of its world is spoiled. */
import t from 'tap';
import { play, scenarios } from '../../src/sim/scenarios/index.js';
import { scenarioCanaries, withoutCanary } from './scenario-canaries.js';

t.setTimeout(120_000);

for (const { id, spoiled, variation } of scenarioCanaries) {
  t.test(`${id} fails with ${spoiled}`, async (t) => {
    const scenario = scenarios.find((one) => one.id === id);
    if (scenario === undefined) throw new RangeError(`no scenario is called ${id}`);
    const { passed, measured } = play(scenario, variation);
    const seen = Object.entries(measured).map(([name, value]) => `${name} ${value}`);
    t.notOk(passed, seen.join('; '));
    t.comment(seen.join('; '));
  });
}

t.test('every scenario has a canary', async (t) => {
  const proved = new Set(scenarioCanaries.map(({ id }) => id));
  for (const { id } of scenarios) t.ok(proved.has(id) !== id in withoutCanary, id);
});
