/** From the samples of a run to its figures. Pure. */
import { median, quantilesUs } from '../suite/histogram.js';
import type { Memory, Sample } from './marks.js';
import type { Driver, Run } from './matrix.js';

/** What more flows at the same total rate are compared with (`ratioToFewFlows`). */
const FEW_FLOWS = 1_000;

export interface Measured {
  readonly run: Run;
  /** A round each. */
  readonly samples: readonly Sample[];
  readonly memory: Memory | null;
}

export interface Figures {
  driver: Driver;
  flows: number;
  connected: number;
  pacedHz: number;
  nsPerPacket: number;
  ratioToFloor: number;
  /** The least and the greatest of the rounds. */
  ratioRange: [number, number];
  ratioToFewFlows?: number;
  syscallUs: { p50: number; p99: number };
  bytesPerFlow: number;
  heapBytesPerFlow: number;
  clientBytesPerFlow: number;
  drops: Record<string, number>;
  offered: number;
  delivered: number;
  lossRatio: number;
  packetsPerSecond: number;
  serverCpuRatio: number;
  rttUs: { p50: number; p99: number };
  lagUs: { p99: number };
  rounds: number;
}

export interface Report {
  floorNsPerPacket: number;
  runs: Figures[];
  floors: Figures[];
}

/** Server CPU per echoed packet between the two marks, in nanoseconds. */
function nsPerPacket({ before, after }: Sample): number {
  return (after.cpuNs - before.cpuNs) / (after.echoed - before.echoed);
}

/** Counts by name in `after` that were not in `before`. */
export function difference(
  after: Record<string, number> = {},
  before: Record<string, number> = {},
): Record<string, number> {
  const grown = Object.entries(after).map(
    ([name, value]) => [name, value - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, value]) => value > 0));
}

/** `floors`: the floor's samples of the same rounds, flows and pacing. */
export function figuresOf({ run, samples, memory }: Measured, floors: readonly Sample[]): Figures {
  const sum = (pick: (sample: Sample) => number): number =>
    samples.reduce((total, sample) => total + pick(sample), 0);
  const offered = sum(({ sent }) => sent.offered);
  const delivered = sum(({ sent }) => sent.delivered);
  const wallNs = sum(({ before, after }) => after.wallNs - before.wallNs);
  const cpuNs = sum(({ before, after }) => after.cpuNs - before.cpuNs);
  const costs = samples.map(nsPerPacket);
  const ratios = costs.map((cost, round) => cost / nsPerPacket(floors[round]));
  const syscalls = quantilesUs(samples.map(({ after }) => after.syscallNs));
  const rtts = quantilesUs(samples.map(({ sent }) => sent.rttNs));
  const lags = quantilesUs(samples.map(({ sent }) => sent.lagNs));
  return {
    driver: run.driver,
    flows: run.flows,
    connected: memory?.connected.connected ?? run.flows,
    pacedHz: run.pacedHz,
    nsPerPacket: median(costs),
    ratioToFloor: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    syscallUs: { p50: syscalls.p50, p99: syscalls.p99 },
    bytesPerFlow: perFlow(run, samples, memory, 'residentBytes'),
    heapBytesPerFlow: perFlow(run, samples, memory, 'heapBytes'),
    clientBytesPerFlow: memory?.connected.residentBytesPerFlow ?? 0,
    drops: dropsOf(samples),
    offered,
    delivered,
    lossRatio: offered === 0 ? 0 : (offered - delivered) / offered,
    packetsPerSecond: sum(({ before, after }) => after.echoed - before.echoed) / (wallNs / 1e9),
    serverCpuRatio: cpuNs / wallNs,
    rttUs: { p50: rtts.p50, p99: rtts.p99 },
    lagUs: { p99: lags.p99 },
    rounds: samples.length,
  };
}

function dropsOf(samples: readonly Sample[]): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const { before, settled } of samples) {
    for (const [name, count] of Object.entries(difference(settled.drops, before.drops))) {
      drops[name] = (drops[name] ?? 0) + count;
    }
  }
  return drops;
}

/** Grown since before the first connected; what follows a handshake has ended by the last round. */
function perFlow(
  { flows }: Run,
  samples: readonly Sample[],
  memory: Memory | null,
  field: 'residentBytes' | 'heapBytes',
): number {
  const last = samples.at(-1);
  if (memory === null || last === undefined) return 0;
  return Math.round((last.settled[field] - memory.before[field]) / flows);
}

/** Of the costs of two runs that were measured in the same rounds: the median. */
function ratioOf(samples: readonly Sample[], others: readonly Sample[]): number {
  return median(samples.map((sample, round) => nsPerPacket(sample) / nsPerPacket(others[round])));
}

/** The floor is told once, at 100 flows saturated, or at what was run. */
export function reportOf(measured: readonly Measured[]): Report {
  const all = measured.map((entry) => {
    const { run, samples } = entry;
    const floor = measured.find(
      (other) =>
        other.run.driver === 'floor' &&
        other.run.flows === run.flows &&
        other.run.pacedHz === run.pacedHz,
    ) as Measured;
    const figures = figuresOf(entry, floor.samples);
    const few = measured.find(
      (other) =>
        other.run.group === 'scale' &&
        other.run.driver === run.driver &&
        other.run.flows === FEW_FLOWS,
    );
    if (run.group === 'scale' && few !== undefined) {
      figures.ratioToFewFlows = ratioOf(samples, few.samples);
    }
    return figures;
  });
  const floors = all.filter(({ driver }) => driver === 'floor');
  const chosen = floors.find(({ flows, pacedHz }) => flows === 100 && pacedHz === 0) ?? floors[0];
  return {
    floorNsPerPacket: chosen?.nsPerPacket ?? 0,
    runs: all.filter(({ driver }) => driver !== 'floor'),
    floors,
  };
}
