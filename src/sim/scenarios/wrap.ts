/** T26: packet numbers, message ids and clocks that wrap. */
import { plainNode } from '../core/core-config.js';
import type { CoreNodeOptions } from '../core/core-node.js';
import type { CoreWorld } from '../core/core-world.js';
import { pathOf } from '../network/profile.js';
import { ratio } from '../random.js';
import { WrapCounter } from '../wire-tap.js';
import { GameClientWorkload, GameServerWorkload } from '../workload/game.js';
import { RandomWorkload } from '../workload/random.js';
import { Together } from '../workload/steady.js';
import { pairWorld, playWorld } from './core-tools.js';
import type { Outcome, Scenario } from './scenario.js';
import { seedOf } from './variation.js';

const SEEDS = [1, 2, 3, 4];
const SECOND_US = 1_000_000;
const FIRST_NUMBER = 65_000;
const START_US = 0x80000000 - 20 * SECOND_US;
/** Half of the range: far from the wrap, and the same in all lower bits. */
const HALF_NUMBERS = 0x8000;
const HALF_CLOCK_US = 0x40000000;

function nodeAt(seed: number, number: number, startUs: number): CoreNodeOptions {
  const node = plainNode(seed, { startUs });
  const limits = { firstSequence: number, firstMessageId: number };
  return { ...node, protocol: { ...node.protocol, limits } };
}

/** Anything legal beside a game, for 40 s, over a rough path. */
function roughWorld(seed: number, isWrapping: boolean, wraps: WrapCounter): CoreWorld {
  const number = FIRST_NUMBER - (isWrapping ? 0 : HALF_NUMBERS);
  const startUs = START_US - (isWrapping ? 0 : HALF_CLOCK_US);
  const path = pathOf({ loss: ratio(5, 100), reorder: ratio(10, 100), reorderUs: 20_000 });
  const own = seedOf(seed);
  const world = pairWorld(
    {
      seed,
      path,
      server: nodeAt(own + 50, number, startUs),
      clients: [{ path, node: nodeAt(own, number, startUs) }],
      workload: (flow, isClient, fromUs, limits) =>
        new Together([
          new RandomWorkload(own, flow, fromUs, limits),
          isClient
            ? new GameClientWorkload(own, flow, fromUs)
            : new GameServerWorkload(own, flow, fromUs, 60, limits),
        ]),
    },
    wraps,
  );
  return playWorld(world, 40 * SECOND_US);
}

export const wrap: Scenario = {
  id: 'T26',
  title: 'wrap',
  conditions: 'packet numbers and message ids start at 65,000, clocks 20 s before 2^31 µs',
  criterion: 'no event: every event as in the same world far from any wrap',
  run(): Outcome {
    let [packets, messages, same] = [0, 0, 0];
    let [numberWraps, idWraps] = [0, 0];
    for (const seed of SEEDS) {
      const wraps = new WrapCounter();
      const world = roughWorld(seed, true, wraps);
      numberWraps += wraps.packets;
      idWraps += wraps.messages;
      packets += world.datagrams;
      for (const end of world.ends) messages += end.in.delivered;
      const plain = new WrapCounter();
      const twin = roughWorld(seed, false, plain);
      if (twin.hash.text === world.hash.text && plain.packets + plain.messages === 0) same += 1;
    }
    return {
      passed: same === SEEDS.length && numberWraps >= 2 * SEEDS.length && idWraps > 0,
      measured: {
        packets: String(packets),
        messages: String(messages),
        wraps: `${numberWraps} of packet numbers, ${idWraps} of message ids`,
        'worlds that went alike': `${same} of ${SEEDS.length}`,
      },
    };
  },
};
