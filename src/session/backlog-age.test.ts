import t from 'tap';
import { Prng } from '../util/prng.js';
import { BacklogAge } from './backlog-age.js';

t.test('nothing waits: no age, and no clock is asked', async (t) => {
  const age = new BacklogAge();
  age.note(0, 100, () => {
    throw new Error('asked');
  });
  t.equal(age.ageMs(0, 5000), 0);
});

t.test('what a socket keeps grows old, and what it gives away does not count', async (t) => {
  const age = new BacklogAge();
  age.note(0, 100, () => 0); // it stays: nothing tells before the next message
  age.note(100, 50, () => 10);
  t.equal(age.ageMs(150, 30), 20);
  age.note(150, 60, () => 40);
  t.equal(age.ageMs(110, 50), 40, 'the second one is the oldest now');
  t.equal(age.ageMs(60, 50), 10, 'the third one');
  t.equal(age.ageMs(0, 60), 0);
  age.note(0, 10, () => 70);
  age.note(10, 10, () => 80);
  t.equal(age.ageMs(20, 85), 5, 'from the beginning again');
});

t.test('a message alone that stays is as old as the first look', async (t) => {
  const age = new BacklogAge();
  t.equal(age.ageMs(5000, 100), 0);
  t.equal(age.ageMs(5000, 1100), 1000);
});

t.test('against a queue that is kept in full, it is right to within its marks', async (t) => {
  const random = new Prng(7);
  const age = new BacklogAge();
  let waiting: { length: number; atMs: number }[] = [];
  let now = 0;
  let longest = 0;
  let worst = 0;
  const sum = () => waiting.reduce((bytes, { length }) => bytes + length, 0);
  for (let step = 0; step < 20_000; step++) {
    now += 1 + random.below(30);
    const length = 1 + random.below(2000);
    age.note(sum(), length, () => now);
    waiting.push({ length, atMs: now });
    // Slower than what comes, at times faster.
    const taken = random.below(step % 4000 < 3000 ? 2000 : 9000);
    for (let left = taken; left > 0 && waiting.length > 0; ) {
      const part = Math.min(left, waiting[0].length);
      waiting[0].length -= part;
      left -= part;
      if (waiting[0].length === 0) waiting = waiting.slice(1);
    }
    const real = waiting.length === 0 ? 0 : now - waiting[0].atMs;
    longest = Math.max(longest, real);
    worst = Math.max(worst, Math.abs(age.ageMs(sum(), now) - real));
  }
  t.ok(longest > 1000, `waited ${longest} ms`);
  // As far as marks lie apart, and messages.
  t.ok(worst <= longest / 16 + 35, `wrong by ${worst} ms`);
});
