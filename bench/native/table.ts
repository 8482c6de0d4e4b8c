/** How the figures are shown. */
import CliTable from 'cli-table3';
import type { Figures, Report } from './figures.js';
import type { FloodReport } from './flood.js';

const HEAD = [
  'driver',
  'flows',
  'pacing',
  'ns CPU/packet',
  '× floor',
  '× 1,000 flows',
  'packets/s',
  'server CPU',
  'RTT p50 / p99 µs',
  'syscall p50 / p99 µs',
  'B/flow',
  'loss',
  'drops',
];
const PLAIN = { head: [], border: [] };

export function tableOf({ runs, floors }: Report): string {
  const colAligns = alignsOf(HEAD);
  const table = new CliTable({ head: HEAD, style: PLAIN, colAligns });
  for (const floor of floors) {
    table.push(cells(floor));
    for (const run of runs) {
      if (run.flows === floor.flows && run.pacedHz === floor.pacedHz) table.push(cells(run));
    }
  }
  return table.toString();
}

const FLOOD_HEAD = [
  'bad requests',
  'per second',
  'delivered',
  'RTT p50 / p99 µs',
  'server CPU',
  'resident before / after',
  'newcomers in',
  'drops',
];

export function floodTableOf({ kinds }: FloodReport): string {
  const colAligns = alignsOf(FLOOD_HEAD);
  const table = new CliTable({ head: FLOOD_HEAD, style: PLAIN, colAligns });
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(0)} KiB`;
  for (const row of kinds) {
    table.push([
      row.kind,
      `${row.perSecond}`,
      `${row.delivered} of ${row.offered} (${percent(row.deliveryRatio, 2)})`,
      pair(row.rttUs, 0),
      percent(row.serverCpuRatio, 0),
      `${kib(row.residentBytes.before)} / ${kib(row.residentBytes.after)}`,
      `${row.newcomers.seconds.toFixed(2)} s`,
      dropText(row.drops),
    ]);
  }
  return table.toString();
}

/** The names of things to the left, numbers to the right. */
function alignsOf(head: readonly string[]): ('left' | 'right')[] {
  return head.map((_, index) => (index === 0 ? 'left' : 'right'));
}

function cells(run: Figures): string[] {
  const isFloor = run.driver === 'floor';
  return [
    run.driver,
    run.flows.toLocaleString('en'),
    run.pacedHz === 0 ? 'saturated' : `${run.pacedHz} Hz`,
    run.nsPerPacket.toFixed(0),
    run.ratioToFloor.toFixed(2),
    run.ratioToFewFlows?.toFixed(2) ?? '',
    run.packetsPerSecond.toFixed(0),
    percent(run.serverCpuRatio, 0),
    pair(run.rttUs, 0),
    pair(run.syscallUs, 0),
    isFloor ? '' : `${run.bytesPerFlow}`,
    percent(run.lossRatio, 3),
    dropText(run.drops),
  ];
}

function dropText(drops: Record<string, number>): string {
  const named = Object.entries(drops).map(([name, count]) => `${name} ${count}`);
  return named.length === 0 ? '-' : named.join('\n');
}

function pair({ p50, p99 }: { p50: number; p99: number }, digits: number): string {
  return `${p50.toFixed(digits)} / ${p99.toFixed(digits)}`;
}

function percent(ratio: number, digits: number): string {
  return `${(ratio * 100).toFixed(digits)} %`;
}
