import t from 'tap';
import { preparePrograms, runProgram } from './run-program.js';

const folder = preparePrograms(t.testdir());

/**
 * Compiled code and the readings themselves cost about 160 KB once, however many packets follow; the
 * smallest object per packet (12 B) would be 6 MB.
 */
const GROWN_BYTES_MAX = 512_000;

t.test('an echoing drain and flush loop allocates nothing per packet', async (t) => {
  const flags = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
  const outcome = await runProgram(folder, 'allocation', [], flags);
  t.equal(outcome.code, 0, outcome.errors);
  const report = JSON.parse(outcome.lines[0]);
  t.comment(outcome.lines[0]);
  t.equal(report.packets, report.expected, 'every packet came back');
  t.equal(report.scavenges, 0);
  t.ok(report.grownBytes < GROWN_BYTES_MAX, `${report.grownBytes} B`);
});
