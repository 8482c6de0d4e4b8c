import t from 'tap';
import { takeRandomBytes } from './random-bytes.js';

t.test('random bytes are given once, across refills, and keep what they were', async (t) => {
  const seen = new Set<string>();
  const first = takeRandomBytes(16);
  const text = first.toString('hex');
  for (let i = 0; i < 2_000; i++) {
    const bytes = takeRandomBytes(8 + (i % 25));
    t.equal(bytes.length, 8 + (i % 25));
    seen.add(bytes.toString('hex', 0, 8));
  }
  t.equal(seen.size, 2_000);
  t.equal(first.toString('hex'), text, 'a copy, not a view');
});
