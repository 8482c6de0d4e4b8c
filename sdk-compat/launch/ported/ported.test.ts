import t from 'tap';
import { runCase } from './case.js';
import { CONTRACT_TESTS } from './index.js';

for (const { name, cases } of CONTRACT_TESTS) {
  t.test(name, async (t) => {
    for (const one of cases) await t.test(one.name, () => runCase(one));
  });
}
