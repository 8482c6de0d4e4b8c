/** The named scenarios on their fixed seeds, each with its criterion; what is pending says why. */
import t from 'tap';
import { pendingScenarios, play, scenarios } from '../../src/sim/scenarios/index.js';

for (const scenario of scenarios) {
  const { id, title, conditions, criterion } = scenario;
  t.test(`${id} ${title} (${conditions}): ${criterion}`, async (t) => {
    const { passed, measured } = play(scenario);
    const seen = Object.entries(measured).map(([name, value]) => `${name} ${value}`);
    t.ok(passed, seen.join('; '));
  });
}

t.test('what cannot be promised yet has a reason', async (t) => {
  for (const { id, title, reason } of pendingScenarios) {
    t.comment(`pending ${id} ${title}: ${reason}`);
    t.ok(reason.length > 0);
    t.notOk(scenarios.some((scenario) => scenario.id === id));
  }
});
