/** Every operation at a size that proves it works, and the guards. Nothing about time. */
import t from 'tap';
import { allOperations, choose, tableOf } from './main.js';
import { allocatedPer, measure } from './measure.js';
import { GROUPS, Sink } from './operation.js';

const SIZE = { seconds: 0.005, minSamples: 1, iterations: 2_000 };

t.test('every operation returns what it must, and has its figures', async (t) => {
  const operations = allOperations();
  const figures = operations.map((operation) => measure(operation, SIZE));
  for (const { name, ns, sink } of figures) t.ok(ns > 0 && sink.calls > SIZE.iterations, name);
  t.same([...new Set(figures.map(({ group }) => group))].sort(), [...GROUPS].sort());
  t.equal(
    tableOf(figures).match(/│ (codec|header|ack|packet|channel|ring) /g)?.length,
    figures.length,
  );
});

t.test('an operation that goes wrong once is found, and one that is never called', async (t) => {
  const [operation] = choose(allOperations(), ['ring']);
  let calls = 0;
  const broken = { ...operation, run: () => operation.expected + (++calls === 100 ? 1 : 0) };
  t.throws(() => measure(broken, SIZE), /sum up to/);
  t.throws(() => new Sink().check(operation), /never called/);
  const thrower = {
    ...operation,
    run: () => {
      throw new Error('no');
    },
  };
  t.throws(() => measure(thrower, SIZE), /no/);
});

t.test('allocated bytes are counted to the byte, garbage collected or not', async (t) => {
  let kept: unknown = null;
  // Three words of an object's own, and its two fields.
  const bytes = allocatedPer(() => {
    kept = { isFirst: kept === null, size: 1 };
  }, 200_000);
  t.equal(bytes, 40);
  t.equal(
    allocatedPer(() => {
      kept = null;
    }, 200_000),
    0,
  );
});

t.test('groups and words choose', async (t) => {
  const all = allOperations();
  t.same(choose(all, []), all);
  t.ok(choose(all, ['ring']).every(({ group }) => group === 'ring'));
  t.ok(choose(all, ['Snapshot']).every(({ name }) => name.startsWith('Snapshot')));
  t.same(choose(all, ['absent']), []);
});
