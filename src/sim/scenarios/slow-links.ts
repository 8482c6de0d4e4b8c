/** T35: slow links with queues that never overflow: a download beside a game, and several players. */
import { MODE_RELIABLE_UNORDERED, MODE_UNRELIABLE_SEQUENCED } from '../../protocol/api.js';
import type { CoreWorld } from '../core/core-world.js';
import { pathOf } from '../network/profile.js';
import { GameClientWorkload } from '../workload/game.js';
import { GreedyWorkload, Together } from '../workload/steady.js';
import { latencies, pairWorld, quantile } from './core-tools.js';
import { snapshots } from './rates.js';
import { ms, type Outcome, type Scenario } from './scenario.js';

const SECOND_US = 1_000_000;
const QUEUE_S = 10;
const BULK_CHANNEL = 5;
const DOWNLOAD_BYTES = 262_144;
const DOWNLOAD_AT_US = 5 * SECOND_US;
const END_US = 30 * SECOND_US;
const LOADS_US = 3 * SECOND_US;
const SAMPLE_US = 100_000;
const SEED = 35;
/** On this one a player takes the others' queue for one worth competing with. */
const SEED_COMPETES = 14_035;

interface SlowLink {
  players: number;
  /** Each of them needs 131 for its game. */
  kbitPerS: number;
  roundTripMs: number;
  seed: number;
  addedMsMax: number;
}

const ALONE: readonly SlowLink[] = [
  { players: 1, kbitPerS: 64, roundTripMs: 20, seed: SEED, addedMsMax: 600 },
  { players: 1, kbitPerS: 256, roundTripMs: 20, seed: SEED, addedMsMax: 200 },
  { players: 1, kbitPerS: 256, roundTripMs: 100, seed: SEED, addedMsMax: 200 },
  { players: 1, kbitPerS: 512, roundTripMs: 40, seed: SEED, addedMsMax: 200 },
];
const TOGETHER: readonly SlowLink[] = [
  { players: 3, kbitPerS: 600, roundTripMs: 20, seed: SEED, addedMsMax: 200 },
  { players: 4, kbitPerS: 800, roundTripMs: 10, seed: SEED, addedMsMax: 200 },
  { players: 4, kbitPerS: 1000, roundTripMs: 20, seed: SEED, addedMsMax: 200 },
  { players: 5, kbitPerS: 1250, roundTripMs: 10, seed: SEED, addedMsMax: 200 },
  { players: 5, kbitPerS: 1250, roundTripMs: 10, seed: SEED_COMPETES, addedMsMax: 2000 },
];

/** Each player's game, and a download beside it. */
function slowWorld(link: SlowLink, bulk: Bulk): CoreWorld {
  const { players, kbitPerS, roundTripMs, seed } = link;
  const queueBytes = QUEUE_S * kbitPerS * 125;
  return pairWorld({
    seed,
    path: pathOf({ delayUs: 500 * roundTripMs, rateBitsPerS: 1000 * kbitPerS, queueBytes }),
    flowsPerClient: players,
    workload: (flow, isClient, startUs) => {
      if (isClient) return new GameClientWorkload(SEED, flow, startUs);
      const { bytes, count } = bulk;
      const fromUs = startUs + bulk.fromUs(flow);
      const mode = MODE_RELIABLE_UNORDERED;
      const download = new GreedyWorkload(BULK_CHANNEL, mode, bytes, fromUs, count);
      return new Together([snapshots(startUs), download]);
    },
  });
}

interface Bulk {
  bytes: number;
  count: number;
  fromUs(flow: number): number;
}

/** By how much snapshots are late from the start of one download on, p95. */
function addedByDownload(link: SlowLink): number {
  const fromUs = () => DOWNLOAD_AT_US;
  const world = slowWorld(link, { bytes: DOWNLOAD_BYTES, count: 1, fromUs });
  world.run(END_US);
  const agesUs = latencies(world.ends[0].in, MODE_UNRELIABLE_SEQUENCED, DOWNLOAD_AT_US);
  return quantile(agesUs, 95, 100) - 500 * link.roundTripMs;
}

/** The queue that endless downloads of all players make, one after the other begun, p95. */
function queueOfAll(link: SlowLink): number {
  const world = slowWorld(link, {
    bytes: 60_000,
    count: Number.POSITIVE_INFINITY,
    fromUs: (flow) => (flow + 1) * LOADS_US,
  });
  const samples: number[] = [];
  for (let atUs = LOADS_US; atUs <= END_US; atUs += SAMPLE_US) {
    world.run(atUs);
    samples.push(world.downs[0].queueUs(atUs));
  }
  return quantile(Float64Array.from(samples).sort(), 95, 100);
}

export const slowLinks: Scenario = {
  id: 'T35',
  title: 'slow links',
  conditions: `a queue of ${QUEUE_S} s; a game (131 kbit/s) and, after 5 s, a download of 256 KiB; three to five such players, each with an endless download, on 200 to 250 kbit/s each`,
  criterion:
    '≤ 200 ms are added, p95; on 64 kbit/s, which is not enough for the game, 600 ms; where one takes the others for loss-based flows (by seed), 2 s',
  run(): Outcome {
    const measured: Record<string, string> = {};
    let passed = true;
    const note = (what: string, { addedMsMax }: SlowLink, addedUs: number): void => {
      measured[what] = ms(addedUs);
      passed &&= addedUs <= 1000 * addedMsMax;
    };
    for (const link of ALONE) {
      const what = `download on ${link.kbitPerS} kbit/s, RTT ${link.roundTripMs} ms`;
      note(what, link, addedByDownload(link));
    }
    for (const link of TOGETHER) {
      const competes = link.seed === SEED_COMPETES ? ', one competes' : '';
      note(`${link.players} players on ${link.kbitPerS} kbit/s${competes}`, link, queueOfAll(link));
    }
    return { passed, measured };
  },
};
