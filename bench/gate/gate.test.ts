import t from 'tap';
import type { Report } from '../match/report.js';
import { judge, markdown } from './gate.js';

function report(cpuRatio: number, bytesRatio: number, loss = 0, agree = true): Report {
  const wire = {
    serverCpuNsPerMessage: 1000,
    bytesPerMessage: 100,
    rttUs: { samples: 1, p50: 1000, p99: 2000, p999: 2000, max: 2000 },
    lossRatio: loss,
    gcPauseMs: { count: 1, max: 0.5, total: 0.5 },
    serverTicksSkipped: 0,
    eventsAgree: agree,
  };
  const ratios = { serverCpuNsPerMessage: cpuRatio, bytesPerMessage: bytesRatio };
  return { wires: { udp: wire, 'json-ws': wire }, ratios } as unknown as Report;
}

function verdicts(reports: Report[]): boolean[] {
  return judge(reports).map(({ passed }) => passed);
}

t.test('medians decide: one bad round of three does not, two do', async (t) => {
  const good = report(2, 3);
  t.same(verdicts([good, report(0.5, 0.5, 0.01), good]), [true, true, true, true]);
  const bad = report(0.9, 0.9, 0.01);
  t.same(verdicts([good, bad, bad]), [false, false, false, true]);
  t.same(verdicts([report(1, 1)]), [false, false, true, true], 'equal is not less');
});

t.test('a single player with other events fails the gate', async (t) => {
  t.same(verdicts([report(2, 3), report(2, 3), report(2, 3, 0, false)]), [true, true, true, false]);
});

t.test('without reports nothing passes', async (t) => {
  t.same(verdicts([]), [false, false, false, false]);
});

t.test('the table has a row per round and wire, and one per check', async (t) => {
  const reports = [report(2, 3), report(2, 3)];
  const lines = markdown(reports, judge(reports)).split('\n');
  t.equal(lines.filter((line) => /^\| \d \| (udp|json-ws) \|/.test(line)).length, 4);
  t.equal(lines.filter((line) => line.endsWith('| passed |')).length, 4);
});
