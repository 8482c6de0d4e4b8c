import t from 'tap';
import { Prng } from '../util/prng.js';
import { BUCKET_US, DelayHistogram } from './delay-histogram.js';

t.test('equal delays are told exactly', async (t) => {
  const histogram = new DelayHistogram(59);
  for (let i = 0; i < 500; i++) histogram.add(34_000);
  t.equal(histogram.quantileUs(0.5), 34_000);
  t.equal(histogram.quantileUs(0.95), 34_000);
  histogram.checkInvariants();
});

t.test('quantiles of a known distribution are right to a tenth of a bucket', async (t) => {
  const histogram = new DelayHistogram(1 << 20);
  for (let i = 0; i < 100_000; i++) histogram.add((i * 7919) % 100_000);
  for (const share of [0.02, 0.1, 0.5, 0.75, 0.95, 0.998]) {
    const error = Math.abs(histogram.quantileUs(share) - share * 100_000);
    t.ok(error <= BUCKET_US / 10, `${share}: off by ${error} µs`);
  }
});

t.test('the past fades by the forgetting factor', async (t) => {
  const histogram = new DelayHistogram(59);
  for (let i = 0; i < 1000; i++) histogram.add(10_000);
  let count = 0;
  while (histogram.quantileUs(0.5) < 20_000) {
    histogram.add(50_000);
    count += 1;
  }
  // (1 − 1/59)^n = 1/2
  t.equal(count, 41);
});

t.test('a million samples leave it consistent, and a shift moves every quantile', async (t) => {
  const histogram = new DelayHistogram(59);
  const random = new Prng(3);
  for (let i = 0; i < 1_000_000; i++) histogram.add(random.below(60_000));
  histogram.checkInvariants();
  const before = histogram.quantileUs(0.8);
  histogram.shift(25);
  t.equal(histogram.quantileUs(0.8), before + 50_000);
  histogram.shift(-40);
  t.equal(histogram.quantileUs(0.8), before - 30_000);
  histogram.shift(400);
  histogram.checkInvariants();
  histogram.shift(-1000);
  histogram.checkInvariants();
});
