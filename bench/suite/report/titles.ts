/** Runs as a reader calls them. Pure. */
import type { RunResult } from '../results.js';
import { bytes, count, NOTHING, percent, rate } from './format.js';

const TITLES: readonly [RegExp, (...parts: string[]) => string][] = [
  [/^echo\/saturated$/, () => 'Echo, as fast as it goes'],
  [/^echo\/paced-(\d+)x(\d+)$/, (flows, hz) => `Echo, ${clients(flows)} × ${hz} Hz`],
  [/^coalesced\/(\d+)$/, (messages) => `Echo, ${messages} messages per packet`],
  [/^game\/(\d+)x(\d+)$/, (flows, hz) => `Game, ${number(flows)} players, ${hz} ticks/s`],
  [/^loss\/(\d+)pct-(\d+)ms$/, (loss, ms) => `Echo, ${loss} % lost, ${ms} ms link`],
  [/^loss\/(\d+)pct-(\d+)ms-snapshots$/, (loss, ms) => `Game, ${loss} % lost, ${ms} ms link`],
  [/^gc-soak$/, () => 'Echo, sustained'],
  [/^flows\/(\d+)$/, (flows) => `Echo, ${number(flows)} flows, same messages in all`],
  [/^stalled\/none$/, () => 'Game, all clients read'],
  [/^stalled\/one$/, () => 'Game, one client stalls'],
  [/^bulk\/(\w+?)(KiB|MiB)$/, (size, unit) => `Game beside ${size} ${unit} of bulk each`],
  [/^storm\/(\d+)$/, (perSecond) => `Connect storm, ${number(perSecond)}/s`],
  [/^overload\/before$/, () => 'Echo at half of the capacity'],
  [/^overload\/(\d+)x$/, (factor) => `The same beside ${factor} × overload`],
  [/^peers\/echo-saturated$/, () => 'Other transports, as fast as it goes'],
  [
    /^peers\/echo-paced-(\d+)x(\d+)$/,
    (flows, hz) => `Other transports, ${clients(flows)} × ${hz} Hz`,
  ],
  [
    /^peers\/loss-(\d+)pct-(\d+)ms$/,
    (loss, ms) => `Other transports, ${loss} % lost, ${ms} ms link`,
  ],
  [/^start$/, () => 'Start of the process'],
];

/** The name itself when nothing else is known. */
export function titleOf(name: string): string {
  for (const [pattern, title] of TITLES) {
    const match = pattern.exec(name);
    if (match !== null) return title(...match.slice(1));
  }
  return name;
}

const FIGURES: Readonly<Record<string, string>> = {
  cpu: 'CPU per message',
  bytes: 'bytes on the wire',
  'rtt-p99': 'round trip p99',
  'rtt-p50': 'round trip p50',
  'one-way-p99': 'snapshot age p99',
};

/**
 * A ratio, or another figure of a run, by the name that it has in the results.
 *
 * @param wireTitle what a wire is called
 */
export function figureTitle(name: string, wireTitle: (wire: string) => string): string {
  const [run, figure, of, ...rest] = name.split(' ');
  const what = FIGURES[figure];
  const plain =
    figure === undefined ? titleOf(run) : `${titleOf(run)}: ${name.slice(run.length + 1)}`;
  if (what === undefined || of === undefined) return plain;
  const parts = /^([^/()]+)\/(?:([^/()]+)|\((.+)\/(\d+)\))$/.exec(of);
  if (parts === null) return plain;
  const [, a, b, divided, by] = parts;
  const side = (text: string): string => (/^\d+$/.test(text) ? number(text) : wireTitle(text));
  const below = b === undefined ? `(${wireTitle(divided)} ÷ ${by})` : side(b);
  const head = titleOf(run) === run ? RATIOS_OVER[run] : titleOf(run);
  const on = rest.length === 0 ? '' : `, ${wireTitle(rest.join(' '))}`;
  return `${head ?? run}: ${what}, ${side(a)} ÷ ${below}${on}`;
}

/** Ratios that compare runs. */
const RATIOS_OVER: Readonly<Record<string, string>> = {
  flows: 'Number of flows',
  stalled: 'Stalled clients',
  overload: 'Overload',
};

/** What the wires of a run did: `100 flows, 100 B or 131 B, 118,200/s to 56,390/s`. */
export function workOf(runs: readonly RunResult[]): string {
  const [first] = runs;
  if (first === undefined || first.startMs !== undefined) return '';
  const losses = [...new Set(runs.map(({ lossRatio }) => percent(lossRatio)))];
  const rates = runs.map((run) => run.connectedPerSecond ?? run.deliveredPerSecond);
  const sizes = [...new Set(runs.map(({ payloadBytes }) => bytes(payloadBytes)))];
  return [
    `${count(first.flows)} ${first.flows === 1 ? 'flow' : 'flows'}`,
    `payload ${sizes.join(' or ')}`,
    spread(rates),
    `lost ${losses.join(' / ')}`,
  ].join(' · ');
}

function spread(rates: readonly number[]): string {
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  if (!(high > 0)) return NOTHING;
  // Open loops differ by what was on the way at the end.
  return high / low < 1.02 ? rate(high) : `${rate(low)} to ${rate(high)}`;
}

function number(digits: string): string {
  return count(Number(digits));
}

function clients(flows: string): string {
  return flows === '1' ? '1 client' : `${number(flows)} clients`;
}
