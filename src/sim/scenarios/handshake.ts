/** T01 to T04: how connections begin. */
import { MODE_RELIABLE_ORDERED } from '../../protocol/protocol.js';
import type { NativeWorld } from '../native/native-world.js';
import { bursts, type PathProfile, pathOf } from '../network/profile.js';
import { ratio } from '../random.js';
import { CopyCounter } from '../wire-tap.js';
import { SteadyWorkload } from '../workload/steady.js';
import type { MakeWorkload } from '../workload/workload.js';
import { connectTimes, nativeWorld, playNative } from './native-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';

const SEEDS = [1, 2, 3, 4, 5];
const TICK_US = 1e6 / 60;
const CONNECT_US_MAX = 10_000_000;

export const handshake: Scenario = {
  id: 'T01',
  title: 'handshake',
  conditions: 'clean, RTT 100 ms, immediate server',
  criterion: 'connected ≤ 2 RTT + 1 tick',
  run() {
    const worstUs = worstConnect(0);
    return {
      passed: worstUs <= 200_000 + TICK_US,
      measured: { connected: ms(worstUs), 'with a server that ticks': ms(worstConnect(TICK_US)) },
    };
  },
};

/** The slowest of handshakes that begin at different places of the server's tick. */
function worstConnect(serverTickUs: number): number {
  let worstUs = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const path = pathOf({ delayUs: 50_000 });
    const world = nativeWorld({ seed, path, serverTickUs, dialUs: seed * 1_400 });
    world.run(2_000_000);
    worstUs = Math.max(worstUs, ...connectTimes(world));
    playNative(world, world.nowUs);
  }
  return worstUs;
}

/** Fifty clients at once over a bad path. */
function fifty(path: PathProfile): { world: NativeWorld; worstUs: number } {
  let worstUs = 0;
  let last: NativeWorld | null = null;
  for (const seed of SEEDS) {
    const world = nativeWorld({ seed, path, clientCount: 50, timeoutS: 15 });
    world.run(CONNECT_US_MAX + 2_000_000);
    worstUs = Math.max(worstUs, ...connectTimes(world));
    playNative(world, world.nowUs);
    last = world;
  }
  if (last === null) throw new RangeError('no seeds');
  return { world: last, worstUs };
}

export const handshakeLoss: Scenario = {
  id: 'T02',
  title: 'handshake loss',
  conditions: '30 % each way in bursts of up to 3, 50 connections at once, RTT 50 ms',
  criterion: 'all connect ≤ 10 s',
  run() {
    const { worstUs } = fifty(pathOf({ delayUs: 25_000, burst: bursts(30, 100, 2, 3) }));
    return { passed: worstUs <= CONNECT_US_MAX, measured: { slowest: ms(worstUs) } };
  },
};

export const handshakeCorruption: Scenario = {
  id: 'T03',
  title: 'handshake corruption',
  conditions: '30 % of datagrams with a bit flipped; then all of them',
  criterion: 'as T02; no state from a corrupt datagram',
  run() {
    const { worstUs, world } = fifty(pathOf({ delayUs: 25_000, corrupt: ratio(30, 100) }));
    const drops = world.nodes[0].endpoint.drops();
    const hopeless = nativeWorld({
      seed: 9,
      path: pathOf({ delayUs: 25_000, corrupt: ratio(1, 1) }),
      clientCount: 20,
    });
    hopeless.run(8_000_000);
    const counters = hopeless.nodes[0].endpoint.counters();
    const state = counters['requests-accepted'] + counters.opened;
    return {
      passed: worstUs <= CONNECT_US_MAX && state === 0 && counters['datagrams-in'] > 0,
      measured: {
        slowest: ms(worstUs),
        'opened by corrupt requests': `${state} of ${counters['datagrams-in']}`,
        refused: named(drops),
      },
    };
  },
};

function named(drops: Record<string, number>): string {
  const entries = Object.entries(drops).filter(([, count]) => count > 0);
  return entries.map(([name, count]) => `${name} ${count}`).join(', ');
}

const thirtyMessages: MakeWorkload = (_flow, isClient, startUs) =>
  new SteadyWorkload({
    mode: MODE_RELIABLE_ORDERED,
    bytes: 100,
    intervalUs: 300_000,
    fromUs: isClient ? startUs : Number.POSITIVE_INFINITY,
    toUs: startUs + 30 * 300_000,
  });

export const longRoundTrip: Scenario = {
  id: 'T04',
  title: 'long RTT',
  conditions: '750 ms one way, 30 messages 300 ms apart',
  criterion: 'connects; ≤ 1 spurious resend per message',
  run(): Outcome {
    let [copies, most, messages] = [0, 0, 0];
    let worstUs = 0;
    for (const seed of SEEDS) {
      const counter = new CopyCounter();
      const path = pathOf({ delayUs: 750_000 });
      const world = nativeWorld({ seed, path, workload: thirtyMessages }, counter);
      world.run(30_000_000);
      worstUs = Math.max(worstUs, ...connectTimes(world));
      playNative(world, world.nowUs);
      copies += counter.copies;
      most = Math.max(most, counter.most);
      messages += world.flows[0].up.delivered;
    }
    return {
      passed: messages === SEEDS.length * 30 && most <= 2,
      measured: {
        connected: ms(worstUs),
        'sent again': `${copies} of ${messages} messages`,
        'most for one message': String(most - 1),
      },
    };
  },
};
