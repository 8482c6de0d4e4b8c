import t from 'tap';
import { Prng } from '../util/prng.js';
import { ReceiveNumbers } from './receive-numbers.js';

t.test('ordered lanes count', async (t) => {
  const numbers = new ReceiveNumbers();
  numbers.deliverOrdered(3);
  numbers.deliverOrdered(3);
  t.equal(numbers.next(3), 2);
  t.equal(numbers.next(1), 0);
});

t.test('an unordered lane names the first missing number, in any order of arrival', async (t) => {
  const numbers = new ReceiveNumbers();
  for (const id of [2, 1, 4]) numbers.deliverUnordered(2, id);
  t.equal(numbers.next(2), 0);
  numbers.deliverUnordered(2, 0);
  t.equal(numbers.next(2), 3);
  numbers.deliverUnordered(2, 3);
  t.equal(numbers.next(2), 5);
});

t.test('an unordered lane goes on past the wrap of 16-bit ids', async (t) => {
  const random = new Prng(5);
  const numbers = new ReceiveNumbers();
  const total = 200_000;
  const pending: number[] = [];
  let sent = 0;
  while (numbers.next(0) < total) {
    while (sent < total && pending.length < 200 && sent < numbers.next(0) + 512)
      pending.push(sent++);
    const [number] = pending.splice(random.below(Math.min(pending.length, 64)), 1);
    numbers.deliverUnordered(0, number & 0xffff);
  }
  t.equal(numbers.next(0), total);
});
