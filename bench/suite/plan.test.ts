import t from 'tap';
import { choose, createPlan, expectedMs, FULL, QUICK, SMOKE } from './plan.js';

t.test('the whole run has every run that was promised, on its wires', async (t) => {
  const plans = createPlan(FULL);
  const wiresOf = (name: string): readonly string[] =>
    plans.find((plan) => plan.name === name)?.wires ?? [];
  const all = ['floor', 'udp', 'json-ws', 'json-http', 'json-dgram'];
  t.same(wiresOf('echo/saturated'), all);
  for (const flows of [1, 100, 1000]) {
    for (const hz of [20, 60]) {
      t.same(wiresOf(`echo/paced-${flows}x${hz}`).slice(0, 3), all.slice(0, 3), `${flows} × ${hz}`);
    }
  }
  for (const name of ['game/500x20', 'game/500x60', 'game/2000x20', 'game/2000x60']) {
    t.same(wiresOf(name), ['udp', 'json-ws'], name);
  }
  for (const percent of [0, 1, 2, 5]) {
    t.same(wiresOf(`loss/${percent}pct-50ms`), ['udp', 'json-ws']);
    t.same(wiresOf(`loss/${percent}pct-50ms-snapshots`), ['udp', 'json-ws']);
  }
  t.same(wiresOf('coalesced/8'), ['floor', 'udp', 'json-ws']);
  for (const name of ['stalled/one', 'bulk/256KiB', 'gc-soak', 'storm/1000']) {
    t.same(wiresOf(name), ['udp', 'json-ws'], name);
  }
  t.same(wiresOf('flows/100000'), ['udp']);
  t.same(wiresOf('overload/2x'), ['udp', 'json-ws']);
  t.same(wiresOf('start'), all);
  t.equal(new Set(plans.map(({ name }) => name)).size, plans.length, 'no name twice');
  const soak = plans.find(({ name }) => name === 'gc-soak');
  t.same([(soak?.flows ?? 0) * (soak?.hz ?? 0), soak?.measureMs], [50_000, 60_000]);
});

t.test(
  'a whole run is expected to take under ten minutes, a quick one under ninety seconds',
  async (t) => {
    const total = (size: typeof FULL): number =>
      createPlan(size).reduce((sum, plan) => sum + expectedMs(plan), 0);
    t.ok(total(FULL) < 600_000, `${total(FULL)} ms`);
    t.ok(total(QUICK) < 90_000, `${total(QUICK)} ms`);
    t.ok(total(SMOKE) < total(QUICK));
  },
);

t.test('quick runs leave nothing out that is gated, and the hundred thousand flows', async (t) => {
  const names = createPlan(QUICK).map(({ name }) => name);
  for (const name of ['echo/saturated', 'echo/paced-1000x60', 'coalesced/8', 'game/500x60']) {
    t.ok(names.includes(name), name);
  }
  t.notOk(names.some((name) => name.startsWith('flows/')));
  for (const plan of createPlan(QUICK).filter(({ name }) => name.startsWith('echo/sat'))) {
    t.ok(plan.rounds >= 5, 'gated figures are medians of five rounds');
  }
});

t.test('names choose whole, or by how they begin', async (t) => {
  const plans = createPlan(FULL);
  t.same(choose(plans, []), plans);
  t.same(
    choose(plans, ['game/500', 'start']).map(({ name }) => name),
    ['game/500x20', 'game/500x60', 'start'],
  );
  t.same(choose(plans, ['nothing']), []);
});
