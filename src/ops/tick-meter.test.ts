import t from 'tap';
import { TickMeter } from './tick-meter.js';

const STEP_US = 1e6 / 60;

t.test('lateness is counted from an absolute schedule, whatever tick came first', async (t) => {
  const meter = new TickMeter(STEP_US);
  const originUs = 5_000_000;
  // The first is late itself: until an earlier one shows where the schedule lies, nobody knows.
  const lateUs = [3000, 0, 0, 700, 0, 40_000, 20];
  for (const [tick, late] of lateUs.entries()) {
    meter.begin(tick, originUs + tick * STEP_US + late);
    meter.end(originUs + tick * STEP_US + late + 250);
  }
  t.equal(meter.lateness.count, 7);
  t.equal(Math.round(meter.lateness.sumS * 1e6), 700 + 40_000 + 20);
  t.equal(meter.duration.count, 7);
  t.equal(Math.round(meter.duration.sumS * 1e6), 7 * 250);
});

t.test('skipped ticks do not move the schedule', async (t) => {
  const meter = new TickMeter(STEP_US);
  for (const tick of [0, 1, 9, 10]) meter.begin(tick, tick * STEP_US);
  t.ok(meter.lateness.sumS < 1e-6);
});
