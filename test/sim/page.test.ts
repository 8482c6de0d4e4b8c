/** docs/TESTING.md names what there is: its figures may be older, its rows may not. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { idsInPage } from '../../bench/sim/scenarios.js';
import { ORACLES } from '../../src/sim/oracle/violation.js';
import { pendingScenarios, scenarios } from '../../src/sim/scenarios/index.js';

const page = readFileSync(new URL('../../docs/TESTING.md', import.meta.url), 'utf8');

t.test('the table has every scenario, in order: npm run sim -- --scenarios --update', async (t) => {
  t.same(
    idsInPage(page),
    [...scenarios, ...pendingScenarios].map(({ id }) => id),
  );
});

t.test('every oracle has a row', async (t) => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  for (const oracle of ORACLES) {
    t.ok(
      rows.some((row) => row.includes(`\`${oracle}\``)),
      oracle,
    );
  }
});

t.test('every plot that is shown is there', async (t) => {
  for (const [, path] of page.matchAll(/\((plots\/[^)]+\.svg)\)/g)) {
    t.match(readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8'), /^<svg/);
  }
});
