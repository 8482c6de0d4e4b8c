/** T25: the clock of the other end. */
import { UdpServerClock } from '../../sdk/udp-server-clock.js';
import { plainNode } from '../core/core-config.js';
import { CLEAR, type PathProfile } from '../network/profile.js';
import { SILENCE } from '../workload/workload.js';
import { pairWorld, playWorld } from './core-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';
import { seedOf } from './variation.js';

const SECOND_US = 1_000_000;
const UP_US = 20_000;
const DOWN_US = 60_000;
const SEEDS = [1, 2, 3, 4];

export const clockOffset: Scenario = {
  id: 'T25',
  title: 'clock',
  conditions:
    'up 20 ms, down 60 ms, without and with 5 ms of jitter, the client 100 ppm fast; 120 s, from 2 s on',
  criterion:
    'server time, as the client tells it: error ≤ asymmetry / 2 + 1 ms; never goes back; the error is ' +
    'within what it is said to be',
  run(): Outcome {
    const allowedUs = (DOWN_US - UP_US) / 2 + 1_000;
    const even = followClock(SEEDS, 0);
    const uneven = followClock(SEEDS, 5_000);
    const rough = followClock(SEEDS, 20_000);
    return {
      passed:
        even.worstUs <= allowedUs &&
        uneven.worstUs <= allowedUs &&
        [even, uneven, rough].every((seen) => seen.back === 0 && seen.beyond === 0),
      measured: {
        'worst error': ms(even.worstUs),
        limit: ms(allowedUs),
        'with 5 ms of jitter': ms(uneven.worstUs),
        'with 20 ms': ms(rough.worstUs),
        'said to be within': `± ${ms(uneven.saidUs)}`,
        'times back': String(even.back + uneven.back + rough.back),
      },
    };
  },
};

export interface ClockSeen {
  worstUs: number;
  /** The greatest error that it was said to have at most. */
  saidUs: number;
  /** Readings that went back, and that were further off than they were said to be. */
  back: number;
  beyond: number;
}

/** Server time at the client every 50 ms, against the truth. */
export function followClock(seeds: readonly number[], jitterUs: number): ClockSeen {
  const path: PathProfile = {
    name: 'asymmetric',
    source: 'given',
    up: { ...CLEAR, delayUs: UP_US, jitterUs },
    down: { ...CLEAR, delayUs: DOWN_US, jitterUs },
  };
  const seen: ClockSeen = { worstUs: 0, saidUs: 0, back: 0, beyond: 0 };
  for (const seed of seeds.map(seedOf)) {
    const world = pairWorld({
      seed,
      path,
      server: plainNode(seed, { startUs: 700_000_000 * seed }),
      clients: [{ path, node: plainNode(seed + 9, { driftPpm: 100, startUs: 5_000_000 }) }],
      workload: () => SILENCE,
    });
    const [near, far] = world.ends;
    const localMs = (): number => near.node.clock.absoluteUs(world.nowUs) / 1000;
    world.run(SECOND_US);
    const clock = new UdpServerClock(
      {
        clockUs: () => near.node.clock.at(world.nowUs),
        clockSampleCount: (slot) => near.node.protocol.clockSampleCount(slot),
        clockSample: (slot, index, out) => near.node.protocol.clockSample(slot, index, out),
      },
      near.slot,
    );
    const helloMs = far.node.clock.absoluteUs(world.nowUs) / 1000;
    const helloUs = far.node.clock.at(world.nowUs);
    world.run(SECOND_US + DOWN_US);
    clock.begin(helloMs, helloUs, localMs());
    let before = Number.NEGATIVE_INFINITY;
    for (let atUs = 2 * SECOND_US; atUs <= 120 * SECOND_US; atUs += 50_000) {
      world.run(atUs);
      const told = clock.nowMs(localMs());
      const errorUs = 1000 * Math.abs(told - far.node.clock.absoluteUs(world.nowUs) / 1000);
      const saidUs = 1000 * clock.errorMs(localMs());
      seen.worstUs = Math.max(seen.worstUs, errorUs);
      seen.saidUs = Math.max(seen.saidUs, saidUs);
      if (told < before) seen.back += 1;
      if (errorUs > saidUs) seen.beyond += 1;
      before = told;
    }
    playWorld(world, world.nowUs);
  }
  return seen;
}
