/**
 * A run: a server, loads, samples at equal counts, and what is left when all have gone.
 *
 *   fresh sample ─ warm-up ─ measured (samples at equal counts) ─ the last leave ─ grace ─ final sample
 *
 * The warm-up is as long as tickets and connect tokens last: what is remembered of them is constant
 * only after that.
 */

import type { Wire } from '../../src/server/index.js';
import { type Growth, growthOf } from './growth.js';
import { LoadChild } from './load-child.js';
import type {
  LoadFigures,
  Plant,
  ServerMemory,
  ServerReady,
  ServerSample,
  ServerSetup,
  VisitKind,
} from './messages.js';
import { ServerChild } from './server-child.js';
import { leftOf, settle } from './settle.js';

type Server = ServerChild<ServerSetup, ServerReady, ServerSample>;

/** So long, with samples; or so many visits on each wire, and only what is left is looked at. */
export type ChurnLength =
  | { warmUpS: number; seconds: number; samples: number }
  | { visits: number };

export interface ChurnSetup {
  wires: readonly Wire[];
  /** Connects per second over all wires. */
  ratePerS: number;
  length: ChurnLength;
  /** How long all that is to go may take once the last visit is over. */
  graceMs: number;
  resumeWindowMs: number;
  maxPlayers: number;
  /** Silence on UDP is what those who vanish fall into: there `silent` counts as `vanish`. */
  shares: Record<VisitKind, number>;
  plant: Plant;
  onProgress(line: string): void;
}

export interface ChurnResult {
  wires: readonly Wire[];
  offeredPerS: number;
  /** Over the measured time. */
  achievedPerS: number;
  elapsedS: number;
  connects: number;
  cpuUsPerConnect: number;
  loopDelayMs: { p50: number; p99: number; max: number };
  growth: Record<keyof ServerMemory, Growth> | null;
  fresh: ServerSample;
  middle: ServerSample;
  final: ServerSample;
  loads: LoadFigures[];
  /** What is wrong; empty when nothing is. */
  findings: string[];
}

/** Growth per connect above which something is left behind, bytes; and above the noise threefold. */
const GROWTH_MAX: Partial<Record<keyof ServerMemory, number>> = {
  heapUsed: 24,
  external: 8,
  arrayBuffers: 8,
};
const NOISE_FACTOR = 3;
/** Failures of the load itself that a busy machine explains; more make the run worthless. */
export const FAILED_MAX = 0.005;

export async function runChurn(setup: ChurnSetup): Promise<ChurnResult> {
  const { resumeWindowMs, maxPlayers, plant } = setup;
  const own = { resumeWindowMs, maxPlayers, plant };
  const server: Server = new ServerChild('churn/server-process.js', own);
  const loads = setup.wires.map((wire) => new LoadChild(`load ${wire}`));
  try {
    const { origin } = await server.ready();
    await Promise.all(
      loads.map((load, index) => load.setUp({ wire: setup.wires[index], origin, index })),
    );
    return await measure(setup, server, loads);
  } finally {
    await Promise.all(loads.map((load) => load.end()));
    await server.end();
  }
}

async function measure(
  setup: ChurnSetup,
  server: Server,
  loads: readonly LoadChild[],
): Promise<ChurnResult> {
  const { length, shares } = setup;
  const fresh = await server.sample(true);
  const ratePerS = setup.ratePerS / loads.length;
  const visits = 'visits' in length ? length.visits : null;
  for (const [index, load] of loads.entries()) {
    const { vanish, silent } = shares;
    const own = setup.wires[index] === 'udp' ? { vanish: vanish + silent, silent: 0 } : {};
    load.start({ ratePerS, shares: { ...shares, ...own }, visits });
  }
  let samples: ServerSample[];
  if ('visits' in length) {
    samples = [fresh];
    while (loads.some(({ figures }) => (figures?.begun ?? 0) < length.visits)) await pause(20);
  } else {
    await pause(length.warmUpS * 1000);
    samples = await sampled(setup, length, server, loads);
  }
  const figures = await Promise.all(loads.map((load) => load.stop()));
  if ('visits' in length) samples.push(await server.sample(false));
  const final = await settle(server, fresh, setup);
  return evaluate(setup, fresh, samples, final, figures);
}

