/** T06 at full speed, T19 to T23: what rate control and priorities promise. */
import {
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  ProtocolStats,
} from '../../protocol/api.js';
import { CORE_DEFAULTS, plainNode } from '../core/core-config.js';
import type { CoreWorld } from '../core/core-world.js';
import { pathOf, roundTripUs } from '../network/profile.js';
import { ratio } from '../random.js';
import { GameClientWorkload } from '../workload/game.js';
import { GreedyWorkload, SteadyWorkload, Together } from '../workload/steady.js';
import { type MakeWorkload, SILENCE } from '../workload/workload.js';
import { deliveredBytes, latencies, pairWorld, quantile } from './core-tools.js';
import { CrossWorld } from './cross-world.js';
import { ms, type Outcome, type PendingScenario, percent, type Scenario } from './scenario.js';
import { seedOf } from './variation.js';

const SECOND_US = 1_000_000;
const MBIT = 1_000_000;
const TICK_US = 16_667;
/** The receiver takes eight messages in pieces at once: larger ones keep more on the way. */
const BULK_BYTES = 60_000;
/** What is lost at the beginning decides much. */
const LOSSY_SEEDS = Array.from({ length: 20 }, (_, at) => 6 + 1000 * at);

/** As much as goes, from the server to the client. */
export const download: MakeWorkload = (_flow, isClient, startUs) =>
  isClient ? SILENCE : new GreedyWorkload(1, MODE_RELIABLE_UNORDERED, BULK_BYTES, startUs);

/** Payload bytes per second that the client got between two moments. */
function goodput(world: CoreWorld, fromUs: number, toUs: number): number {
  let bytes = 0;
  for (const end of world.ends) {
    if (end.isClient) bytes += deliveredBytes(end.in, MODE_RELIABLE_UNORDERED, fromUs, toUs);
  }
  return (bytes * SECOND_US) / (toUs - fromUs);
}

/** The share of packets of a download that the link's own short queue dropped, from 10 s to 30 s. */
function ownLoss({ kbitPerS, packets, roundTripMs }: ShortQueue): number {
  const path = pathOf({
    delayUs: 500 * roundTripMs,
    rateBitsPerS: 1000 * kbitPerS,
    queuePackets: packets,
  });
  const world = pairWorld({ seed: 1, path, workload: download });
  const [before, after] = [new ProtocolStats(), new ProtocolStats()];
  const server = world.ends[1];
  world.run(10 * SECOND_US);
  server.node.protocol.stats(server.slot, before);
  world.run(30 * SECOND_US);
  server.node.protocol.stats(server.slot, after);
  return (after.lost - before.lost) / (after.packetsOut - before.packetsOut);
}

interface ShortQueue {
  kbitPerS: number;
  packets: number;
  roundTripMs: number;
}

const SHORT_QUEUES: readonly ShortQueue[] = [
  { kbitPerS: 1000, packets: 3, roundTripMs: 80 },
  { kbitPerS: 1000, packets: 4, roundTripMs: 80 },
  { kbitPerS: 3000, packets: 3, roundTripMs: 20 },
  { kbitPerS: 3000, packets: 4, roundTripMs: 20 },
];
const OWN_LOSS_MAX = 0.15;

export const shortQueues: Scenario = {
  id: 'T19-short',
  title: 'short queues',
  conditions: 'a download; queues of 3 and 4 packets, 1 Mbit/s with RTT 80 ms and 3 Mbit/s with 20',
  criterion: `≤ ${OWN_LOSS_MAX * 100} % of its packets are lost there: that loss is not the path's`,
  run() {
    const outcome: Outcome = { passed: true, measured: {} };
    for (const queue of SHORT_QUEUES) {
      const share = ownLoss(queue);
      const { kbitPerS, packets } = queue;
      outcome.measured[`${kbitPerS / 1000} Mbit/s, ${packets} packets`] = percent(share, 1);
      outcome.passed &&= share <= OWN_LOSS_MAX;
    }
    return outcome;
  },
};

function measured(name: string, bytesPerS: number, idealPerS: number, least: number): Outcome {
  const share = percent(bytesPerS, idealPerS);
  return { passed: bytesPerS >= least * idealPerS, measured: { [name]: share } };
}

export const heavyLossSaturated: Scenario = {
  id: 'T06-full',
  title: 'heavy loss at full speed',
  conditions: '20 % both ways, 10 Mbit/s, RTT 80 ms',
  criterion: 'goodput ≥ 50 % of what is not lost on nine of ten seeds',
  run() {
    const path = pathOf({
      delayUs: 40_000,
      loss: ratio(20, 100),
      rateBitsPerS: 10 * MBIT,
      queuePackets: 100,
    });
    const rates = LOSSY_SEEDS.map((seed) => {
      const world = pairWorld({ seed, path, workload: download });
      world.run(15 * SECOND_US);
      return goodput(world, 5 * SECOND_US, 15 * SECOND_US);
    });
    const sorted = Float64Array.from(rates).sort();
    const ideal = (10 * MBIT * 0.8) / 8;
    return {
      passed: sorted[2] >= 0.5 * ideal,
      measured: {
        median: percent(sorted[10], ideal),
        'third worst of 20': percent(sorted[2], ideal),
        worst: percent(sorted[0], ideal),
      },
    };
  },
};

