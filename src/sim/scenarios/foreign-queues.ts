/** T34: queues that a game does not make, and one that it does. */
import { MODE_UNRELIABLE_SEQUENCED } from '../../protocol/api.js';
import type { Fault } from '../fault.js';
import { type PathProfile, pathOf } from '../network/profile.js';
import { GameClientWorkload } from '../workload/game.js';
import { latencies, pairWorld, quantile } from './core-tools.js';
import { snapshots } from './rates.js';
import { ms, type Outcome, percent, type Scenario } from './scenario.js';

const SECOND_US = 1_000_000;
const CLIENT = 0;
const CLIENT_NODE = 1;
const SEEDS = [1, 2, 3, 4];
const TIMES = 10;
const CALM_US = 1_700_000;
const GIVEN_WAY_MAX = 0.005;
/** Links that are slower than the game, which sends 16.3 KB/s with all headers. */
const SLOW: readonly { bytesPerS: number; addedUsMax: number }[] = [
  { bytesPerS: 12_000, addedUsMax: 250_000 },
  { bytesPerS: 14_800, addedUsMax: 150_000 },
];

const BASE = pathOf({ delayUs: 10_000 });

interface Told {
  sent: number;
  /** Gave way to newer ones because the flow was held back. */
  givenWay: number;
  /** Ascending. */
  agesUs: Float64Array;
}

/** Snapshots of a game at 60 Hz, and a player's inputs. */
function playGame(seed: number, path: PathProfile, faults: readonly Fault[], us: number): Told {
  const world = pairWorld({
    seed,
    path,
    faults,
    workload: (flow, isClient, fromUs) =>
      isClient ? new GameClientWorkload(seed, flow, fromUs) : snapshots(fromUs),
  });
  world.run(us);
  const server = world.ends.find((end) => !end.isClient);
  const client = world.ends.find((end) => end.isClient);
  if (server === undefined || client === undefined) throw new Error('a pair has two ends');
  const { count: sent, superseded: givenWay } = server.out;
  return { sent, givenWay, agesUs: latencies(client.in, MODE_UNRELIABLE_SEQUENCED, SECOND_US) };
}

/** `make` says what goes wrong from one time to another. */
function often(us: number, make: (fromUs: number, toUs: number) => readonly Fault[]): Fault[] {
  const starts = Array.from({ length: TIMES }, (_, index) => (index + 1) * (CALM_US + us));
  return starts.flatMap((fromUs) => make(fromUs, fromUs + us));
}

function standsStill(us: number): Fault[] {
  return often(us, (fromUs, toUs) => [{ kind: 'stall', node: CLIENT_NODE, fromUs, toUs }]);
}

function slowsDown(us: number, addedUs: number): Fault[] {
  const slow = pathOf({ delayUs: 10_000 + addedUs });
  return often(us, (fromUs, toUs) => [
    { kind: 'path', client: CLIENT, path: slow, fromUs },
    { kind: 'path', client: CLIENT, path: BASE, fromUs: toUs },
  ]);
}

const DISTURBANCES: readonly { name: string; us: number; faults: readonly Fault[] }[] = [
  { name: 'stalls of 250 ms', us: 250_000, faults: standsStill(250_000) },
  { name: '10 ms more for 300 ms', us: 300_000, faults: slowsDown(300_000, 10_000) },
  { name: '30 ms more for 300 ms', us: 300_000, faults: slowsDown(300_000, 30_000) },
  { name: '30 ms more for 2 s', us: 2_000_000, faults: slowsDown(2_000_000, 30_000) },
];

export const foreignQueues: Scenario = {
  id: 'T34',
  title: 'queues of others',
  conditions:
    'RTT 20 ms, 60 Hz snapshots, inputs; every 2 s the client stands still, or each way takes longer; and alone on 96 and 118.4 kbit/s, 0.7 and 0.9 of what it sends',
  criterion: `≤ ${GIVEN_WAY_MAX * 100} % of snapshots give way to newer ones unsent; on the slow links ≤ ${SLOW.map(({ addedUsMax }) => addedUsMax / 1000).join(' and ')} ms are added, p95`,
  run(): Outcome {
    const measured: Record<string, string> = {};
    let passed = true;
    for (const { name, us, faults } of DISTURBANCES) {
      const told = SEEDS.map((seed) => playGame(seed, BASE, faults, (TIMES + 1) * (CALM_US + us)));
      const sent = told.reduce((sum, one) => sum + one.sent, 0);
      const givenWay = told.reduce((sum, one) => sum + one.givenWay, 0);
      measured[name] = percent(givenWay, sent);
      passed &&= sent > 0 && givenWay <= sent * GIVEN_WAY_MAX;
    }
    for (const { bytesPerS, addedUsMax } of SLOW) {
      const rateBitsPerS = 8 * bytesPerS;
      const slow = pathOf({ delayUs: 10_000, rateBitsPerS, queueBytes: bytesPerS });
      const { agesUs } = playGame(SEEDS[0], slow, [], 20 * SECOND_US);
      const addedUs = quantile(agesUs, 95, 100) - 10_000;
      measured[`added on ${rateBitsPerS / 1000} kbit/s`] = ms(addedUs);
      passed &&= addedUs <= addedUsMax;
    }
    return { passed, measured };
  },
};
