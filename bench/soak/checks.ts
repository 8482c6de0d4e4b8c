/** What must hold of a server at rest, and of all samples together. Each finding is one line. */
import type { ServerMemory } from '../churn/messages.js';
import { leftOf } from '../churn/settle.js';
import type { PlayerFigures, ServerSample } from './messages.js';
import { type Slope, slopeOfSecondHalf } from './slope.js';

/**
 * Growth at rest over the second half of a run above which something is left behind, KiB per minute,
 * when it is also more than twice what the samples let it be wrong by. Resident memory is up to
 * allocators and the collector, which give back late.
 */
export const SLOPE_MAX: Readonly<Record<keyof ServerMemory, number>> = {
  heapUsed: 24,
  external: 8,
  arrayBuffers: 8,
  rss: 192,
  nativeHeap: 64,
};
const ERRORS_FACTOR = 2;
/** What a warm server has more than a fresh one, MiB: compiled code, caches, the allocator's reserve. */
const GROWTH_MIB_MAX: Readonly<Partial<Record<keyof ServerMemory, number>>> = {
  heapUsed: 12,
  external: 8,
  rss: 160,
};
/** A busy machine is late. */
const WARNINGS_EXPECTED = new Set(['ticks skipped: the process was late']);

/** What was lost before it was taken, or on the way out. */
const isElsewhere = (name: string) => name === 'rx-overflow' || name.startsWith('tx-');

/** Everything that was taken off the sockets is known by name. */
export function uncounted({
  counters,
  refused,
}: Pick<ServerSample, 'counters' | 'refused'>): string[] {
  let dropped = 0;
  for (const [name, count] of Object.entries(refused)) if (!isElsewhere(name)) dropped += count;
  const taken = counters['socket-datagrams-in'];
  const known = counters['payloads-in'] + counters.consumed + dropped;
  if (taken === known) return [];
  return [`${taken} datagrams came in, the counters know of ${known}`];
}

/** Only where no flow is open: each payload went to RL1, and every pool is empty. */
export function notEmpty({
  counters,
  rl1,
  pools,
}: Pick<ServerSample, 'counters' | 'rl1' | 'pools'>): string[] {
  const findings: string[] = [];
  if (rl1.given !== counters['payloads-in']) {
    findings.push(`${counters['payloads-in']} payloads came in, RL1 was given ${rl1.given}`);
  }
  for (const [name, used] of Object.entries(pools)) {
    if (used !== 0) findings.push(`pool ${name}: ${used} used by nobody`);
  }
  return findings;
}

/** At rest: nobody is left but who was there at `base`, and nothing went wrong. */
export function wrongAtRest(base: ServerSample, sample: ServerSample): string[] {
  const findings = [...leftOf(base, sample), ...uncounted(sample)];
  if (sample.events.astray > 0) findings.push(`${sample.events.astray} events came out of order`);
  for (const [text, count] of Object.entries(sample.errors)) findings.push(`${count} × ${text}`);
  for (const [text, count] of Object.entries(sample.warnings)) {
    if (!WARNINGS_EXPECTED.has(text)) findings.push(`${count} × warned: ${text}`);
  }
  return findings;
}

export function wrongOfPlayers(figures: PlayerFigures): string[] {
  const all = { ...figures.faults, ...figures.failures, ...figures.errors };
  return Object.entries(all).map(([text, count]) => `players: ${count} × ${text}`);
}

export type Slopes = Record<keyof ServerMemory, Slope | null>;

export function slopesOf(samples: readonly ServerSample[]): Slopes {
  const of = (key: keyof ServerMemory) =>
    slopeOfSecondHalf(samples.map(({ atMs, memory }) => ({ atMs, bytes: memory[key] })));
  return {
    heapUsed: of('heapUsed'),
    external: of('external'),
    arrayBuffers: of('arrayBuffers'),
    rss: of('rss'),
    nativeHeap: of('nativeHeap'),
  };
}

export function grown(slopes: Slopes, fresh: ServerSample, final: ServerSample): string[] {
  const findings: string[] = [];
  for (const [key, slope] of Object.entries(slopes) as [keyof ServerMemory, Slope | null][]) {
    const max = SLOPE_MAX[key];
    if (slope !== null && slope.kibPerMinute - ERRORS_FACTOR * slope.error > max) {
      findings.push(`${key} grows by ${slope.kibPerMinute.toFixed(1)} KiB a minute, above ${max}`);
    }
    const mib = (final.memory[key] - fresh.memory[key]) / 2 ** 20;
    const mibMax = GROWTH_MIB_MAX[key] ?? Number.POSITIVE_INFINITY;
    if (mib > mibMax) findings.push(`${key} is ${mib.toFixed(1)} MiB above the start`);
  }
  return findings;
}
