/** The peers' runs once more, cheapest first: what a message costs the server, as × the floor's. */
import CliTable from 'cli-table3';
import { cpuRatio } from '../suite/ratios.js';
import { findRun, type Results, type RunResult, type WireInfo } from '../suite/results.js';
import { wireInfo } from '../suite/wires.js';

const HEAD = [
  'wire',
  'version',
  '× floor',
  '× udp',
  'CPU ns/msg',
  'messages/s',
  'loss',
  'RTT p50 / p99 µs',
  'B/msg on wire',
  'B RSS/flow',
  'encrypted',
  'reliable',
  'ordered',
];
const TEXT_COLUMNS = 2;

export interface Ranked {
  run: RunResult;
  /** CPU per message, × the floor's; null where no floor ran. */
  toFloor: number | null;
  toUdp: number | null;
}

/** Runs of one name, cheapest first; what has no floor beside it by its round trips. */
export function rank(runs: readonly RunResult[], name: string): Ranked[] {
  const named = runs.filter((run) => run.name === name);
  const [floor, udp] = ['floor', 'udp'].map((wire) => findRun({ runs: named }, name, wire));
  const ranked = named.map((run) => {
    return { run, toFloor: cpuRatio(run, floor), toUdp: cpuRatio(run, udp) };
  });
  const key = ({ run, toFloor }: Ranked): number => toFloor ?? run.rttUs.p99;
  return ranked.sort((a, b) => key(a) - key(b));
}

/** Empty without runs of peers. */
export function peersTable({ runs, wires = {} }: Pick<Results, 'runs' | 'wires'>): string {
  const names = new Set(runs.map((run) => run.name).filter((name) => name.startsWith('peers/')));
  const tables = [...names].map((name) => {
    const colAligns = HEAD.map((_, index) => (index < TEXT_COLUMNS ? 'left' : 'right'));
    const table = new CliTable({
      head: HEAD,
      style: { head: [], border: [] },
      colAligns: colAligns as ('left' | 'right')[],
    });
    for (const ranked of rank(runs, name)) table.push(cells(ranked, wires));
    return `${name}\n${table.toString()}`;
  });
  return tables.join('\n');
}

function cells({ run, toFloor, toUdp }: Ranked, wires: Record<string, WireInfo>): string[] {
  const traits = wireInfo(run.wire, { wires });
  return [
    run.wire,
    traits?.version ?? '',
    ratio(toFloor),
    ratio(toUdp),
    count(run.serverCpuNsPerMessage),
    count(run.deliveredPerSecond),
    `${(run.lossRatio * 100).toFixed(2)} %`,
    `${count(run.rttUs.p50)} / ${count(run.rttUs.p99)}`,
    run.wireBytesPerMessage === 0 ? '' : count(run.wireBytesPerMessage),
    count(run.rssBytesPerFlow),
    ...[traits?.isEncrypted, traits?.isReliable, traits?.isOrdered].map((has) =>
      has ? 'yes' : 'no',
    ),
  ];
}

function ratio(value: number | null): string {
  return value === null ? '' : value.toFixed(2);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
