/** Established flows while strangers flood the server: what is delivered, what the memory does. */
import { quantilesUs } from '../suite/histogram.js';
import { LineProcess } from '../suite/line-process.js';
import type { Connected } from '../suite/words.js';
import { difference } from './figures.js';
import type { Sample } from './marks.js';
import type { Run } from './matrix.js';
import { Pair, type Pins, pinArgs } from './pair.js';

const FLOWS = 100;
const HZ = 60;
/** Connected anew in the middle of the flood. */
const NEWCOMERS = 10;

/** One after the other; `players` comes from the flows' own addresses, so the load itself sends it. */
const KINDS = [
  'none',
  'forged',
  'stolen',
  'expired',
  'version',
  'short',
  'stray',
  'players',
  'all',
] as const;
type Kind = (typeof KINDS)[number];

export interface FloodSize {
  /** Bad requests per second. */
  readonly rate: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

/** What the flood answers to `pause`. */
interface Strangers {
  perSecond: number;
  byKind: Record<string, number>;
}

export interface FloodRow {
  kind: Kind;
  perSecond: number;
  byKind: Record<string, number>;
  offered: number;
  delivered: number;
  deliveryRatio: number;
  rttUs: { p50: number; p99: number };
  serverCpuRatio: number;
  residentBytes: { before: number; after: number };
  newcomers: { connected: number; seconds: number };
  drops: Record<string, number>;
}

export interface FloodReport {
  flows: number;
  pacedHz: number;
  wantedPerSecond: number;
  kinds: FloodRow[];
}

export async function measureFlood(
  binary: string,
  pins: Pins,
  size: FloodSize,
  progress: (line: string) => void,
): Promise<FloodReport> {
  const rows: FloodRow[] = [];
  for (const kind of KINDS) {
    progress(`flood: ${kind}`);
    rows.push(await measureKind(binary, pins, size, kind));
  }
  return { flows: FLOWS, pacedHz: HZ, wantedPerSecond: size.rate, kinds: rows };
}

async function measureKind(
  binary: string,
  pins: Pins,
  { rate, warmMs, measureMs }: FloodSize,
  kind: Kind,
): Promise<FloodRow> {
  const forge = kind === 'players' ? ['--forge', `${rate}`] : [];
  const run: Run = {
    name: `flood ${kind}`,
    group: 'game',
    driver: 'auto',
    flows: FLOWS,
    pacedHz: HZ,
    serverArgs: [],
    // Strangers and load share a processor: neither may keep it for itself.
    loadArgs: ['--sleep', ...forge],
  };
  const pair = await Pair.start(binary, run, pins);
  const others: LineProcess[] = [];
  const start = async (...args: string[]): Promise<LineProcess> => {
    const command = [binary, ...args, '--server', pair.address, ...pinArgs(pins.load)];
    const child = new LineProcess(`${args[0]} of ${run.name}`, command);
    others.push(child);
    await child.read();
    return child;
  };
  const only = kind === 'all' ? [] : ['--kind', kind];
  const isFlooded = kind !== 'none' && kind !== 'players';
  const flood = isFlooded ? await start('flood', '--rate', `${rate}`, ...only) : null;
  const names = ['--flows', `${NEWCOMERS}`, '--first-flow', '5000', '--wire', 'netcode'];
  const newcomers = await start('load', '--sleep', ...names);
  flood?.say('run');
  let joined: Connected = { connected: 0, seconds: 0 };
  const sample = await pair.measure(warmMs, measureMs, async () => {
    joined = await newcomers.ask<Connected>('connect');
  });
  const strangers = (await flood?.ask<Strangers>('pause')) ?? null;
  await Promise.all([...others.map((child) => child.stop()), pair.stop()]);
  return rowOf(kind, sample, strangers, joined);
}

function rowOf(
  kind: Kind,
  { begun, before, after, settled, sent }: Sample,
  strangers: Strangers | null,
  { connected, seconds }: Connected,
): FloodRow {
  const forged = (sent.forged ?? 0) - (begun.forged ?? 0);
  const forgedPerSecond = (forged * 1e9) / (sent.wallNs - begun.wallNs);
  const perSecond = kind === 'players' ? forgedPerSecond : (strangers?.perSecond ?? 0);
  const { p50, p99 } = quantilesUs([sent.rttNs]);
  return {
    kind,
    perSecond: Math.round(perSecond),
    byKind: strangers?.byKind ?? {},
    offered: sent.offered,
    delivered: sent.delivered,
    deliveryRatio: sent.delivered / sent.offered,
    rttUs: { p50, p99 },
    serverCpuRatio: (after.cpuNs - before.cpuNs) / (after.wallNs - before.wallNs),
    residentBytes: { before: before.residentBytes, after: after.residentBytes },
    newcomers: { connected, seconds },
    drops: difference(settled.drops, before.drops),
  };
}
