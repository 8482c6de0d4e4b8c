/** T28: random worlds, all kinds of faults, and no invariant broken. More by hand: npm run sim. */
import t from 'tap';
import { type Level, replayCommand, runSeed } from '../../src/sim/index.js';

t.setTimeout(280_000);

const SEEDS: Readonly<Record<Level, number>> = { core: 1500, native: 700 };

for (const level of ['core', 'native'] as const) {
  t.test(`T28 swarm: ${SEEDS[level]} worlds of the ${level} level`, async (t) => {
    let datagrams = 0;
    let delivered = 0;
    for (let seed = 1; seed <= SEEDS[level]; seed++) {
      const request = { seed, level, profile: null };
      const { failure, ...result } = runSeed(request);
      datagrams += result.datagrams;
      delivered += result.messagesDelivered;
      if (failure !== null) t.fail(`${failure.message}: ${replayCommand(request)}`);
    }
    t.ok(delivered > 0, `${datagrams} packets, ${delivered} messages delivered`);
  });
}
