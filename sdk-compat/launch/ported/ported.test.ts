import { readFileSync } from 'node:fs';
import t from 'tap';
import { CHECKS } from '../checks.js';
import { SERVER_CHECKS, tableOf } from '../report.js';
import { runCase } from './case.js';
import { CONTRACT_TESTS } from './index.js';

for (const { name, cases } of CONTRACT_TESTS) {
  t.test(name, async (t) => {
    for (const one of cases) await t.test(one.name, () => runCase(one));
  });
}

t.test('the README tells of all these tests, and of the checks of the server', async (t) => {
  const told = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const all = [{ name: SERVER_CHECKS, cases: CHECKS }, ...CONTRACT_TESTS];
  const results = all.map(({ name, cases }) => ({ name, passed: cases.length, failures: [] }));
  t.ok(told.includes(tableOf(results)), 'npm run sdk-compat -- --launch --update');
});
