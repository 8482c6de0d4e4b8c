/** From the samples of a wire to its figures. Pure. */
import { curveUs, type Histogram, median, quantilesOf, quantilesUs, rounded } from './histogram.js';
import type { RunPlan } from './plan.js';
import {
  type EventCounts,
  GC_KINDS,
  type GcKind,
  type Pauses,
  type Quantiles,
  type RunResult,
} from './results.js';
import type { Sample } from './session.js';
import type { Connected, ServerMark } from './words.js';

/** More of them make no finer picture. */
const TIMELINE_MAX = 4_000;

export interface Measured {
  plan: RunPlan;
  wire: string;
  samples: readonly Sample[];
  atRest: ServerMark | null;
  connected: Connected | null;
  eventLoopDelayUs: Quantiles | null;
  events: EventCounts | null;
}

export function runResult(measured: Measured, payloadBytes: number): RunResult {
  const { plan, wire, samples, connected } = measured;
  const sum = (pick: (sample: Sample) => number): number =>
    samples.reduce((total, sample) => total + pick(sample), 0);
  const offered = sum(({ sent }) => offeredOf(plan, sent));
  const delivered = sum(({ sent }) => deliveredOf(plan, sent));
  const seconds = sum((sample) => sample.seconds);
  const cpuNsByRound = samples.map(cpuNsPerMessage);
  const pauses = samples.flatMap(({ after }) => after.pauses ?? []);
  const result: RunResult = {
    name: plan.name,
    wire,
    flows: plan.flows,
    payloadBytes,
    offeredPerSecond: rounded(offered / seconds, 1),
    deliveredPerSecond: rounded(delivered / seconds, 1),
    lossRatio: offered === 0 ? 0 : rounded(Math.max(0, offered - delivered) / offered, 6),
    serverCpuNsPerMessage: rounded(median(cpuNsByRound), 1),
    jsNsPerMessage: rounded(median(samples.map(jsNsPerMessage)), 1),
    allocatedBytesPerMessage: rounded(median(samples.map(allocatedPerMessage)), 2),
    rttUs: quantilesUs(samples.map(({ sent }) => sent.rttNs)),
    gcPauseMs: pausesOf(pauses.map(([, ms]) => ms)),
    wireBytesPerMessage: rounded(wireBytes(samples) / delivered, 1),
    rssBytesPerFlow: rssPerFlow(measured),
    gcByKind: byKind(pauses),
    kernelDrops: sum((sample) => sample.kernelDrops),
    drops: dropsOf(samples),
    rounds: samples.length,
    cpuNsByRound: cpuNsByRound.map((ns) => rounded(ns, 1)),
    lossByRound: samples.map((sample) => rounded(unexplainedLoss(plan, sample), 6)),
    serverCpuRatio: rounded(
      sum(cpuNs) / sum(({ before, after }) => after.wallNs - before.wallNs),
      4,
    ),
    loadLagUs: quantilesUs(samples.map(({ sent }) => sent.lagNs)),
  };
  const oneWay = samples.flatMap(({ sent }) => sent.oneWayNs ?? []).filter(hasSamples);
  if (oneWay.length > 0) {
    result.oneWayUs = quantilesUs(oneWay);
    result.oneWayCurveUs = curveUs(oneWay);
  }
  const roundTrips = curveUs(samples.map(({ sent }) => sent.rttNs));
  if (roundTrips.length > 0) result.rttCurveUs = roundTrips;
  const syscalls = samples.flatMap(({ after }) => after.syscallNs ?? []);
  if (syscalls.length > 0) result.syscallUs = quantilesUs(syscalls);
  if (measured.eventLoopDelayUs !== null) result.eventLoopDelayUs = measured.eventLoopDelayUs;
  const ofClient = samples.flatMap(({ clientPauses }) => clientPauses ?? []);
  if (samples.some(({ clientPauses }) => clientPauses !== undefined)) {
    result.clientGcPauseMs = pausesOf(ofClient.map(([, ms]) => ms));
    result.clientGcByKind = byKind(ofClient);
  }
  if (measured.events !== null) result.events = measured.events;
  if (connected !== null) result.connected = connected.connected;
  const bulkBytes = sum(({ sent }) => sent.bulk?.bytes ?? 0);
  if (bulkBytes > 0) result.bulkBytesPerSecond = rounded(bulkBytes / seconds, 0);
  if (plan.hasTimeline) result.gcTimeline = timelineOf(samples);
  return result;
}

/** Of the game, what is offered and delivered are its snapshots: most of its messages. */
function offeredOf(plan: RunPlan, { snapshots, offered }: Sample['sent']): number {
  if (plan.workload === 'echo' || snapshots === undefined) return offered;
  return snapshots.received + snapshots.missed;
}