export const goodputAlone: Scenario = {
  id: 'T19',
  title: 'goodput',
  conditions: '10 Mbit/s, 15 ms one way, queue of 25 packets',
  criterion: '≥ 85 %',
  run() {
    const world = aloneWorld();
    world.run(20 * SECOND_US);
    const rate = goodput(world, 5 * SECOND_US, 20 * SECOND_US);
    return measured('goodput', rate, (10 * MBIT) / 8, 0.85);
  },
};

/** A download over a link of its own. */
export function aloneWorld(): CoreWorld {
  const path = pathOf({ delayUs: 15_000, rateBitsPerS: 10 * MBIT, queuePackets: 25 });
  return pairWorld({ seed: 19, path, workload: download });
}

export const crossTraffic: Scenario = {
  id: 'T20',
  title: 'cross traffic',
  conditions: 'one CUBIC flow, 10 Mbit/s, RTT 80 ms; queues of 25 packets, 1 and 10 BDP',
  criterion: '20–80 % of what both get, queue of 25 and 1 BDP; 10 BDP is shown only',
  run() {
    const bdpPackets = Math.round((10 * MBIT * 0.08) / 8 / 1500);
    const shares = [25, bdpPackets, 10 * bdpPackets].map(shareBesideCubic);
    return {
      passed: shares.slice(0, 2).every((share) => share >= 0.2 && share <= 0.8),
      measured: {
        'queue of 25': percent(shares[0], 1),
        'of 1 BDP': percent(shares[1], 1),
        'of 10 BDP': percent(shares[2], 1),
      },
    };
  },
};

/** A download and a CUBIC flow over one link. */
export function besideCubic(queuePackets: number): CrossWorld {
  const path = pathOf({ delayUs: 40_000, rateBitsPerS: 10 * MBIT, queuePackets });
  return new CrossWorld({
    ...CORE_DEFAULTS,
    seed: 20,
    server: plainNode(1),
    clients: [{ path, node: plainNode(2) }],
    workload: download,
  });
}

function shareBesideCubic(queuePackets: number): number {
  const [fromUs, toUs] = [10 * SECOND_US, 40 * SECOND_US];
  const world = besideCubic(queuePackets);
  world.countFromUs = fromUs;
  world.run(toUs);
  const own = (goodput(world, fromUs, toUs) * (toUs - fromUs)) / SECOND_US;
  return own / (own + world.crossBytes);
}

/** A modem's queue, milliseconds, and what a game beside CUBIC has of it. */
const MODEMS = [
  { kbitPerS: 4000, queueMs: 70, roundTripMs: 20 },
  { kbitPerS: 4000, queueMs: 100, roundTripMs: 20 },
  { kbitPerS: 10_000, queueMs: 70, roundTripMs: 60 },
] as const;
const CAME_MIN = 0.9;
const CAME_FROM_US = 10 * SECOND_US;
const CAME_TO_US = 40 * SECOND_US;

/** Snapshots that came while the game downloaded beside CUBIC, of those that were due. */
function cameBesideCubic({ kbitPerS, queueMs, roundTripMs }: (typeof MODEMS)[number]): number {
  const path = pathOf({
    delayUs: 500 * roundTripMs,
    rateBitsPerS: 1000 * kbitPerS,
    queuePackets: Math.round((kbitPerS * queueMs) / 12_000),
  });
  const seed = seedOf(20);
  const world = new CrossWorld({
    ...CORE_DEFAULTS,
    seed,
    server: plainNode(2 * seed),
    clients: [{ path, node: plainNode(2 * seed + 1) }],
    workload: (flow, isClient, fromUs, limits) =>
      isClient
        ? new GameClientWorkload(seed, flow, fromUs)
        : new Together([download(flow, false, fromUs, limits), snapshots(fromUs)]),
  });
  world.run(CAME_TO_US);
  const came = latencies(world.ends[0].in, MODE_UNRELIABLE_SEQUENCED, CAME_FROM_US);
  return came.length / ((CAME_TO_US - CAME_FROM_US) / TICK_US);
}

