// How the figures are shown.
import CliTable from 'cli-table3';

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

export function tableOf({ runs, floors }) {
  const colAligns = HEAD.map((_, index) => (index === 0 ? 'left' : 'right'));
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

export function floodTableOf({ kinds }) {
  const colAligns = FLOOD_HEAD.map((_, index) => (index === 0 ? 'left' : 'right'));
  const table = new CliTable({ head: FLOOD_HEAD, style: PLAIN, colAligns });
  const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
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

function cells(run) {
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

function dropText(drops) {
  const named = Object.entries(drops).map(([name, count]) => `${name} ${count}`);
  return named.length === 0 ? '-' : named.join('\n');
}

function pair({ p50, p99 }, digits) {
  return `${p50.toFixed(digits)} / ${p99.toFixed(digits)}`;
}

function percent(ratio, digits) {
  return `${(ratio * 100).toFixed(digits)} %`;
}
