/** T05 to T10: what loss, bursts, corruption, copies and disorder do to delivery. */

import { MODE_RELIABLE_ORDERED, MODE_RELIABLE_UNORDERED } from '../../protocol/api.js';
import type { CoreWorld } from '../core/core-world.js';
import { bursts, type PathProfile, pathOf, roundTripUs } from '../network/profile.js';
import { ratio } from '../random.js';
import { CopyCounter } from '../wire-tap.js';
import { SteadyWorkload } from '../workload/steady.js';
import type { MakeWorkload } from '../workload/workload.js';
import {
  deliveredBytes,
  latencies,
  longestStall,
  pairWorld,
  playWorld,
  quantile,
} from './core-tools.js';
import { ms, type Outcome, type PendingScenario, percent, type Scenario } from './scenario.js';

const SEEDS = [1, 2, 3, 4];
const TALK_US = 60_000_000;
const TICK_US = 16_667;
/** T10 counts from here on. */
const SETTLE_US = 5_000_000;

/** A game's reliable traffic: 60 messages of 100 B each second, both ways. */
function chatter(mode: number, intervalUs = TICK_US): MakeWorkload {
  return (_flow, _isClient, startUs) =>
    new SteadyWorkload({ mode, bytes: 100, intervalUs, fromUs: startUs, toUs: TALK_US });
}

function worldsOf(path: PathProfile, mode: number): CoreWorld[] {
  return SEEDS.map((seed) =>
    playWorld(pairWorld({ seed, path, workload: chatter(mode) }), TALK_US),
  );
}

/** The worst p99 latency of both directions and all seeds, against a limit in round trips. */
function latencyWithin(path: PathProfile, tenthsOfRtt: number): Outcome {
  const rttUs = roundTripUs(path);
  let worstUs = 0;
  let medianUs = 0;
  let messages = 0;
  let resends = 0;
  for (const world of worldsOf(path, MODE_RELIABLE_ORDERED)) {
    for (const end of world.ends) {
      const sorted = latencies(end.out, MODE_RELIABLE_ORDERED);
      worstUs = Math.max(worstUs, quantile(sorted, 99, 100));
      medianUs = Math.max(medianUs, quantile(sorted, 1, 2));
      messages += sorted.length;
      resends += end.resends;
    }
  }
  return {
    passed: worstUs <= (rttUs * tenthsOfRtt) / 10,
    measured: {
      messages: String(messages),
      p50: ms(medianUs),
      'worst p99': `${ms(worstUs)} = ${(worstUs / rttUs).toFixed(2)} RTT`,
      resends: percent(resends, messages),
    },
  };
}

const lossPath = pathOf({ delayUs: 40_000, burst: bursts(2, 100, 2, 3) });
const burstPath = pathOf({ delayUs: 40_000, burst: bursts(5, 100, 10) });
const heavyPath = pathOf({ delayUs: 40_000, loss: ratio(20, 100) });
const copyPath = pathOf({ delayUs: 40_000, duplicate: ratio(10, 100) });
const disorderPath = pathOf({ delayUs: 40_000, reorder: ratio(25, 100), reorderUs: 30_000 });

export const transferLoss: Scenario = {
  id: 'T05',
  title: 'transfer loss',
  conditions: '2 % in bursts of up to 3, RTT 80 ms, 60 × 100 B/s ordered both ways',
  criterion: 'each once, in order; p99 latency ≤ 2.5 RTT',
  run: () => latencyWithin(lossPath, 25),
};

export const burstLoss: PendingScenario = {
  id: 'T07',
  title: 'burst loss: Gilbert–Elliott 5 %, mean burst 10 packets, RTT 80 ms, as T05',
  reason:
    'what a burst takes comes back with the first packet after it, and at 60 packets a second a ' +
    'burst of more than nine outlasts 2.5 round trips: probes shorten it, by their number only',
  run: () => latencyWithin(burstPath, 25),
};

export const heavyLoss: Scenario = {
  id: 'T06',
  title: 'heavy loss',
  conditions: '20 % both ways, RTT 80 ms, 60 × 100 B/s ordered both ways',
  criterion: 'no stall > 2 s; goodput ≥ 50 % of what was offered',
  run() {
    let stallUs = 0;
    let least = 1;
    for (const world of worldsOf(heavyPath, MODE_RELIABLE_ORDERED)) {
      for (const end of world.ends) {
        stallUs = Math.max(stallUs, longestStall(end.out, MODE_RELIABLE_ORDERED));
        const bytes = deliveredBytes(end.out, MODE_RELIABLE_ORDERED, 0, TALK_US);
        least = Math.min(least, bytes / end.out.acceptedBytes);
      }
    }
    return {
      passed: stallUs <= 2_000_000 && least >= 0.5,
      measured: { 'longest stall': ms(stallUs), 'least goodput': percent(least, 1) },
    };
  },
};

export const duplication: Scenario = {
  id: 'T09',
  title: 'duplication',
  conditions: '10 % of packets twice, RTT 80 ms',
  criterion: 'each message once',
  run() {
    let copies = 0;
    let refused = 0;
    let delivered = 0;
    let accepted = 0;
    for (const mode of [0, 1, 2, 3]) {
      for (const world of worldsOf(copyPath, mode)) {
        copies += world.copies();
        for (const node of world.nodes) refused += node.refused('packet-duplicate');
        for (const end of world.ends) {
          delivered += end.in.delivered;
          accepted += end.out.count;
        }
      }
    }
    return {
      passed: delivered === accepted && copies > 0 && refused > 0,
      measured: {
        copies: String(copies),
        'refused as duplicate': String(refused),
        delivered: `${delivered} of ${accepted}`,
      },
    };
  },
};

export const reordering: Scenario = {
  id: 'T10',
  title: 'reordering',
  conditions: '25 % of packets late by up to 30 ms, RTT 80 ms, 200 × 100 B/s unordered',
  criterion: 'spurious resends < 5 % after 5 s',
  run() {
    let [early, copies, messages] = [0, 0, 0];
    for (const seed of SEEDS) {
      const workload = chatter(MODE_RELIABLE_UNORDERED, 5_000);
      const counter = new CopyCounter();
      const world = pairWorld({ seed, path: disorderPath, workload }, counter);
      world.run(SETTLE_US);
      const before = { copies: counter.copies, messages: counter.messages };
      playWorld(world, TALK_US);
      early += before.copies;
      copies += counter.copies - before.copies;
      messages += counter.messages - before.messages;
    }
    return {
      passed: copies * 20 < messages && messages > 0,
      measured: {
        'in the first 5 s': String(early),
        afterwards: `${copies} of ${messages} = ${percent(copies, messages)}`,
      },
    };
  },
};