export const gameBesideCubic: Scenario = {
  id: 'T20-game',
  title: 'a game beside cross traffic',
  conditions: '60 Hz snapshots and a download beside a CUBIC flow; queues of 70 and 100 ms',
  criterion: `≥ ${CAME_MIN * 100} % of the snapshots come`,
  run() {
    const outcome: Outcome = { passed: true, measured: {} };
    for (const modem of MODEMS) {
      const share = cameBesideCubic(modem);
      const { kbitPerS, queueMs } = modem;
      outcome.measured[`${kbitPerS / 1000} Mbit/s, ${queueMs} ms`] = percent(share, 1);
      outcome.passed &&= share >= CAME_MIN;
    }
    return outcome;
  },
};

export const bufferbloat: Scenario = {
  id: 'T21',
  title: 'bufferbloat',
  conditions: '1 Mbit/s, 500 ms of queue, bulk and 60 Hz snapshots',
  criterion: 'added delay ≤ 60 ms p95',
  run() {
    const world = deepQueueWorld();
    world.run(20 * SECOND_US);
    const sorted = latencies(world.ends[0].in, MODE_UNRELIABLE_SEQUENCED, 5 * SECOND_US);
    const addedUs = quantile(sorted, 95, 100) - world.paths[0].down.delayUs;
    return { passed: addedUs <= 60_000, measured: { 'added p95': ms(addedUs) } };
  },
};

/** Bulk and snapshots over a slow link that would hold half a second of them. */
export function deepQueueWorld(): CoreWorld {
  return pairWorld({
    seed: 21,
    path: pathOf({ delayUs: 20_000, rateBitsPerS: 1 * MBIT, queueBytes: 62_500 }),
    workload: (flow, isClient, startUs, limits) =>
      isClient
        ? SILENCE
        : new Together([download(flow, false, startUs, limits), snapshots(startUs)]),
  });
}

/** Of a game at 60 Hz: 16.3 KB/s with all headers. */
export function snapshots(fromUs: number): SteadyWorkload {
  const mode = MODE_UNRELIABLE_SEQUENCED;
  return new SteadyWorkload({ mode, bytes: 232, intervalUs: TICK_US, fromUs, key: 1 });
}

export const gameMix: Scenario = {
  id: 'T22',
  title: 'game mix',
  conditions: '60 Hz snapshots, 4 × 256 KiB, inputs; 10 Mbit/s, RTT 30 ms',
  criterion: 'snapshot p99 age ≤ 1 tick + RTT/2 + 20 ms',
  run() {
    const path = pathOf({ delayUs: 15_000, rateBitsPerS: 10 * MBIT, queuePackets: 100 });
    const world = pairWorld({
      seed: 22,
      path,
      workload: (flow, isClient, startUs) =>
        isClient
          ? new GameClientWorkload(22, flow, startUs)
          : new Together([
              snapshots(startUs),
              new GreedyWorkload(5, MODE_RELIABLE_UNORDERED, 262_144, startUs + SECOND_US, 4),
            ]),
    });
    world.run(10 * SECOND_US);
    const sorted = latencies(world.ends[0].in, MODE_UNRELIABLE_SEQUENCED);
    const ageUs = quantile(sorted, 99, 100);
    const allowedUs = TICK_US + roundTripUs(path) / 2 + 20_000;
    return {
      passed: ageUs <= allowedUs,
      measured: { 'p99 age': ms(ageUs), allowed: ms(allowedUs) },
    };
  },
};

export const fairness: Scenario = {
  id: 'T23',
  title: 'fairness',
  conditions:
    '1,000 flows that begin at once over one link of 100 Mbit/s, RTT 30 ms; what each got from 5 s to 20 s',
  criterion: 'Jain ≥ 0.95',
  run() {
    const flows = 1000;
    const path = pathOf({ delayUs: 15_000, rateBitsPerS: 100 * MBIT, queuePackets: 500 });
    const base = plainNode(1);
    const limits = { sendReliableBytes: 65_536 };
    const node = { ...base, protocol: { ...base.protocol, maxFlows: flows, limits } };
    const world = pairWorld({
      seed: 23,
      path,
      server: node,
      clients: [{ path, node }],
      flowsPerClient: flows,
      turnsPerCheck: 20_000,
      workload: (_flow, isClient, startUs) =>
        isClient ? SILENCE : new GreedyWorkload(1, MODE_RELIABLE_UNORDERED, 1_000, startUs),
    });
    world.run(20 * SECOND_US);
    let [sum, squares] = [0, 0];
    for (const end of world.ends) {
      if (!end.isClient) continue;
      const bytes = deliveredBytes(end.in, MODE_RELIABLE_UNORDERED, 5 * SECOND_US, 20 * SECOND_US);
      sum += bytes;
      squares += bytes * bytes;
    }
    const jain = (sum * sum) / (flows * squares);
    return { passed: jain >= 0.95, measured: { Jain: jain.toFixed(3) } };
  },
};

export const ioThreads: PendingScenario = {
  id: 'T16',
  title: 'rebind across I/O threads: same thread by connection id',
  reason:
    'I/O threads run in real time; native/core/tests/nx/workers.rs plays it over the native core',
};
