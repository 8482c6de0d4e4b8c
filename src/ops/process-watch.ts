/** Pauses of this process: garbage collections and delays of the event loop. */
import {
  constants,
  type IntervalHistogram,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks';
import { DurationHistogram } from './histogram.js';

/** A timer that fires this often measures by how much it is late. */
const RESOLUTION_MS = 20;

const GC_KINDS: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak-callbacks'],
]);

/** What an entry of type `gc` is; its duration is in milliseconds. */
type GcEntry = PerformanceEntry & { detail: { kind: number } };

export class ProcessWatch {
  /** Pauses by kind of collection; every kind is there from the start. */
  readonly gcPauses: ReadonlyMap<string, DurationHistogram> = new Map(
    [...GC_KINDS.values()].map((kind) => [kind, new DurationHistogram()]),
  );
  readonly #observer: PerformanceObserver;
  readonly #delay: IntervalHistogram;

  /** Observes from now until `close`. */
  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#add(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  /** Delay of the event loop in seconds at quantiles 0…1, since the call before; starts anew. */
  takeLoopDelaysS(quantiles: readonly number[]): number[] {
    const delays = quantiles.map((quantile) => {
      const intervalNs = quantile === 1 ? this.#delay.max : this.#delay.percentile(quantile * 100);
      // The histogram holds whole intervals between two timers, not what they were too long by.
      return this.#delay.count === 0 ? 0 : Math.max(0, intervalNs / 1e9 - RESOLUTION_MS / 1e3);
    });
    this.#delay.reset();
    return delays;
  }

  close(): void {
    this.#observer.disconnect();
    this.#delay.disable();
  }

  #add(entries: PerformanceEntry[]): void {
    for (const { duration, detail } of entries as GcEntry[]) {
      this.gcPauses.get(GC_KINDS.get(detail.kind) ?? '')?.observe(duration * 1000);
    }
  }
}
