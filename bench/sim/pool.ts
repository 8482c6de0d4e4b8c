/** Jobs on several cores, with a bar of progress on a terminal. */
import { Presets, SingleBar } from 'cli-progress';
import { Piscina } from 'piscina';

export interface PoolOptions {
  /** The worker's module, beside this one. */
  worker: string;
  workers: number;
  /** cli-progress's format. */
  format: string;
  /** What the bar counts to. */
  total: number;
}

/**
 * Runs every job on the pool and hands each result to `take` as it comes; `take` answers where the bar
 * stands, and what else its format names. All results, in the order of the jobs.
 */
export async function runPool<J, R>(
  options: PoolOptions,
  jobs: readonly J[],
  take: (result: R) => [done: number, named: Record<string, number>],
): Promise<R[]> {
  const { worker, workers, format, total } = options;
  const pool = new Piscina<J, R>({
    filename: new URL(worker, import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
  });
  const bar = new SingleBar({ format }, Presets.shades_classic);
  bar.start(total, 0, { failed: 0 });
  try {
    return await Promise.all(
      jobs.map(async (job) => {
        const result = await pool.run(job);
        bar.update(...take(result));
        return result;
      }),
    );
  } finally {
    bar.stop();
    await pool.destroy();
  }
}
