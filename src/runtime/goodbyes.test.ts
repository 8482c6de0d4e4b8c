import t from 'tap';
import { GOODBYE_PATIENCE_US, Goodbyes } from './goodbyes.js';

const NONE = new Uint8Array(0);
const slots = (due: { slot: number }[]) => due.map(({ slot }) => slot);

t.test('a goodbye is said when nothing is owed, or when patience is over', async (t) => {
  const goodbyes = new Goodbyes();
  const startUs = 2 ** 31 - 1000; // the clock wraps in between
  goodbyes.add(1, 1000, NONE, startUs);
  goodbyes.add(2, 4000, NONE, startUs);
  goodbyes.add(3, 1001, NONE, (startUs + 500) | 0);
  t.same(slots(goodbyes.takeDue((startUs + 1000) | 0, (slot) => slot !== 2)), [2]);
  t.equal(goodbyes.deadlineUs, (startUs + GOODBYE_PATIENCE_US) | 0);
  t.same(slots(goodbyes.takeDue((goodbyes.deadlineUs - 1) | 0, () => true)), []);
  t.same(slots(goodbyes.takeDue(goodbyes.deadlineUs, () => true)), [1]);
  goodbyes.remove(3);
  t.ok(goodbyes.isEmpty);
});

t.test('who waits for all goodbyes is told at the end of a turn', async (t) => {
  const goodbyes = new Goodbyes();
  await goodbyes.said();
  goodbyes.add(1, 1000, NONE, 0);
  let isTold = false;
  const told = goodbyes.said().then(() => {
    isTold = true;
  });
  goodbyes.tellIfSaid();
  await Promise.resolve();
  t.notOk(isTold);
  t.same(slots(goodbyes.takeAll()), [1]);
  goodbyes.tellIfSaid();
  await told;
  t.ok(isTold);
});
