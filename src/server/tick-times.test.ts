import t from 'tap';
import { TickTimes } from './tick-times.js';

t.test('ticks are reckoned from the first that ran, however late it was', async (t) => {
  const times = new TickTimes(50, 100);
  t.same(times.schedule(), { tick: 0, atMs: 120, stepMs: 20 }, 'before: a guess');
  times.begin(0, 4000);
  t.same(times.schedule(), { tick: 0, atMs: 4000, stepMs: 20 });
});

t.test(
  'a late tick moves nothing, one that was less late shows when all of them are due',
  async (t) => {
    const times = new TickTimes(50, 0);
    times.begin(0, 28);
    times.begin(1, 55);
    t.equal(times.dueMs(1), 48);
    times.begin(2, 61);
    t.equal(times.dueMs(1), 41);
  },
);
