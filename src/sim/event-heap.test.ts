import t from 'tap';
import { EventHeap } from './event-heap.js';
import { Stream } from './random.js';

t.test('events come by time, and in the order of scheduling when times are equal', async (t) => {
  const heap = new EventHeap();
  const random = new Stream(5, 'heap');
  const model: { timeUs: number; order: number }[] = [];
  let order = 0;
  let popped = 0;
  const check = (): void => {
    model.sort((a, b) => a.timeUs - b.timeUs || a.order - b.order);
    const expected = model.shift();
    t.equal(heap.nextUs, expected?.timeUs);
    heap.pop();
    if (heap.timeUs !== expected?.timeUs || heap.a !== expected?.order) t.fail('out of order');
    popped += 1;
  };
  for (let round = 0; round < 200; round++) {
    for (let i = random.between(0, 40); i > 0; i--) {
      const timeUs = random.between(0, 50);
      model.push({ timeUs, order });
      heap.push(timeUs, 3, order, 7);
      order += 1;
    }
    for (let i = random.between(0, 30); i > 0 && heap.size > 0; i--) check();
  }
  while (heap.size > 0) check();
  t.equal(popped, order);
  t.equal(heap.nextUs, Number.POSITIVE_INFINITY);
  t.notOk(heap.pop());
});
