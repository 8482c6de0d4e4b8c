/** How results are shown on a terminal. */
import CliTable from 'cli-table3';
import type { Results, RunResult } from './results.js';

const HEAD = [
  'run',
  'wire',
  'messages/s',
  'loss',
  'CPU ns/msg',
  'JS ns/msg',
  'B alloc/msg',
  'RTT p50 / p99 / p99.9 µs',
  'one way p99 µs',
  'GC n / max ms',
  'B/msg on wire',
  'server CPU',
];
const PLAIN = { head: [], border: [] };

export function tableOf({ runs, ratios, skipped = [] }: Results): string {
  const colAligns = HEAD.map((_, index) => (index < 2 ? 'left' : 'right')) as ('left' | 'right')[];
  const table = new CliTable({ head: HEAD, style: PLAIN, colAligns });
  for (const run of runs) table.push(cells(run));
  const lines = [table.toString()];
  for (const [name, value] of Object.entries(ratios)) lines.push(`${value.toFixed(2)}  ${name}`);
  for (const { name, reason } of skipped) lines.push(`left out: ${name}: ${reason}`);
  return lines.join('\n');
}

function cells(run: RunResult): string[] {
  const { rttUs, gcPauseMs, startMs } = run;
  if (startMs !== undefined) {
    const text = `listening after ${startMs.p50.toFixed(0)} ms (at most ${startMs.max.toFixed(0)})`;
    return [run.name, run.wire, '', '', '', '', '', text, '', '', '', ''];
  }
  const [p50, p99, p999] = [rttUs.p50, rttUs.p99, rttUs.p999].map((us) => count(us));
  return [
    run.name,
    run.wire,
    count(run.connectedPerSecond ?? run.deliveredPerSecond),
    `${(run.lossRatio * 100).toFixed(2)} %`,
    count(run.serverCpuNsPerMessage),
    count(run.jsNsPerMessage),
    count(run.allocatedBytesPerMessage),
    `${p50} / ${p99} / ${p999}`,
    run.oneWayUs === undefined ? '' : count(run.oneWayUs.p99),
    `${gcPauseMs.count} / ${gcPauseMs.max.toFixed(1)}`,
    count(run.wireBytesPerMessage),
    `${((run.serverCpuRatio ?? 0) * 100).toFixed(0)} %`,
  ];
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
