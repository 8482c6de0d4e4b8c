import t from 'tap';
import { Prng } from '../util/prng.js';
import { qualityOf } from './quality.js';

const NOTHING = { rttMs: 0, jitterMs: 0, queueAgeMs: 0 };

t.test('a perfect connection is 1, and what is not measured does not count', async (t) => {
  t.equal(qualityOf(NOTHING, 0), 1);
  t.equal(qualityOf({ ...NOTHING, rttMs: Number.NaN }, 0), 1);
});

t.test('each figure halves it at its mark, and they multiply', async (t) => {
  t.equal(qualityOf({ ...NOTHING, rttMs: 200 }, 0), 0.5);
  t.equal(qualityOf({ ...NOTHING, jitterMs: 50 }, 0), 0.5);
  t.equal(qualityOf({ ...NOTHING, queueAgeMs: 200 }, 0), 0.5);
  t.equal(qualityOf(NOTHING, 0.1), 0.5);
  t.equal(qualityOf({ rttMs: 200, jitterMs: 50, queueAgeMs: 200 }, 0.1), 1 / 16);
});

t.test('it stays between 0 and 1, and a figure that grows never raises it', async (t) => {
  const random = new Prng(1);
  const draw = () => 10 ** (random.below(9) - 3) * (1 + random.below(9));
  for (let run = 0; run < 2000; run++) {
    const figures = { rttMs: draw(), jitterMs: draw(), queueAgeMs: draw() };
    const loss = Math.min(1, draw() / 1e5);
    const quality = qualityOf(figures, loss);
    if (!(quality >= 0 && quality <= 1)) t.fail(`${quality} of ${JSON.stringify(figures)}`);
    const name = (['rttMs', 'jitterMs', 'queueAgeMs'] as const)[run % 3];
    const worse = { ...figures, [name]: figures[name] + draw() };
    if (qualityOf(worse, loss) > quality) t.fail(`${name} raised it: ${JSON.stringify(worse)}`);
    if (qualityOf(figures, Math.min(1, loss * 2)) > quality) t.fail(`loss raised it: ${loss}`);
  }
  t.pass('2,000 connections');
});
