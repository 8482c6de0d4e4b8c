import t from 'tap';
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { CONTRACT_VERSION, ENDPOINTS } from './contract.js';

t.test(`the fake server speaks ${CONTRACT_VERSION.server}`, async (t) => {
  for (const check of CHECKS) t.same(await runCheck(check), [], check.name);
});

t.test('no two checks have one name, and every operation has one', async (t) => {
  const names = CHECKS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const operation of Object.keys(ENDPOINTS)) {
    t.ok(
      names.some((name) => name.startsWith(`${operation} `)),
      operation,
    );
  }
});
