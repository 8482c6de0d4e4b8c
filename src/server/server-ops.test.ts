import t from 'tap';
import { ServerOps } from './server-ops.js';

t.test('a late process is told once in ten seconds, with all that was skipped', async (t) => {
  const lines: object[] = [];
  const logger = {
    info() {},
    warn: (fields: object, message: string) => lines.push({ ...fields, message }),
    error() {},
  };
  let nowMs = 1000;
  const ops = new ServerOps(logger, null, 60, () => nowMs);
  const message = 'ticks skipped: the process was late';
  let tick = 0;
  for (const [atMs, due] of [
    [1000, 1],
    [2000, 3],
    [3000, 5],
    [11_999, 2],
    [12_000, 1],
    [12_500, 2],
    [12_600, 2],
  ]) {
    nowMs = atMs;
    tick += due;
    ops.beginTick(tick - 1, due);
    ops.endTick();
  }
  t.same(lines, [
    { skipped: 2, message },
    { skipped: 4 + 1 + 1, message },
  ]);
});
