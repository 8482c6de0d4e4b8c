/**
 * The README's table: some of the results, between two markers. Generated only; a test holds the README
 * to what this makes of bench/results/latest.json.
 */
import { findRun, type Results, type RunResult } from '../results.js';
import { bytes, count, duration, moment, NOTHING, percent, rate, times } from './format.js';
import { type Column, markdownCode, markdownTable, markdownText } from './markdown.js';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

interface Row {
  run: string;
  figure: string;
  of: (run: RunResult) => number | undefined;
  format: (value: number) => string;
  /** Name of the ratio whose rounds were interleaved; else the two figures are divided. */
  ratio?: string;
}

const us = (value: number): string => duration(value * 1e3);
const ms = (value: number): string => duration(value * 1e6);

const cpu = (run: string): Row => ({
  run,
  figure: 'CPU per message',
  of: ({ serverCpuNsPerMessage }) => serverCpuNsPerMessage,
  format: duration,
  ratio: `${run} cpu json-ws/udp`,
});
const roundTrip = (run: string): Row => ({
  run,
  figure: 'round trip p99',
  of: ({ rttUs }) => rttUs.p99,
  format: us,
});
const snapshotAge = (run: string): Row => ({
  run,
  figure: 'snapshot age p99',
  of: ({ oneWayUs }) => oneWayUs?.p99,
  format: us,
});
const wireBytes = (run: string): Row => ({
  run,
  figure: 'on the wire per message',
  of: ({ wireBytesPerMessage }) => wireBytesPerMessage,
  format: bytes,
});
const ROWS: readonly Row[] = [
  cpu('echo/saturated'),
  cpu('echo/paced-1000x60'),
  roundTrip('echo/paced-1000x60'),
  cpu('coalesced/8'),
  cpu('game/500x60'),
  wireBytes('game/500x60'),
  snapshotAge('game/2000x60'),
  cpu('loss/2pct-50ms'),
  roundTrip('loss/2pct-50ms'),
  snapshotAge('loss/2pct-50ms-snapshots'),
  {
    run: 'gc-soak',
    figure: 'JavaScript heap per message',
    of: ({ allocatedBytesPerMessage }) => allocatedBytesPerMessage,
    format: bytes,
  },
  {
    run: 'gc-soak',
    figure: 'GC pauses, all together',
    of: ({ gcPauseMs }) => gcPauseMs.total,
    format: ms,
  },
  {
    run: 'flows/100000',
    figure: 'resident memory per flow',
    of: ({ rssBytesPerFlow }) => rssBytesPerFlow,
    format: bytes,
  },
  cpu('storm/1000'),
  { run: 'start', figure: 'until listening', of: ({ startMs }) => startMs?.p50, format: ms },
];

const COLUMNS: readonly Column[] = [
  { title: 'run' },
  { title: 'flows', isNumber: true },
  { title: 'payload', isNumber: true },
  { title: 'messages', isNumber: true },
  { title: 'lost', isNumber: true },
  { title: 'figure' },
  { title: 'UDP', isNumber: true },
  { title: 'JSON over ws', isNumber: true },
  { title: 'ws ÷ UDP', isNumber: true },
];

/** What stands between the markers: rows of runs that were not made are left out. */
export function summary(results: Results): string {
  const rows = ROWS.flatMap((row) => cellsOf(row, results));
  const notes = [
    `${markdownText(machineLine(results))}. ${markdownCode(results.command)}, ${markdownText(moment(results.date))}.`,
    ...(results.note === undefined ? [] : ['', `**${markdownText(results.note)}**`]),
  ];
  return [...markdownTable(COLUMNS, rows), '', ...notes].join('\n');
}

/**
 * @returns the document with this summary between its markers
 * @throws Error when it lacks them
 */
export function withSummary(document: string, results: Results): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`no ${BEGIN} with ${END} after it`);
  const head = document.slice(0, from + BEGIN.length);
  return `${head}\n${summary(results)}\n${document.slice(to)}`;
}

/** The machine in one line, versions included. */
export function machineLine({ machine, versions }: Results): string {
  const { cpu: model, cpus, memoryBytes, kernel, pinned } = machine;
  const { node, ws } = versions;
  return [
    `${model.trim()}, ${count(cpus)} ${cpus === 1 ? 'processor' : 'processors'}`,
    bytes(memoryBytes),
    kernel,
    ...(node === undefined ? [] : [`Node ${node.replace(/^v/, '')}`]),
    ...(ws === undefined ? [] : [`ws ${ws}`]),
    pinned === null ? 'processes not pinned' : 'server and load on a processor each, over loopback',
  ].join('; ');
}

function cellsOf({ run: name, figure, of, format, ratio }: Row, results: Results): string[][] {
  const [udp, ws] = ['udp', 'json-ws'].map((wire) => findRun(results, name, wire));
  const own = udp === undefined ? undefined : of(udp);
  if (udp === undefined || own === undefined) return [];
  const other = ws === undefined ? undefined : of(ws);
  const quotient = (ratio && results.ratios[ratio]) || (other ?? Number.NaN) / own;
  const both = (pick: (run: RunResult) => string): string => {
    const texts = [udp, ...(ws === undefined ? [] : [ws])].map(pick);
    return [...new Set(texts)].join(' / ');
  };
  const isTraffic = udp.startMs === undefined;
  return [
    [
      name,
      isTraffic ? count(udp.flows) : NOTHING,
      isTraffic ? both(({ payloadBytes }) => bytes(payloadBytes)) : NOTHING,
      isTraffic ? both(({ deliveredPerSecond }) => rate(deliveredPerSecond)) : NOTHING,
      isTraffic ? both(({ lossRatio }) => percent(lossRatio)) : NOTHING,
      figure,
      format(own),
      other === undefined ? NOTHING : format(other),
      times(quotient),
    ],
  ];
}
