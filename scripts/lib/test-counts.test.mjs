import t from 'tap';
import { closingLine, countCargo, TapCounter } from './test-counts.mjs';

function countTap(expected, text, exitCode) {
  const seen = [];
  const counter = new TapCounter(expected, (file) =>
    seen.push([file.name, file.passed, file.failed]),
  );
  for (const line of text.split('\n')) counter.line(line);
  counter.end(exitCode);
  return { counts: [counter.passed, counter.failed, counter.skipped], seen };
}

const good = `TAP version 14
# Subtest: a.test.ts
    # Subtest: one
        ok 1 - inner
        1..1
    ok 1 - one # time=1ms
    ok 2 - two # SKIP
    ok 3 - three
    1..3
ok 1 - a.test.ts # time=5ms
`;

t.test('cargo results of all crates are added up', async (t) => {
  const output = [
    'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s',
    'test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0s',
  ].join('\n');
  t.same(countCargo(output, 101), { passed: 4, failed: 2, ignored: 1 });
});

t.test('cargo that does not compile or runs no test is a failure', async (t) => {
  t.equal(countCargo('error: could not compile', 101).failed, 1);
  t.equal(countCargo('', 0).failed, 1);
  const ok = 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out;';
  t.same(countCargo(ok, 0), { passed: 3, failed: 0, ignored: 0 });
  t.equal(countCargo(ok, 101).failed, 1, 'a crash after the last result');
});

t.test('a tap file counts by its own tests, not by assertions', async (t) => {
  t.same(countTap(['a.test.ts'], good, 0), { counts: [2, 0, 1], seen: [['a.test.ts', 2, 0]] });
});

t.test('a tap file that fails after its tests passed is one failure', async (t) => {
  const { counts } = countTap(['a.test.ts'], good.replace('\nok 1 - a', '\nnot ok 1 - a'), 1);
  t.same(counts, [2, 1, 1]);
});

t.test('failed tests are counted once and diagnostics are not read as tests', async (t) => {
  const text = `# Subtest: a.test.ts
    not ok 1 - one
      ---
      source: |
    not ok 7 - text of a program
      ...
    1..1
not ok 1 - a.test.ts
  ---
    ok 9 - more text
  ...
`;
  t.same(countTap(['a.test.ts'], text, 1).counts, [0, 1, 0]);
});

t.test('a file without a test and a file without a result are failures', async (t) => {
  const empty =
    '# Subtest: a.test.ts\n    1..0 # no tests found\nok 1 - a.test.ts # SKIP no tests\n';
  t.same(countTap(['a.test.ts'], empty, 0).counts, [0, 1, 0]);
  t.same(countTap(['a.test.ts', 'b.test.ts'], good, 0).counts, [2, 1, 1]);
  const renamed = good.replace('\nok 1 - a.test.ts', '\nnot ok 1 - timeout!');
  t.same(countTap(['a.test.ts'], renamed, 1).counts, [0, 1, 0]);
});

t.test('a file that skips all its tests is skipped, not failed', async (t) => {
  const skipped =
    '# Subtest: a.test.ts\n    ok 1 - one # SKIP no Go here\n    1..1\nok 1 - a.test.ts\n';
  t.same(
    countTap(['a.test.ts', 'b.test.ts'], `${skipped}${good.replaceAll('a.', 'b.')}`, 0).counts,
    [2, 0, 2],
  );
});

t.test('a runner that says nothing or only its exit code is a failure', async (t) => {
  t.same(countTap([], '', 0).counts, [0, 1, 0]);
  t.same(countTap(['a.test.ts'], good, 1).counts, [2, 1, 1]);
});

t.test('the closing line has one form', async (t) => {
  t.equal(closingLine(3, 0), '3 passed, 0 failed');
});
