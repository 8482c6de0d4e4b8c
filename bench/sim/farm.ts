/** Many seeds on several cores. */
import { addCounts, type RunResult, replayCommand } from '../../src/sim/index.js';
import type { FarmOptions } from './options.js';
import { runPool } from './pool.js';
import { recordRegressions } from './regressions.js';
import type { Chunk, ChunkResult } from './worker.js';

/** A chunk takes about a second: long against a message to a worker, short against patience. */
const CHUNK_SEEDS = 50;
const SHOWN_FAILURES_MAX = 20;

export interface FarmReport {
  seeds: number;
  datagrams: number;
  messagesDelivered: number;
  worldUs: number;
  hash: number;
  elapsedMs: number;
  seen: Record<string, number>;
  failures: RunResult[];
}

export async function farm(options: FarmOptions): Promise<FarmReport> {
  const chunks = chunksOf(options);
  const report: FarmReport = {
    seeds: 0,
    datagrams: 0,
    messagesDelivered: 0,
    worldUs: 0,
    hash: 0,
    elapsedMs: 0,
    seen: {},
    failures: [],
  };
  const total = (options.last - options.first + 1) * options.levels.length;
  const format = '{bar} {value}/{total} seeds | {failed} failed | {eta_formatted}';
  const startMs = Date.now();
  await runPool<Chunk, ChunkResult>(
    { worker: './worker.js', workers: options.workers, format, total },
    chunks,
    (result) => {
      add(report, result);
      return [report.seeds, { failed: report.failures.length }];
    },
  );
  report.elapsedMs = Date.now() - startMs;
  report.failures.sort((a, b) => a.seed - b.seed || a.level.localeCompare(b.level));
  return report;
}

function chunksOf(options: FarmOptions): Chunk[] {
  const { first, last, levels, profile } = options;
  const chunks: Chunk[] = [];
  for (const level of levels) {
    for (let from = first; from <= last; from += CHUNK_SEEDS) {
      chunks.push({ first: from, last: Math.min(last, from + CHUNK_SEEDS - 1), level, profile });
    }
  }
  return chunks;
}

function add(report: FarmReport, chunk: ChunkResult): void {
  report.seeds += chunk.seeds;
  report.datagrams += chunk.datagrams;
  report.messagesDelivered += chunk.messagesDelivered;
  report.worldUs += chunk.worldUs;
  report.hash ^= chunk.hash;
  addCounts(report.seen, chunk.seen);
  report.failures.push(...chunk.failures);
}

/** Prints the outcome; true when no invariant was broken. */
export function tell(
  report: FarmReport,
  options: FarmOptions,
  write: (text: string) => void,
): boolean {
  const { failures } = report;
  for (const { seed, level, failure } of failures.slice(0, SHOWN_FAILURES_MAX)) {
    write(`seed ${seed} (${level}): ${failure?.message ?? ''}\n`);
    write(`  ${replayCommand({ seed, level, profile: options.profile })}\n`);
  }
  if (failures.length > SHOWN_FAILURES_MAX) {
    write(`and ${failures.length - SHOWN_FAILURES_MAX} more\n`);
  }
  if (options.record && failures.length > 0) {
    const added = recordRegressions(failures, options.profile);
    write(`${added} added to test/sim/regressions.json\n`);
  }
  const entries = Object.entries(report.seen).sort(([, a], [, b]) => b - a);
  const never = entries.filter(([, count]) => count === 0).map(([name]) => name);
  const often = entries.filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  write(`seen: ${often.join(', ')}\nnever: ${never.join(', ')}\n`);
  const hours = report.worldUs / 3_600_000_000;
  const rate = report.datagrams / (report.elapsedMs / 1000);
  write(
    `${report.seeds} worlds, ${hours.toFixed(1)} h of their time, ` +
      `${report.datagrams.toLocaleString('en')} packets, ` +
      `${report.messagesDelivered.toLocaleString('en')} messages delivered, ` +
      `${Math.round(rate).toLocaleString('en')} packets/s, ` +
      `hash ${(report.hash >>> 0).toString(16).padStart(8, '0')}, ${failures.length} failed\n`,
  );
  return failures.length === 0;
}
