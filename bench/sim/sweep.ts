/** Rate control over a grid of links on several cores; the worst corners come first. */
import Table from 'cli-table3';
import type { SweepOptions } from './options.js';
import { runPool } from './pool.js';
import type { Corner, CornerResult } from './sweep-run.js';

const RATES = [500_000, 2_000_000, 10_000_000, 50_000_000];
const ROUND_TRIPS_MS = [10, 50, 200];
const QUEUES_BDP = [0.25, 1, 4];
const LOSSES_PERCENT = [0, 1, 5];

/** Worse is a corner of its own in the lines below the table. */
const SHARE_LEAST = 0.5;
const QUEUES_MOST = 2;

export function sweep(options: SweepOptions): Promise<CornerResult[]> {
  const corners = cornersOf(options);
  const format = '{bar} {value}/{total} runs | {eta_formatted}';
  let done = 0;
  return runPool<Corner, CornerResult>(
    { worker: './sweep-run.js', workers: options.workers, format, total: corners.length },
    corners,
    () => [++done, {}],
  );
}

/** The quick ones are the ends of the grid, without the fast links that take long to play. */
function cornersOf({ seeds, isQuick }: SweepOptions): Corner[] {
  const corners: Corner[] = [];
  const rates = isQuick ? [500_000, 2_000_000, 10_000_000] : RATES;
  const roundTrips = isQuick ? [10, 200] : ROUND_TRIPS_MS;
  const queues = isQuick ? [1] : QUEUES_BDP;
  const losses = isQuick ? [0, 5] : LOSSES_PERCENT;
  for (const bitsPerS of rates) {
    for (const roundTripMs of roundTrips) {
      for (const queueBdp of queues) {
        for (const lossPercent of losses) {
          for (let seed = 1; seed <= seeds; seed++) {
            corners.push({ seed, bitsPerS, roundTripMs, queueBdp, lossPercent });
          }
        }
      }
    }
  }
  return corners;
}

export function tellSweep(results: readonly CornerResult[], write: (text: string) => void): void {
  const table = new Table({
    head: ['Mbit/s', 'RTT', 'queue', 'lost', 'seed', 'goodput', 'added p95', 'queued p95', 'full'],
    style: { head: [], border: [] },
  });
  const worst = [...results].sort((a, b) => a.share - b.share);
  for (const one of worst) {
    table.push([
      `${one.bitsPerS / 1_000_000}`,
      `${one.roundTripMs} ms`,
      `${one.queueBdp} BDP`,
      `${one.lossPercent} %`,
      `${one.seed}`,
      `${(100 * one.share).toFixed(1)} % of ideal`,
      `${one.addedMs.toFixed(1)} ms`,
      `${one.waitingMs.toFixed(1)} ms`,
      `${one.queueMs.toFixed(1)} ms`,
    ]);
  }
  const slow = results.filter(({ share }) => share < SHARE_LEAST).length;
  const late = results.filter(({ addedMs, queueMs }) => addedMs > QUEUES_MOST * queueMs);
  write(
    `${table.toString()}\n` +
      'ideal: all bits of the link that are not lost, headers included, from the first moment on; ' +
      'full: how long a full queue takes to leave\n' +
      `${results.length} runs, median ${(100 * worst[worst.length >> 1].share).toFixed(1)} %, ` +
      `${slow} below ${100 * SHARE_LEAST} %, ` +
      `${late.length} with more than ${QUEUES_MOST} full queues added\n`,
  );
  for (const one of late) {
    const { bitsPerS, roundTripMs, queueBdp, lossPercent, addedMs, queueMs } = one;
    write(
      `  ${bitsPerS / 1_000_000} Mbit/s, ${roundTripMs} ms, ${queueBdp} BDP, ${lossPercent} % lost: ` +
        `added ${addedMs.toFixed(1)} ms, queue ${queueMs.toFixed(1)} ms\n`,
    );
  }
}
