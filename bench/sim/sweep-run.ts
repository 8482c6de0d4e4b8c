/** One corner of the sweep: a download and small messages over one link, and what became of them. */
import { MODE_RELIABLE_UNORDERED, MODE_UNRELIABLE_SEQUENCED } from '../../src/protocol/api.js';
import { pathOf } from '../../src/sim/network/profile.js';
import { ratio } from '../../src/sim/random.js';
import { latencies, pairWorld, quantile } from '../../src/sim/scenarios/core-tools.js';
import { GreedyWorkload, SteadyWorkload, Together } from '../../src/sim/workload/steady.js';
import { SILENCE } from '../../src/sim/workload/workload.js';

const SECOND_US = 1_000_000;
export const RUN_US = 10 * SECOND_US;
/** Of the link's queue. */
const SAMPLE_US = 10_000;
/** A queue with less room than two full packets could carry nothing at all. */
const QUEUE_BYTES_MIN = 3_000;
const PROBE_BYTES = 100;
const PROBE_US = 20_000;
/**
 * Bulk in messages of a quarter of what is on the way until it is acknowledged: short, so that counting
 * whole ones says something, and not shorter, because the receiver puts only eight together at once.
 */
const ACKNOWLEDGED_AFTER_MS = 100;
const BULK_BYTES_MIN = 1_000;
const BULK_BYTES_MAX = 60_000;

export interface Corner {
  seed: number;
  bitsPerS: number;
  roundTripMs: number;
  /** In bandwidth-delay products. */
  queueBdp: number;
  /** Each way. */
  lossPercent: number;
}

export interface CornerResult extends Corner {
  /** Of the ideal: all bits of the link that are not lost, headers included. */
  share: number;
  /** How long the whole queue takes to leave. */
  queueMs: number;
  /** 95th of 100 of the small messages: beyond the way without a queue. */
  addedMs: number;
  /** 95th of 100 of what waits in the link's queue. */
  waitingMs: number;
}

export default function runCorner(corner: Corner): CornerResult {
  const { seed, bitsPerS, roundTripMs, queueBdp, lossPercent } = corner;
  const bdp = (bitsPerS * roundTripMs) / 8_000;
  const queueBytes = Math.max(QUEUE_BYTES_MIN, Math.round(queueBdp * bdp));
  const onTheWay = (bitsPerS * (roundTripMs + ACKNOWLEDGED_AFTER_MS)) / 8_000;
  const bulkBytes = Math.min(Math.max(Math.round(onTheWay / 4), BULK_BYTES_MIN), BULK_BYTES_MAX);
  const delayUs = roundTripMs * 500;
  const world = pairWorld({
    seed,
    path: pathOf({
      delayUs,
      rateBitsPerS: bitsPerS,
      queueBytes,
      loss: ratio(lossPercent, 100),
    }),
    workload: (_flow, isClient, fromUs) =>
      isClient
        ? SILENCE
        : new Together([
            new GreedyWorkload(1, MODE_RELIABLE_UNORDERED, bulkBytes, fromUs),
            new SteadyWorkload({
              mode: MODE_UNRELIABLE_SEQUENCED,
              bytes: PROBE_BYTES,
              intervalUs: PROBE_US,
              fromUs,
              key: 1,
            }),
          ]),
  });
  const waiting = new Float64Array(RUN_US / SAMPLE_US);
  for (let sample = 0; sample < waiting.length; sample++) {
    world.run((sample + 1) * SAMPLE_US);
    waiting[sample] = world.downs[0].queueUs(world.nowUs);
  }
  const book = world.ends[0].in;
  const carried = (bitsPerS / 8) * (1 - lossPercent / 100) * (RUN_US / SECOND_US);
  const added = quantile(latencies(book, MODE_UNRELIABLE_SEQUENCED), 95, 100) - delayUs;
  return {
    ...corner,
    share: book.deliveredBytes / carried,
    queueMs: (queueBytes * 8_000) / bitsPerS,
    addedMs: added / 1000,
    waitingMs: quantile(waiting.sort(), 95, 100) / 1000,
  };
}
