/** Every oracle catches the bug that was planted for it, and has nothing to say without one. */
import t from 'tap';
import { CORE_DEFAULTS, type CoreConfig, plainNode } from '../../src/sim/core/core-config.js';
import { runCore } from '../../src/sim/core/core-run.js';
import { type MakeProtocol, makeProtocol } from '../../src/sim/make-protocol.js';
import { pathOf } from '../../src/sim/network/profile.js';
import { ORACLES } from '../../src/sim/oracle/violation.js';
import { ratio } from '../../src/sim/random.js';
import type { RunResult } from '../../src/sim/run-result.js';
import { GreedyWorkload, SteadyWorkload, Together } from '../../src/sim/workload/steady.js';
import { canaries, EXPIRING_CHANNEL } from './canaries.js';

const SAFETY_US = 3_000_000;
/** The oracles that spoke. */
const spoke = new Set<string>();

/** Some of everything: all modes, loss and disorder, flows that drain and close, a full queue. */
function busyWorld(seed: number): CoreConfig {
  const path = pathOf({
    delayUs: 20_000,
    loss: ratio(5, 100),
    reorder: ratio(10, 100),
    reorderUs: 10_000,
  });
  return {
    ...CORE_DEFAULTS,
    seed,
    server: plainNode(seed),
    clients: [{ path, node: plainNode(seed + 1) }],
    turnsPerCheck: 1,
    churn: seed % 2 === 0,
    faults: [
      {
        kind: 'dark',
        why: 'blackhole',
        direction: 'both',
        clients: [0],
        fromUs: 2_000_000,
        toUs: 2_900_000,
      },
    ],
    workload: (_flow, _isClient, fromUs) => {
      const steady = [0, 1, 2, 3].map((mode) => {
        return new SteadyWorkload({
          mode,
          bytes: 40,
          intervalUs: 10_000,
          fromUs,
          channel: 1,
          wantsReceipt: seed > 1,
        });
      });
      // Never late enough to expire, so all of these come.
      const expiring = { mode: 2, bytes: 40, channel: EXPIRING_CHANNEL, expiresUs: 2_000_000 };
      steady.push(new SteadyWorkload({ ...expiring, intervalUs: 10_000, fromUs }));
      return new Together([...steady, new GreedyWorkload(2, 3, 2_000, fromUs + 2_000_000)]);
    },
  };
}

/** Worlds until one fails; the last result. */
function fly(make: MakeProtocol): RunResult {
  for (const seed of [1, 2, 4, 6]) {
    const result = runCore(busyWorld(seed), { safetyUs: SAFETY_US, make });
    if (result.failure !== null || seed === 6) return result;
  }
  throw new RangeError('no seeds');
}

t.test('a Protocol without a bug is left alone', async (t) => {
  t.equal(fly(makeProtocol).failure, null);
});

for (const { bug, oracles, make } of canaries) {
  t.test(`caught: a Protocol that ${bug}`, async (t) => {
    const { failure } = fly(make);
    if (failure !== null) spoke.add(failure.oracle);
    t.ok(
      oracles.some((oracle) => oracle === failure?.oracle),
      failure?.message ?? 'nobody spoke',
    );
  });
}

t.test('every oracle of the core level spoke about one of them', async (t) => {
  const elsewhere = new Set(['nonce-reuse', 'handshake']);
  t.same(
    ORACLES.filter((oracle) => !spoke.has(oracle) && !elsewhere.has(oracle)),
    [],
  );
});