/** One sample now and others after equal counts. */
async function sampled(
  { ratePerS, onProgress }: ChurnSetup,
  { seconds, samples: count }: { seconds: number; samples: number },
  server: Server,
  loads: readonly LoadChild[],
): Promise<ServerSample[]> {
  const samples = [await server.sample(false)];
  const step = (ratePerS * seconds) / count;
  const startMs = performance.now();
  const from = attempts(loads);
  for (let n = 1; n <= count; n++) {
    // A server that does not keep up gets its samples by time, half a turn later.
    const lateMs = ((n + 0.5) * seconds * 1000) / count;
    while (attempts(loads) - from < n * step && performance.now() - startMs < lateMs) {
      await pause(20);
    }
    samples.push(await server.sample(false));
    onProgress(progressOf(samples, loads));
  }
  return samples;
}

function evaluate(
  setup: ChurnSetup,
  fresh: ServerSample,
  samples: readonly ServerSample[],
  final: ServerSample,
  loads: LoadFigures[],
): ChurnResult {
  const first = samples[0];
  const last = samples[samples.length - 1];
  const elapsedS = (last.atMs - first.atMs) / 1000;
  const connects = links(last) - links(first);
  const growth = samples.length > 6 ? growthsOf(samples.slice(1)) : null;
  const findings = [
    ...leftOf(fresh, final),
    ...(growth === null ? [] : grownOf(growth)),
    ...loads.flatMap(failedOf),
  ];
  if (connects === 0) findings.push('nobody came');
  const delays = samples.slice(1).map(({ loopDelayMs }) => loopDelayMs);
  return {
    wires: setup.wires,
    offeredPerS: setup.ratePerS,
    achievedPerS: connects / elapsedS,
    elapsedS,
    connects,
    cpuUsPerConnect: (last.cpuUs - first.cpuUs) / connects,
    loopDelayMs: {
      p50: Math.max(...delays.map(({ p50 }) => p50)),
      p99: Math.max(...delays.map(({ p99 }) => p99)),
      max: Math.max(...delays.map(({ max }) => max)),
    },
    growth,
    fresh,
    middle: last,
    final,
    loads,
    findings,
  };
}

function growthsOf(samples: readonly ServerSample[]): Record<keyof ServerMemory, Growth> {
  const of = (key: keyof ServerMemory) =>
    growthOf(samples.map((sample) => ({ connects: links(sample), bytes: sample.memory[key] })));
  return {
    heapUsed: of('heapUsed'),
    external: of('external'),
    arrayBuffers: of('arrayBuffers'),
    rss: of('rss'),
    nativeHeap: of('nativeHeap'),
  };
}

function grownOf(growth: Record<keyof ServerMemory, Growth>): string[] {
  return Object.entries(GROWTH_MAX).flatMap(([key, max]) => {
    const { perConnect, noise } = growth[key as keyof ServerMemory];
    if (perConnect <= max || perConnect <= noise * NOISE_FACTOR) return [];
    return [`${key} grows by ${perConnect.toFixed(1)} B per connect, above ${max}`];
  });
}

function failedOf({ failures, opened }: LoadFigures): string[] {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  if (failed <= opened * FAILED_MAX) return [];
  return [`${failed} visits of ${opened} links failed: ${JSON.stringify(failures)}`];
}

const links = ({ joins, resumes }: ServerSample) => joins + resumes;

const attempts = (loads: readonly LoadChild[]) =>
  loads.reduce((sum, { figures }) => sum + (figures?.attempts ?? 0), 0);

function progressOf(samples: readonly ServerSample[], loads: readonly LoadChild[]): string {
  const [before, now] = samples.slice(-2);
  const perS = (links(now) - links(before)) / ((now.atMs - before.atMs) / 1000);
  const cpu = (now.cpuUs - before.cpuUs) / (links(now) - links(before));
  const { players, suspended, flows, pending } = now.state;
  const heap = (now.memory.heapUsed / 2 ** 20).toFixed(1);
  const running = loads.reduce((sum, { figures }) => sum + (figures?.running ?? 0), 0);
  return (
    `${perS.toFixed(0)}/s, ${cpu.toFixed(0)} µs CPU each, heap ${heap} MiB, ${players} players ` +
    `(${suspended} suspended), ${flows} flows, ${pending} pending, ${running} visits`
  );
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
