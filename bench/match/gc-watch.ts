import { PerformanceObserver } from 'node:perf_hooks';

export interface GcPauses {
  count: number;
  /** Milliseconds. */
  max: number;
  /** Milliseconds. */
  total: number;
}

export const NO_PAUSES: Readonly<GcPauses> = { count: 0, max: 0, total: 0 };

/** Sums up this process's garbage collection pauses between two `take`s. */
export class GcWatch {
  private pauses: GcPauses = { ...NO_PAUSES };
  private readonly observer = new PerformanceObserver((list) => this.add(list.getEntries()));

  constructor() {
    this.observer.observe({ entryTypes: ['gc'] });
  }

  /** What was collected since the last call; starts anew. */
  take(): GcPauses {
    this.add(this.observer.takeRecords());
    const pauses = this.pauses;
    this.pauses = { ...NO_PAUSES };
    return pauses;
  }

  close(): void {
    this.observer.disconnect();
  }

  private add(entries: PerformanceEntryList): void {
    for (const { duration } of entries) {
      this.pauses.count += 1;
      this.pauses.total += duration;
      this.pauses.max = Math.max(this.pauses.max, duration);
    }
  }
}

type PerformanceEntryList = ReturnType<PerformanceObserver['takeRecords']>;

export function addPauses(a: GcPauses, b: GcPauses): GcPauses {
  return { count: a.count + b.count, max: Math.max(a.max, b.max), total: a.total + b.total };
}
