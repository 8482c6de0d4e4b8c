import t from 'tap';
import { NodeClock } from './node-clock.js';
import { Stream } from './random.js';

t.test('a deadline is reached at the first world microsecond that shows it', async (t) => {
  const random = new Stream(1, 'clock');
  for (let round = 0; round < 2000; round++) {
    const clock = new NodeClock(random.between(0, 1 << 22) * 2048);
    clock.setDrift(0, random.between(-500, 500));
    const worldUs = random.between(0, 1 << 22) * 16;
    const deadlineUs = (clock.at(worldUs) + random.between(1, 1 << 20)) | 0;
    const atUs = clock.worldAt(deadlineUs, worldUs);
    if (((clock.at(atUs) - deadlineUs) | 0) < 0) t.fail('too early');
    if (((clock.at(atUs - 1) - deadlineUs) | 0) >= 0) t.fail('later than need be');
  }
});

t.test('a clock drifts, jumps ahead, wraps and never goes back', async (t) => {
  const clock = new NodeClock(0x80000000 - 10);
  t.equal(clock.at(9), 0x7fffffff);
  t.equal(clock.at(10), -0x80000000);
  clock.setDrift(1_000_000, 100);
  const before = clock.absoluteUs(1_000_000);
  t.equal(clock.absoluteUs(2_000_000) - before, 1_000_100);
  clock.jumpAhead(2_000_000, 5_000);
  t.equal(clock.absoluteUs(2_000_000) - before, 1_005_100);
  clock.setDrift(2_000_000, -100);
  t.equal(clock.absoluteUs(3_000_000) - before, 2_005_000);
});
