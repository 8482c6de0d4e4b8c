import t from 'tap';
import { bytes, count, duration, moment, NOTHING, percent, plain, rate, times } from './format.js';

t.test('three significant digits in the unit that fits', async (t) => {
  t.same([0, 8.5, 999, 999.6, 8_717.3, 886_483, 27_000_832, 2_500_000_000].map(duration), [
    '0 ns',
    '8.50 ns',
    '999 ns',
    '1.00 µs',
    '8.72 µs',
    '886 µs',
    '27.0 ms',
    '2.50 s',
  ]);
  t.same([0, 8, 341.4, 1_023, 1_024, 213_647, 24.1 * 1024 ** 3].map(bytes), [
    '0 B',
    '8 B',
    '341 B',
    '1,023 B',
    '1.00 KiB',
    '209 KiB',
    '24.1 GiB',
  ]);
  t.same([0.0308, 1.6, 32.5, 1114.62].map(times), ['0.0308 ×', '1.60 ×', '32.5 ×', '1,115 ×']);
  t.same(
    [-17.25, 12_345.6].map((value) => plain(value)),
    ['-17.3', '12,346'],
  );
});

t.test('rates and counts have groups of digits', async (t) => {
  t.same([0, 999.5, 118_236.1].map(rate), ['0/s', '1,000/s', '118,200/s']);
  t.equal(count(25_276_514_304), '25,276,514,304');
});

t.test('a share above nothing never reads as nothing', async (t) => {
  t.same([0, 0.000_000_1, 0.000_05, 0.0993, 1].map(percent), [
    '0 %',
    '< 0.001 %',
    '0.005 %',
    '9.93 %',
    '100 %',
  ]);
});

t.test('what is no number is a dash, never NaN', async (t) => {
  for (const show of [duration, bytes, count, rate, percent, times, plain]) {
    t.equal(show(Number.NaN), NOTHING, show.name);
    t.equal(show(Number.POSITIVE_INFINITY), NOTHING, show.name);
  }
});

t.test('a date is told to the minute; what is none stays as it is', async (t) => {
  t.equal(moment('2026-11-21T23:49:02.809Z'), '2026-11-21 23:49 UTC');
  t.equal(moment('yesterday'), 'yesterday');
});
