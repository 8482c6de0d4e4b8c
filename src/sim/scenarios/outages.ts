/** T08, T11 to T13: corruption under netcode, and outages. */
import { MODE_RELIABLE_ORDERED } from '../../protocol/api.js';
import type { Fault } from '../fault.js';
import { pathOf, roundTripUs } from '../network/profile.js';
import { type Ratio, ratio } from '../random.js';
import { SteadyWorkload } from '../workload/steady.js';
import { type MakeWorkload, SILENCE } from '../workload/workload.js';
import { latencies, pairWorld, playWorld, quantile } from './core-tools.js';
import { nativeWorld, playNative } from './native-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';

const SEEDS = [1, 2, 3, 4];
const TICK_US = 16_667;
const SECOND_US = 1_000_000;

function ordered(talkUs: number, intervalUs = TICK_US): MakeWorkload {
  return (_flow, _isClient, startUs) =>
    new SteadyWorkload({
      mode: MODE_RELIABLE_ORDERED,
      bytes: 100,
      intervalUs,
      fromUs: startUs,
      toUs: talkUs,
    });
}

export const corruption: Scenario = {
  id: 'T08',
  title: 'corruption',
  conditions: '2 % of datagrams with a bit flipped, RTT 80 ms, against 2 % lost',
  criterion: 'equals loss: the same p99 within a quarter; no error reaches the game',
  run() {
    const lost = nativeP99({ loss: ratio(2, 100) });
    const corrupt = nativeP99({ corrupt: ratio(2, 100) });
    const isAlike = Math.abs(corrupt.p99Us - lost.p99Us) <= lost.p99Us / 4;
    return {
      passed: isAlike && corrupt.refused > 0 && corrupt.errors === 0,
      measured: {
        'p99 corrupt': ms(corrupt.p99Us),
        'p99 lost': ms(lost.p99Us),
        'refused by netcode': String(corrupt.refused),
        'connections ended': String(corrupt.errors),
      },
    };
  },
};

interface Rough {
  /** Of all messages of all worlds together. */
  p99Us: number;
  refused: number;
  /** Connections that did not last until they were closed on purpose. */
  errors: number;
}

function nativeP99(spoiled: { loss?: Ratio; corrupt?: Ratio }): Rough {
  const talkUs = 40 * SECOND_US;
  const found: number[] = [];
  let [refused, errors] = [0, 0];
  for (const seed of SEEDS) {
    const path = pathOf({ delayUs: 40_000, ...spoiled });
    const world = nativeWorld({ seed, path, workload: ordered(talkUs), timeoutS: 10 });
    playNative(world, talkUs);
    for (const { up, down } of world.flows) {
      found.push(...latencies(up, MODE_RELIABLE_ORDERED));
      found.push(...latencies(down, MODE_RELIABLE_ORDERED));
    }
    for (const node of world.nodes) refused += node.endpoint.drops()['open-failed'];
    for (const end of world.clientEnds()) errors += end.closeReason === 'closed here' ? 0 : 1;
  }
  return { p99Us: quantile(Float64Array.from(found).sort(), 99, 100), refused, errors };
}

export const blackhole: Scenario = {
  id: 'T11',
  title: 'blackhole',
  conditions: 'dark for 2 s of every 5 s, RTT 80 ms, 60 × 100 B/s ordered both ways',
  criterion: 'resumes ≤ 2 RTT + 1 s after healing, no disconnect',
  run(): Outcome {
    const path = pathOf({ delayUs: 40_000 });
    const talkUs = 30 * SECOND_US;
    const faults: Fault[] = [];
    const heals: number[] = [];
    for (let fromUs = 3 * SECOND_US; fromUs < talkUs; fromUs += 5 * SECOND_US) {
      const toUs = fromUs + 2 * SECOND_US;
      heals.push(toUs);
      const both = { kind: 'dark', why: 'blackhole', direction: 'both' } as const;
      faults.push({ ...both, clients: [0], fromUs, toUs });
    }
    let worstUs = 0;
    let flows = 0;
    for (const seed of SEEDS) {
      const world = nativeWorld({ seed, path, faults, workload: ordered(talkUs) });
      playNative(world, talkUs);
      flows = Math.max(flows, world.flows.length);
      for (const { deliveredUs, count } of [world.flows[0].up, world.flows[0].down]) {
        for (const healUs of heals) {
          if (healUs >= talkUs) continue;
          const after = deliveredUs.subarray(0, count).filter((atUs) => atUs >= healUs);
          worstUs = Math.max(worstUs, Math.min(...after) - healUs);
        }
      }
      if (world.ends.some((end) => end.closeReason !== 'closed here' && end.isClient)) flows += 1;
    }
    return {
      passed: worstUs <= 2 * roundTripUs(path) + SECOND_US && flows === 1,
      measured: { 'slowest to resume': ms(worstUs), connections: String(flows) },
    };
  },
};

