/**
 * What a server process used: the same gauges in every server, read at marks only, so that nothing of
 * them runs between two marks but at a garbage collection.
 *
 * Allocated bytes are counted exactly, on every Node from 20: what the heap grew by between
 * collections, which V8 tells before and after each of them (v8.GCProfiler).
 *
 *   heap   ╱│  ╱│   ╱       allocated = Σ (before a collection − after the one before it)
 *        ╱  │╱  │ ╱                     + now − after the last one
 */
import { readFileSync } from 'node:fs';
import {
  constants,
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
} from 'node:perf_hooks';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import type { GcKind, Quantiles } from '../results.js';
import type { ServerMark } from '../words.js';

/** Finer than a delay that a player could feel; each is a wake, hence only between watch and unwatch. */
const LOOP_RESOLUTION_MS = 1;

const KINDS: Readonly<Record<number, GcKind>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** A `gc` entry; Node's types leave `detail` out. */
interface Collection {
  startTime: number;
  duration: number;
  detail?: { kind?: number };
}

/** The part of a mark that is the same for all servers. */
export type ProcessMark = Pick<
  ServerMark,
  | 'cpuNs'
  | 'threadCpuNs'
  | 'systemCpuNs'
  | 'wallNs'
  | 'uptimeMs'
  | 'residentBytes'
  | 'heapUsedBytes'
  | 'allocatedBytes'
  | 'pauses'
> & { loopDelayUs?: Quantiles };

export class Gauges {
  private readonly collections = new PerformanceObserver((list) => this.note(list.getEntries()));
  private profiler = new GCProfiler();
  private pauses: [number, number, GcKind][] = [];
  private loopDelay: IntervalHistogram | null = null;
  private allocatedBytes = 0;
  /** Heap in use after the last collection, or at the last mark. */
  private heapBytes = getHeapStatistics().used_heap_size;

  constructor() {
    this.collections.observe({ entryTypes: ['gc'] });
    this.profiler.start();
  }

  /** The time comes first: what follows costs some. */
  take(): ProcessMark {
    const cpu = process.cpuUsage();
    const mark: ProcessMark = {
      cpuNs: (cpu.user + cpu.system) * 1000,
      systemCpuNs: cpu.system * 1000,
      threadCpuNs: threadCpuNs() || (cpu.user + cpu.system) * 1000,
      wallNs: Number(process.hrtime.bigint()),
      uptimeMs: performance.now(),
      residentBytes: process.memoryUsage.rss(),
    };
    this.note(this.collections.takeRecords());
    mark.pauses = this.pauses;
    this.pauses = [];
    this.countAllocated();
    mark.heapUsedBytes = this.heapBytes;
    mark.allocatedBytes = this.allocatedBytes;
    if (this.loopDelay !== null) mark.loopDelayUs = loopQuantiles(this.loopDelay);
    return mark;
  }

  watchLoop(): void {
    this.loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    this.loopDelay.enable();
  }

  unwatchLoop(): void {
    this.loopDelay?.disable();
    this.loopDelay = null;
  }

  private note(entries: readonly Collection[]): void {
    for (const { startTime, duration, detail } of entries) {
      const kind = KINDS[detail?.kind ?? 0] ?? 'major';
      this.pauses.push([startTime, duration, kind]);
    }
  }

  private countAllocated(): void {
    // What the profiler itself makes on the heap is not the server's, hence two looks.
    const nowBytes = getHeapStatistics().used_heap_size;
    const { statistics } = this.profiler.stop() ?? { statistics: [] };
    for (const { beforeGC, afterGC } of statistics) {
      this.allocatedBytes += beforeGC.heapStatistics.usedHeapSize - this.heapBytes;
      this.heapBytes = afterGC.heapStatistics.usedHeapSize;
    }
    this.allocatedBytes += nowBytes - this.heapBytes;
    this.profiler = new GCProfiler();
    this.profiler.start();
    this.heapBytes = getHeapStatistics().used_heap_size;
  }
}

/** 0 where the system does not tell. The main thread's id is the process's. */
function threadCpuNs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** The histogram counts from one look to the next: on time is one resolution. */
function loopQuantiles(histogram: IntervalHistogram): Quantiles {
  const late = (ns: number): number =>
    Math.max(0, Math.round(ns / 1000 - LOOP_RESOLUTION_MS * 1000));
  return {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    p999: late(histogram.percentile(99.9)),
    max: late(histogram.max),
  };
}
