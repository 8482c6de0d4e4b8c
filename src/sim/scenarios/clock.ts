/** T25: the clock of the other end. */
import { plainNode } from '../core/core-config.js';
import { CLEAR, type PathProfile } from '../network/profile.js';
import { SILENCE } from '../workload/workload.js';
import { pairWorld, playWorld } from './core-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';

const SECOND_US = 1_000_000;
const UP_US = 20_000;
const DOWN_US = 60_000;

export const clockOffset: Scenario = {
  id: 'T25',
  title: 'clock',
  conditions: 'up 20 ms, down 60 ms, the client 100 ppm fast, 120 s',
  criterion: 'offset error ≤ asymmetry / 2 + 1 ms',
  run(): Outcome {
    const allowedUs = (DOWN_US - UP_US) / 2 + 1_000;
    const worstUs = worstOffsetError(0);
    return {
      passed: worstUs <= allowedUs,
      measured: {
        'worst error': ms(worstUs),
        limit: ms(allowedUs),
        'with 5 ms of jitter': ms(worstOffsetError(5_000)),
      },
    };
  },
};

function worstOffsetError(jitterUs: number): number {
  const path: PathProfile = {
    name: 'asymmetric',
    source: 'given',
    up: { ...CLEAR, delayUs: UP_US, jitterUs },
    down: { ...CLEAR, delayUs: DOWN_US, jitterUs },
  };
  let worstUs = 0;
  for (const seed of [1, 2, 3, 4]) {
    const world = pairWorld({
      seed,
      path,
      server: plainNode(seed, { startUs: 700_000_000 * seed }),
      clients: [{ path, node: plainNode(seed + 9, { driftPpm: 100, startUs: 5_000_000 }) }],
      workload: () => SILENCE,
    });
    const [near, far] = world.ends;
    for (let second = 2; second <= 120; second++) {
      world.run(second * SECOND_US);
      const own = near.node.clock.at(world.nowUs);
      const trueUs = (far.node.clock.at(world.nowUs) - own) | 0;
      const error = (near.node.protocol.serverOffsetUs(near.slot) - trueUs) | 0;
      worstUs = Math.max(worstUs, Math.abs(error));
    }
    playWorld(world, world.nowUs);
  }
  return worstUs;
}
