/** T33: what becomes of messages that wait when their flow is closed. */
import { MODE_RELIABLE_ORDERED } from '../../protocol/api.js';
import { closeAll } from '../core/core-run.js';
import type { CoreWorld } from '../core/core-world.js';
import { pathOf } from '../network/profile.js';
import { ratio } from '../random.js';
import { GreedyWorkload } from '../workload/steady.js';
import { pairWorld } from './core-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';

const SEEDS = [1, 2, 3, 4];
const SECOND_US = 1_000_000;
const ENDLESS = Number.POSITIVE_INFINITY;
const DRAIN_US_MAX = 60 * SECOND_US;

/** Both ends have queued what they may, 1 MiB, each message with a receipt; the path loses 5 %. */
function fullWorld(seed: number): CoreWorld {
  const world = pairWorld({
    seed,
    path: pathOf({ delayUs: 20_000, loss: ratio(5, 100) }),
    workload: (_flow, _isClient, startUs) =>
      new GreedyWorkload(1, MODE_RELIABLE_ORDERED, 8_000, startUs, ENDLESS, 5_000, true),
  });
  world.run(SECOND_US);
  return world;
}

/** The client closes, with `isDrained` once all it has said is acknowledged; how long that took. */
function close(world: CoreWorld, isDrained: boolean): number {
  const [near, far] = world.ends;
  const startUs = world.nowUs;
  near.node.nodeUs = near.node.clock.at(startUs);
  near.startTurn();
  if (isDrained) world.closeWhenDrained(near, 1000);
  else world.close(near, 1000);
  far.stop();
  near.node.finish();
  while (near.isOpen && world.nowUs < startUs + DRAIN_US_MAX) world.run(world.nowUs + 10_000);
  return near.isOpen ? Number.POSITIVE_INFINITY : world.nowUs - startUs;
}

export const closeAndDrain: Scenario = {
  id: 'T33',
  title: 'close and drain',
  conditions: '1 MiB queued both ways over 5 % loss; drained and closed, or closed at once',
  criterion: 'queued reliable messages are delivered or reported: by receipt, or as not received',
  run(): Outcome {
    let worstUs = 0;
    let bytes = 0;
    let missing = 0;
    let [queued, told, arrived] = [0, 0, 0];
    for (const seed of SEEDS) {
      const drained = fullWorld(seed);
      bytes += drained.ends[0].queuedBytes();
      worstUs = Math.max(worstUs, close(drained, true));
      missing += drained.ends[0].out.mandatory + drained.ends[0].out.receipts.due;
      const closed = fullWorld(seed);
      const { out } = closed.ends[0];
      close(closed, false);
      for (const world of [drained, closed]) {
        world.isTalking = false;
        closeAll(world);
      }
      queued += out.count;
      told += out.receipts.told;
      arrived += out.delivered;
    }
    return {
      // A receipt of a message that did not arrive is refused by the oracle `receipt-true`.
      passed: worstUs < DRAIN_US_MAX && missing === 0 && told <= arrived && arrived < queued,
      measured: {
        'slowest drain': ms(worstUs),
        'queued when asked': `${bytes} B in ${SEEDS.length} runs`,
        'missing after it': String(missing),
        'closed at once': `${told} of ${queued} told received, ${arrived} were`,
      },
    };
  },
};
