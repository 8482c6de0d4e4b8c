import t, { type Test } from 'tap';
import type { Results } from '../results.js';
import { emptyResult } from '../run.js';
import { escaped, html } from './html.js';
import { page } from './page.js';
import { sampleResults } from './sample-results.js';

const PAGE_BYTES_MAX = 1_500_000;

function idsOf(text: string): string[] {
  return [...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
}

/** Nothing that is no figure shows, no id is twice, nothing comes from elsewhere. */
function wellFormed(t: Test, text: string): void {
  const found = (pattern: RegExp): string | undefined => pattern.exec(text)?.[0];
  t.equal(found(/.{0,40}(?:NaN|undefined|Infinity|\[object)/), undefined);
  const ids = idsOf(text);
  t.same([...new Set(ids)], ids, 'no id twice');
  t.equal(found(/<script|<iframe|<img|<object|@import|url\(/i), undefined);
  t.equal(found(/(?:src|href)="(?!#|data:,).{0,40}/), undefined);
  t.equal(text.match(/<section/g)?.length, text.match(/<\/section>/g)?.length);
}

t.test('every chart is in the page, and the page needs nothing else', async (t) => {
  const text = await page(sampleResults());
  wellFormed(t, text);
  t.ok(Buffer.byteLength(text) < PAGE_BYTES_MAX, `${Buffer.byteLength(text)} bytes`);
  for (const id of [
    'chart-headlines',
    'chart-goals',
    'chart-costs',
    'chart-latency-overview',
    'chart-rtt-echo-saturated',
    'chart-age-game-500x60',
    'chart-gc-gc-soak-0',
    'chart-loss-echo',
    'chart-loss-age',
    'chart-loss-peers',
    'chart-peers-0',
    'chart-flows-0',
    'chart-flows-1',
    'chart-flows-2',
  ]) {
    t.ok(idsOf(text).includes(id), id);
  }
  for (const said of [
    'made up for a test',
    'not installed',
    'npm run bench',
    'v20.20.2',
    'capacity 1',
    'bench/peers does not have it',
  ]) {
    t.ok(text.includes(said), said);
  }
  t.match(text, /default-src 'none'/);
});

t.test('results without runs make a page that says so', async (t) => {
  const text = await page({ ...sampleResults(), runs: [], ratios: {} });
  wellFormed(t, text);
  t.equal(text.match(/class="missing"/g)?.length, 5);
  t.match(text, /<b>0 of 0<\/b> measured goals/);
});

t.test('runs whose figures are all 0, and wires that are missing, make a page', async (t) => {
  const runs = [
    emptyResult('echo/saturated', 'floor'),
    emptyResult('loss/2pct-50ms', 'udp'),
    { ...emptyResult('gc-soak', 'json-ws'), gcTimeline: [] },
    emptyResult('flows/1000', 'udp'),
    emptyResult('storm/1000', 'enet'),
  ];
  const text = await page({ ...sampleResults(), runs, ratios: {} });
  wellFormed(t, text);
  t.match(text, /no pause at all/);
  t.match(text, /Nothing is told about it/, 'a wire that nobody knows');
});

t.test('no text of the results becomes part of the page', async (t) => {
  const evil = `"><script>alert('1')</script><b style="x:y">&amp; \`\${1}`;
  const runs = sampleResults(['udp', evil]).runs.map((run) => {
    return run.name === 'coalesced/8' ? { ...run, name: evil } : { ...run, note: evil };
  });
  const results: Results = {
    ...sampleResults(),
    machine: { ...sampleResults().machine, cpu: evil, kernel: evil },
    versions: { [evil]: evil },
    date: evil,
    command: evil,
    note: evil,
    runs,
    ratios: { [evil]: 1, [`x cpu ${evil}/udp`]: 2 },
    skipped: [{ name: evil, reason: evil }],
    wires: {
      [evil]: { title: evil, about: evil, isEncrypted: true, isReliable: false, lacks: evil },
    },
  };
  const text = await page(results);
  wellFormed(t, text);
  t.equal(text.includes('<b style'), false);
  t.ok(text.includes('&#60;script&#62;alert(&#39;1&#39;)'), 'it is shown as it is');
});

t.test('names of what every object has are no wires that are known', async (t) => {
  const text = await page(sampleResults(['udp', 'constructor', '__proto__', 'toString']));
  wellFormed(t, text);
});

t.test('templates escape all but HTML', async (t) => {
  const list = [html`<i>${'<'}</i>`, '&', null, false as const, undefined, 0];
  t.equal(html`<p title="${'"'}">${list}</p>`.text, '<p title="&#34;"><i>&#60;</i>&#38;0</p>');
  t.equal(escaped('<>&"\'`'), '&#60;&#62;&#38;&#34;&#39;&#96;');
});
