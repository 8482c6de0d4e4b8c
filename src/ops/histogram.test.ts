import t from 'tap';
import { BUCKET_BOUNDS_S, DurationHistogram } from './histogram.js';

t.test('a duration counts at its bound and at every bound above, and at none below', async (t) => {
  for (const [index, boundS] of BUCKET_BOUNDS_S.entries()) {
    const boundUs = Math.round(boundS * 1e6);
    const at = new DurationHistogram();
    at.observe(boundUs);
    const expected = BUCKET_BOUNDS_S.map((_, other) => (other >= index ? 1 : 0));
    t.same(at.cumulative(), expected, `${boundUs} µs`);
    const above = new DurationHistogram();
    above.observe(boundUs + 0.5);
    t.same(
      above.cumulative(),
      BUCKET_BOUNDS_S.map((_, other) => (other > index ? 1 : 0)),
      `${boundUs}.5 µs`,
    );
  }
});

t.test('what is beyond all bounds is in count and sum; what is below zero is zero', async (t) => {
  const histogram = new DurationHistogram();
  for (const us of [-5, 0, 1, 3e6, 2 ** 40]) histogram.observe(us);
  t.equal(histogram.count, 5);
  t.equal(histogram.cumulative().at(-1), 3);
  t.equal(histogram.cumulative()[0], 3);
  t.equal(histogram.sumS, (1 + 3e6 + 2 ** 40) / 1e6);
});
