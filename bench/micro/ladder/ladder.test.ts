/** The ladder at a size that proves it works. Nothing about time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { killAll } from '../../suite/line-process.js';
import { ROOT } from '../../suite/root.js';
import { buildNative, placeHere } from '../../suite/suite.js';
import { climbLadder } from './climbing.js';
import { Rl1Echo } from './rl1-echo.js';
import { climb, RUNGS } from './rungs.js';

const isCompiled = existsSync(join(ROOT, 'dist/bench/micro/ladder/runtime-server.js'));
const skip =
  process.platform !== 'linux'
    ? 'the load generator needs Linux'
    : isCompiled
      ? false
      : 'not compiled: run `node scripts/setup.mjs` first';

t.setTimeout(280_000); // a build, at first
t.teardown(killAll);

t.test('what the rungs add is all that a message of the server costs', async (t) => {
  const reading = {
    floor: 100,
    core: 20,
    ring: 30,
    native: 140,
    rl1: 50,
    socket: 210,
    server: 300,
  };
  const twice = Object.fromEntries(
    Object.entries(reading).map(([rung, ns]) => [rung, 2 * ns]),
  ) as typeof reading;
  const steps = climb([twice, reading, reading]);
  t.same(
    steps.map(({ rung }) => rung),
    [...RUNGS],
  );
  t.same(
    steps.map(({ stepNs }) => stepNs),
    [100, 20, 10, 10, 50, 20, 90],
    'medians',
  );
  t.equal(
    steps.reduce((sum, { stepNs }) => sum + stepNs, 0),
    reading.server,
  );
  t.equal(steps[4].cpuNs, 80, 'in memory it stands on the ring');
});

t.test('over simulated rings every message comes back, alone or with seven others', async (t) => {
  for (const messagesPerPacket of [1, 8]) {
    const echo = new Rl1Echo({ flows: 3, messagesPerPacket, messageBytes: 100 });
    t.ok(echo.run(50) > 0);
    echo.check(50 * 3 * messagesPerPacket);
    t.throws(() => echo.check(1), /1 messages sent, 0 heard, 0 came back/);
  }
});

t.test('every rung answers', { skip }, async (t) => {
  const size = {
    rounds: 1,
    warmMs: 20,
    measureMs: 100,
    settleMs: 50,
    turns: 20,
    warmTurns: 20,
  };
  const place = placeHere(await buildNative({ release: false }));
  const { steps } = await climbLadder(8, size, place, () => {});
  for (const { rung, cpuNs } of steps) t.ok(cpuNs > 0, rung);
});
