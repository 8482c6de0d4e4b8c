import t from 'tap';
import { Prng } from './prng.js';
import { sequenceAdd, sequenceDistance, sequenceNewer } from './sequence.js';
import { timeAdd, timeAfter, timeDistanceUs, timeReached } from './time.js';
import { TimerWheel } from './timer-wheel.js';
import { isUtf8 } from './utf8.js';

t.test('sequences compare across the wrap', async (t) => {
  t.equal(sequenceDistance(1, 65_535), 2);
  t.equal(sequenceDistance(65_535, 1), -2);
  t.equal(sequenceDistance(32_768, 0), -32_768);
  t.equal(sequenceDistance(32_767, 0), 32_767);
  t.ok(sequenceNewer(0, 65_535));
  t.notOk(sequenceNewer(5, 5));
  t.equal(sequenceAdd(65_535, 2), 1);
  t.equal(sequenceAdd(0, -1), 65_535);
});

t.test('time compares across 2^31', async (t) => {
  const late = timeAdd(0x7fffffff, 10);
  t.ok(late < 0);
  t.ok(timeAfter(late, 0x7fffffff));
  t.notOk(timeAfter(0x7fffffff, late));
  t.ok(timeReached(late, late));
  t.ok(timeReached(late, 0x7fffffff));
  t.notOk(timeReached(0x7fffffff, late));
  t.equal(timeDistanceUs(late, 0x7fffffff), 10);
});

t.test('a timer fires at its deadline or within a tick of it, wherever the clock is', async (t) => {
  for (const startUs of [0, 0x7fffffff - 500_000, -500_000, -0x80000000]) {
    const wheel = new TimerWheel(100, startUs | 0);
    const prng = new Prng(startUs | 1);
    const deadlines = new Map<number, number>();
    let worstUs = 0;
    let elapsedUs = 0;
    for (let step = 0; step < 3000; step += 1) {
      const nowUs = (startUs + elapsedUs) | 0;
      const id = prng.below(100);
      if (!deadlines.has(id)) {
        const inUs = prng.below(60_000) * 15;
        deadlines.set(id, elapsedUs + inUs);
        wheel.scheduleNotLater(id, (nowUs + inUs) | 0);
      }
      elapsedUs += prng.below(3000);
      const laterUs = (startUs + elapsedUs) | 0;
      for (let due = wheel.takeDue(laterUs); due >= 0; due = wheel.takeDue(laterUs)) {
        const lateUs = elapsedUs - (deadlines.get(due) ?? Number.NaN);
        worstUs = Math.max(worstUs, lateUs);
        if (!(lateUs >= 0)) {
          t.fail('early');
        }
        deadlines.delete(due);
      }
    }
    t.ok(worstUs < 1024 * 2 + 3000, `${worstUs} µs late with turns every 3 ms`);
    wheel.checkInvariants();
  }
});

t.test('what is left for later comes before what has become due meanwhile', async (t) => {
  const wheel = new TimerWheel(9, 0);
  for (let id = 0; id < 4; id++) wheel.scheduleNotLater(id, 5_000);
  const taken = [wheel.takeDue(6_144), wheel.takeDue(6_144)];
  for (let id = 4; id < 9; id++) wheel.scheduleNotLater(id, 9_000);
  t.ok(wheel.deadlineUs <= 6_144, 'there is more to do now');
  for (let id = wheel.takeDue(20_000); id >= 0; id = wheel.takeDue(20_000)) taken.push(id);
  t.same(
    taken.map((id) => id >= 4),
    [false, false, false, false, true, true, true, true, true],
  );
  t.same([...taken].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

t.test('the wheel tells the earliest deadline', async (t) => {
  const wheel = new TimerWheel(3, 0);
  t.notOk(wheel.hasDeadline);
  wheel.scheduleNotLater(0, 500_000);
  wheel.scheduleNotLater(1, 20_000);
  wheel.scheduleNotLater(0, 900_000);
  t.ok(wheel.deadlineUs >= 20_000 && wheel.deadlineUs <= 21_024);
  const { deadlineUs } = wheel;
  t.equal(wheel.takeDue(deadlineUs), 1);
  t.equal(wheel.takeDue(deadlineUs), -1);
  t.ok(wheel.deadlineUs >= 500_000 && wheel.deadlineUs <= 501_024, 'not later');
  wheel.cancel(0);
  t.notOk(wheel.hasDeadline);
  wheel.scheduleNotLater(2, 50_000_000);
  t.ok(wheel.deadlineUs < 2_000_000, 'beyond the wheel: a hint before it');
});

t.test('UTF-8 is what TextDecoder takes', async (t) => {
  const prng = new Prng(2);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let round = 0; round < 50_000; round += 1) {
    const bytes = new Uint8Array(1 + prng.below(5));
    for (let index = 0; index < bytes.length; index += 1) {
      bytes[index] = prng.chance(1, 3) ? prng.nextInt32() : 0x80 | prng.nextInt32();
    }
    let valid = true;
    try {
      decoder.decode(bytes);
    } catch {
      valid = false;
    }
    if (isUtf8(bytes, 0, bytes.length) !== valid) {
      t.fail(Buffer.from(bytes).toString('hex'));
      return;
    }
  }
  const text = new TextEncoder().encode('büy 🎮 \u{10ffff}');
  t.ok(isUtf8(text, 0, text.length));
  t.notOk(isUtf8(text, 0, text.length - 1));
});
