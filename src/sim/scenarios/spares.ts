/** T05-spare: what spare copies of small reliable messages are worth, with and without. */
import { MODE_RELIABLE_ORDERED } from '../../protocol/api.js';
import { REDUNDANT_BYTES_MAX } from '../../util/limits.js';
import { pathOf } from '../network/profile.js';
import { ratio } from '../random.js';
import { SteadyWorkload } from '../workload/steady.js';
import { latencies, pairWorld, playWorld, quantile } from './core-tools.js';
import { ms, percent, type Scenario } from './scenario.js';

const SEEDS = [1, 2, 3, 4];
const TALK_US = 60_000_000;
const TICK_US = 16_667;
const DELAY_US = 25_000;
const path = pathOf({ delayUs: DELAY_US, loss: ratio(2, 100) });

interface Latency {
  p50Us: number;
  p99Us: number;
  p999Us: number;
  bytes: number;
}

/** The worst quantiles of both directions and all seeds, and the bytes of the messages' wire. */
function latencyOf(bytes: number): Latency {
  const found = { p50Us: 0, p99Us: 0, p999Us: 0, bytes: 0 };
  for (const seed of SEEDS) {
    const world = pairWorld({
      seed,
      path,
      workload: (_flow, _isClient, fromUs) =>
        new SteadyWorkload({
          mode: MODE_RELIABLE_ORDERED,
          bytes,
          intervalUs: TICK_US,
          fromUs,
          toUs: TALK_US,
        }),
    });
    playWorld(world, TALK_US);
    for (const end of world.ends) {
      const sorted = latencies(end.out, MODE_RELIABLE_ORDERED);
      found.p50Us = Math.max(found.p50Us, quantile(sorted, 1, 2));
      found.p99Us = Math.max(found.p99Us, quantile(sorted, 99, 100));
      found.p999Us = Math.max(found.p999Us, quantile(sorted, 999, 1000));
      found.bytes += end.bytesOut;
    }
  }
  return found;
}

export const spareCopies: Scenario = {
  id: 'T05-spare',
  title: 'spare copies',
  conditions:
    '2 % loss both ways, RTT 50 ms, 60 ordered messages of 256 B a second, and of 257 B (which get none)',
  criterion: 'p99 latency ≤ one way + 2 ticks with them; without, a loss costs a round trip',
  run() {
    const spared = latencyOf(REDUNDANT_BYTES_MAX);
    const plain = latencyOf(REDUNDANT_BYTES_MAX + 1);
    return {
      passed: spared.p99Us <= DELAY_US + 2 * TICK_US && plain.p99Us > DELAY_US + 2 * DELAY_US,
      measured: {
        'with: p50': ms(spared.p50Us),
        'with: p99': ms(spared.p99Us),
        'with: p99.9': ms(spared.p999Us),
        'without: p50': ms(plain.p50Us),
        'without: p99': ms(plain.p99Us),
        'without: p99.9': ms(plain.p999Us),
        'bytes more': percent(spared.bytes - plain.bytes, plain.bytes),
      },
    };
  },
};
