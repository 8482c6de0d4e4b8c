import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Results } from '../results.js';
import { ROOT } from '../root.js';
import { emptyResult } from '../run.js';
import { problemsOf } from '../schema-check.js';
import { markdownCode, markdownTable, markdownText } from './markdown.js';
import { summary, withSummary } from './summary.js';

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const latest = JSON.parse(read('bench/results/latest.json')) as Results;

const nothing: Results = {
  machine: { cpu: 'x', cpus: 1, kernel: 'Linux', memoryBytes: 1024, pinned: null },
  versions: {},
  date: 'never',
  command: 'npm run bench',
  runs: [],
  ratios: {},
};

t.test("the README's table is the one that bench/results/latest.json makes", async (t) => {
  const readme = read('README.md');
  t.ok(readme === withSummary(readme, latest), 'run `npm run bench:report -- --readme`');
  const rows = summary(latest)
    .split('\n')
    .filter((line) => line.startsWith('| '));
  t.ok(rows.length > 1 && rows.length <= 16, `${rows.length - 1} rows`);
  t.same(problemsOf(latest, JSON.parse(read('bench/suite/results.schema.json'))), []);
});

t.test('what stood between the markers goes, what stands around them stays', async (t) => {
  const document = 'before\n<!-- bench:begin -->\ntyped by hand\n<!-- bench:end -->\nafter\n';
  const written = withSummary(document, latest);
  t.ok(written.startsWith('before\n<!-- bench:begin -->\n| run |'));
  t.ok(written.endsWith('\n<!-- bench:end -->\nafter\n'));
  t.notMatch(written, 'typed by hand');
  t.equal(withSummary(written, latest), written, 'a second time changes nothing');
  t.throws(() => withSummary('<!-- bench:end --> <!-- bench:begin -->', latest), /no <!-- bench/);
});

t.test('runs that are missing, and figures of 0, make a table all the same', async (t) => {
  t.equal(summary(nothing).split('\n').length, 4, 'the head of the table, and the machine');
  const runs = [emptyResult('echo/saturated', 'udp'), emptyResult('gc-soak', 'json-ws')];
  const text = summary({ ...nothing, runs });
  t.match(text, '| echo/saturated | 0 | 0 B | 0/s | 0 % | CPU per message | 0 ns | – | – |');
  t.notMatch(text, 'gc-soak', 'a row needs our own figure');
  t.notMatch(text, /NaN|undefined|Infinity/);
  const both = [...runs, emptyResult('echo/saturated', 'json-ws')];
  t.match(summary({ ...nothing, runs: both }), '| 0 ns | 0 ns | – |');
});

t.test('no text of the results ends a cell, a line or the block', async (t) => {
  const evil = '`a` | b\n<!-- bench:end --><script>*x*</script> [l](javascript:1)';
  const machine = { ...nothing.machine, cpu: evil, kernel: evil };
  const text = summary({ ...nothing, machine, note: evil, command: evil, date: evil });
  const readme = withSummary('<!-- bench:begin -->\n<!-- bench:end -->\n', {
    ...nothing,
    machine,
    note: evil,
  });
  t.equal(readme.split('<!-- bench:end -->').length, 2, 'one end');
  t.notMatch(text.replace(/``.*?``/g, ''), /<script>|<!--/);
  t.equal(markdownText(evil).includes('\n'), false);
  t.equal(markdownText('a|b'), 'a\\|b');
  t.same(markdownTable(['a', { title: 'b', isNumber: true }], [['1|2', '3\n4']]), [
    '| a | b |',
    '|---|---:|',
    '| 1\\|2 | 3 4 |',
  ]);
  t.equal(markdownCode('npm run bench'), '`npm run bench`');
  t.equal(markdownCode('a ``b`` c'), '``` a ``b`` c ```');
});
