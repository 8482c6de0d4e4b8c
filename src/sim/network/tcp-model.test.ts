import t from 'tap';
import { ratio } from '../random.js';
import { pathOf } from './profile.js';
import { tcpLatencies } from './tcp-model.js';

const ONE_WAY_US = 25_000;
const traffic = { seed: 1, messageBytes: 100, intervalUs: 16_667, count: 6_000 };

t.test('without loss every message takes the way', async (t) => {
  const path = pathOf({ delayUs: ONE_WAY_US });
  t.same([...new Set(tcpLatencies({ ...traffic, path }))], [ONE_WAY_US]);
});

t.test('a loss holds back all that was written after it, for a round trip and some', async (t) => {
  const loss = ratio(1, 100);
  const path = pathOf({ delayUs: ONE_WAY_US, loss });
  const latencies = tcpLatencies({
    ...traffic,
    path: { ...path, up: pathOf({ delayUs: ONE_WAY_US }).up },
  });
  const late = latencies.filter((us) => us > ONE_WAY_US);
  const holes = latencies.filter((us, index) => us > (latencies[index - 1] ?? 0));
  t.ok(Math.min(...latencies) === ONE_WAY_US, 'nothing is faster than the way');
  t.ok(Math.max(...holes) > 3 * ONE_WAY_US, 'what was lost comes after a round trip and the way');
  const perLoss = late.length / (traffic.count / 100);
  t.ok(perLoss > 3 && perLoss < 10, `${late.length} held back`);
  for (let index = 1; index < latencies.length; index++) {
    const [before, now] = [latencies[index - 1], latencies[index] + traffic.intervalUs];
    if (now < before) t.fail(`message ${index} was read before the one before it`);
  }
});

t.test('everything arrives under heavy loss, and the same each time', async (t) => {
  const path = pathOf({ delayUs: ONE_WAY_US, loss: ratio(20, 100) });
  const [one, two] = [1, 2].map(() => tcpLatencies({ ...traffic, path }));
  t.same(one, two);
  t.ok(one.every((us) => us >= ONE_WAY_US));
});