export const partition: Scenario = {
  id: 'T12',
  title: 'partition longer than the timeout',
  conditions: 'everything dark from 3 s on, timeout 5 s, 8 clients',
  criterion: 'both sides time out within ± 10 %, memory freed',
  run(): Outcome {
    const clientCount = 8;
    const fromUs = 3 * SECOND_US;
    const toUs = 60 * SECOND_US;
    const clients = [...Array(clientCount).keys()];
    const dark = { kind: 'dark', why: 'partition', direction: 'both' } as const;
    const world = nativeWorld({
      seed: 1,
      path: pathOf({ delayUs: 40_000 }),
      clientCount,
      faults: [{ ...dark, clients, fromUs, toUs }],
      workload: ordered(toUs),
    });
    world.run(toUs - SECOND_US);
    const times = world.ends.map((end) => end.closedUs - fromUs);
    const pools = world.nodes.flatMap((node) => Object.values(node.protocol.pools()));
    const held = pools.reduce((sum, value) => sum + value, 0);
    const reasons = new Set(world.ends.map((end) => end.closeReason));
    const [least, most] = [Math.min(...times), Math.max(...times)];
    return {
      passed:
        times.length === 2 * clientCount &&
        least >= 4.5 * SECOND_US &&
        most <= 5.5 * SECOND_US &&
        held === 0,
      measured: {
        'timed out after': `${ms(least)} … ${ms(most)}`,
        'ends of flows': String(times.length),
        why: [...reasons].join(', '),
        'held afterwards': String(held),
      },
    };
  },
};

export const oneWayLoss: Scenario = {
  id: 'T13',
  title: 'one-way loss',
  conditions: 'only acknowledgements lost, for 1 s, client sends 300 × 1000 B/s',
  criterion: 'nothing delivered twice; the rate falls',
  run(): Outcome {
    const talkUs = 6 * SECOND_US;
    const [fromUs, toUs] = [3 * SECOND_US, 4 * SECOND_US];
    let [before, during] = [0, 0];
    let delivered = 0;
    for (const seed of SEEDS) {
      const dark = { kind: 'dark', why: 'one-way', direction: 'down' } as const;
      const world = pairWorld({
        seed,
        path: pathOf({ delayUs: 20_000 }),
        faults: [{ ...dark, clients: [0], fromUs, toUs }],
        workload: (_flow, isClient, startUs) =>
          isClient
            ? new SteadyWorkload({
                mode: MODE_RELIABLE_ORDERED,
                bytes: 1000,
                intervalUs: 3_333,
                fromUs: startUs,
                toUs: talkUs,
              })
            : SILENCE,
      });
      const sentBy = (untilUs: number): number => {
        world.run(untilUs);
        return world.nodes[1].transmitted;
      };
      const marks = [fromUs - 900_000, fromUs, fromUs + 100_000, toUs].map(sentBy);
      before += marks[1] - marks[0];
      during += marks[3] - marks[2];
      playWorld(world, talkUs);
      delivered += world.ends[1].in.delivered;
    }
    return {
      passed: during * 2 <= before && delivered > 0,
      measured: {
        'packets in 0.9 s before': String(before),
        'in 0.9 s of it': String(during),
        delivered: `${delivered}, none twice`,
      },
    };
  },
};
