/** Every program in a page of headless Chromium, with the option off and on: what it sees is what Node sees. */
import t from 'tap';
import { SKIP } from '../test/browser/chromium.js';
import { differencesInPages, type FourRuns, runInPages } from './in-pages.js';
import { Network } from './network.js';
import { Pages } from './pages.js';
import { PROGRAMS } from './programs/index.js';

const loopback = Network.loopback();
t.teardown(() => loopback.end());
const chromium = SKIP === false ? Network.with(await Pages.open()) : null;
t.teardown(() => chromium?.end());
const runs = new Map<string, FourRuns>();

for (const [name, entry] of Object.entries(PROGRAMS)) {
  t.test(`2. ${name}: the same transcript in a page as in Node`, { skip: SKIP }, async (t) => {
    const four = await runInPages(loopback, chromium as Network, name);
    if (process.env.SHOW) console.error(name, four);
    t.equal(four.page.off.failure, null);
    t.same(differencesInPages(four, entry), []);
    t.ok(four.page.on.joins > 0, 'it came in');
    runs.set(name, four);
  });
}

t.test('what a page must not do is found', { skip: SKIP }, async (t) => {
  const four = runs.get('rooms') as FourRuns;
  const { page } = four;
  const spoiled = (side: 'off' | 'on', change: object) =>
    differencesInPages(
      { ...four, page: { ...page, [side]: { ...page[side], ...change } } },
      PROGRAMS.rooms,
    );
  t.same(spoiled('off', {}), []);
  const lanes = { ...page.off.lanes, anna: page.off.lanes.anna.slice(1) };
  t.not(spoiled('off', { lanes }).length, 0, 'it misses a message');
  t.not(spoiled('on', { lanes }).length, 0, 'it misses a message with the option');
  t.equal(spoiled('on', { fallbacks: [] }).length, 1, 'it does not say that it has no UDP');
  const twice = [...page.on.fallbacks, 'unsupported-platform'];
  t.equal(spoiled('on', { fallbacks: twice }).length, 1, 'it says so twice');
  t.equal(spoiled('off', { fallbacks: ['unsupported-platform'] }).length, 1, 'it was not asked');
  t.equal(spoiled('on', { wires: ['json-ws', 'udp'] }).length, 1, 'it has UDP');
});