function deliveredOf(plan: RunPlan, { snapshots, delivered }: Sample['sent']): number {
  return plan.workload === 'echo' || snapshots === undefined ? delivered : snapshots.received;
}

/** Share of what was offered that did not come back and that the kernel does not tell of. */
function unexplainedLoss(plan: RunPlan, { sent, kernelDrops }: Sample): number {
  const offered = offeredOf(plan, sent);
  const lost = offered - deliveredOf(plan, sent) - kernelDrops;
  return offered === 0 ? 0 : Math.max(0, lost) / offered;
}

/** Of a storm; the load counts since it began. */
export function connectedPerSecond(samples: readonly Sample[]): number {
  let [completed, seconds] = [0, 0];
  for (const { begun, sent, seconds: length } of samples) {
    completed += (sent.storm?.completed ?? 0) - (begun.storm?.completed ?? 0);
    seconds += length;
  }
  return Math.round(completed / seconds);
}

function hasSamples({ buckets }: Histogram): boolean {
  return buckets.length > 0;
}

/**
 * Handled or taken by the server between its marks. Snapshots that gave way to newer ones before they left
 * cost less than those of a wire that sends all of them: what nobody was told is no message.
 */
function messagesOf({ before, after, sent }: Sample): number {
  return after.echoed - before.echoed - (sent.snapshots?.missed ?? 0);
}

function cpuNs({ before, after }: Sample): number {
  return after.cpuNs - before.cpuNs;
}

/** Server CPU between the two marks, per message between them. */
export function cpuNsPerMessage(sample: Sample): number {
  return cpuNs(sample) / messagesOf(sample);
}

/**
 * Of the JavaScript thread: its CPU time less what native calls took, where the server counts that;
 * else less the system's time.
 */
function jsNsPerMessage(sample: Sample): number {
  const { before, after } = sample;
  if (after.threadCpuNs === undefined || before.threadCpuNs === undefined) return 0;
  const threadNs = after.threadCpuNs - before.threadCpuNs;
  const elsewhereNs =
    after.nativeNs === undefined
      ? (after.systemCpuNs ?? 0) - (before.systemCpuNs ?? 0)
      : after.nativeNs - (before.nativeNs ?? 0);
  return Math.max(0, threadNs - elsewhereNs) / messagesOf(sample);
}

function allocatedPerMessage(sample: Sample): number {
  const { before, after } = sample;
  return ((after.allocatedBytes ?? 0) - (before.allocatedBytes ?? 0)) / messagesOf(sample);
}

function wireBytes(samples: readonly Sample[]): number {
  return samples.reduce((total, { begun, sent }) => {
    const [from, to] = [begun.wire, sent.wire];
    if (from === undefined || to === undefined) return total;
    return total + to.bytesIn - from.bytesIn + to.bytesOut - from.bytesOut;
  }, 0);
}

/** What followed a handshake has ended by the last round. */
function rssPerFlow({ plan, samples, atRest }: Measured): number {
  const last = samples.at(-1);
  if (atRest === null || last === undefined || plan.flows === 0) return 0;
  const grown = last.after.residentBytes - atRest.residentBytes;
  return Math.max(0, Math.round(grown / plan.flows));
}

/** Counts by name that grew between the marks. */
function dropsOf(samples: readonly Sample[]): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const { before, after } of samples) {
    for (const [name, value] of Object.entries(after.drops ?? {})) {
      const grown = value - (before.drops?.[name] ?? 0);
      if (grown > 0) drops[name] = (drops[name] ?? 0) + grown;
    }
  }
  return drops;
}

export function pausesOf(pausesMs: readonly number[]): Pauses {
  const { p50, p99, max } = quantilesOf(pausesMs);
  const total = pausesMs.reduce((sum, ms) => sum + ms, 0);
  return { count: pausesMs.length, p50, p99, max, total: rounded(total, 3) };
}

function byKind(pauses: readonly [number, number, GcKind][]): Partial<Record<GcKind, Pauses>> {
  const kinds: Partial<Record<GcKind, Pauses>> = {};
  for (const kind of GC_KINDS) {
    const own = pauses.filter(([, , of]) => of === kind).map(([, ms]) => ms);
    if (own.length > 0) kinds[kind] = pausesOf(own);
  }
  return kinds;
}

/** Times count from the first mark; the process tells them since it began. */
function timelineOf(samples: readonly Sample[]): [number, number, GcKind][] {
  const pauses = samples.flatMap(({ after }) => after.pauses ?? []).slice(0, TIMELINE_MAX);
  const startMs = samples[0]?.before.uptimeMs ?? 0;
  return pauses.map(([atMs, ms, kind]) => {
    return [rounded((atMs - startMs) / 1000, 3), rounded(ms, 3), kind];
  });
}
