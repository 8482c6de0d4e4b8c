/** T25 and T26: the clock of the other end, and numbers that wrap. */
import { plainNode } from '../core/core-config.js';
import { CLEAR, type PathProfile } from '../network/profile.js';
import { ratio } from '../random.js';
import { GameClientWorkload, GameServerWorkload } from '../workload/game.js';
import { RandomWorkload } from '../workload/random.js';
import { Together } from '../workload/steady.js';
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

export const wrap: Scenario = {
  id: 'T26',
  title: 'wrap',
  conditions: 'packet numbers and message ids start at 65,000, clocks 20 s before 2^31 µs',
  criterion: 'no event: everything as without a wrap',
  run(): Outcome {
    let packets = 0;
    let messages = 0;
    let wraps = 0;
    for (const seed of [1, 2, 3, 4]) {
      const near = wrappingNode(seed);
      const path: PathProfile = {
        name: 'rough',
        source: 'given',
        up: { ...CLEAR, loss: ratio(5, 100), reorder: ratio(10, 100), reorderUs: 20_000 },
        down: { ...CLEAR, loss: ratio(5, 100), reorder: ratio(10, 100), reorderUs: 20_000 },
      };
      const world = pairWorld({
        seed,
        path,
        server: wrappingNode(seed + 50),
        clients: [{ path, node: near }],
        workload: (flow, isClient, startUs, limits) =>
          new Together([
            new RandomWorkload(seed, flow, startUs, limits),
            isClient
              ? new GameClientWorkload(seed, flow, startUs)
              : new GameServerWorkload(seed, flow, startUs, 60, limits),
          ]),
      });
      playWorld(world, 40 * SECOND_US);
      packets += world.datagrams;
      for (const end of world.ends) messages += end.in.delivered;
      for (const node of world.nodes) wraps += node.transmitted > 536 ? 1 : 0;
    }
    return {
      passed: wraps === 8,
      measured: { packets: String(packets), messages: String(messages), wrapped: `${wraps} of 8` },
    };
  },
};

function wrappingNode(seed: number): ReturnType<typeof plainNode> {
  const node = plainNode(seed, { startUs: 0x80000000 - 20 * SECOND_US });
  const limits = { firstSequence: 65_000, firstMessageId: 65_000 };
  return { ...node, protocol: { ...node.protocol, limits } };
}
