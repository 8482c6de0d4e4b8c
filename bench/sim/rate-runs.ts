/** Worlds in which rate control has something to do, sampled as time goes by. */
import { ProtocolStats } from '../../src/protocol/api.js';
import type { CoreEnd } from '../../src/sim/core/core-end.js';
import type { CoreWorld } from '../../src/sim/core/core-world.js';
import { pathOf } from '../../src/sim/network/profile.js';
import { pairWorld } from '../../src/sim/scenarios/core-tools.js';
import {
  aloneWorld,
  besideCubic,
  deepQueueWorld,
  download,
} from '../../src/sim/scenarios/rates.js';

const SAMPLE_US = 100_000;
const SECOND_US = 1_000_000;
const MBIT = 1_000_000;

export interface Point {
  seconds: number;
  kind: string;
  /** Mbit/s or ms */
  value: number;
}

export interface RateRun {
  rates: Point[];
  queue: Point[];
}

export const LINK = 'link';
export const MAY = 'may send';
export const ARRIVES = 'arrives';
export const CUBIC = 'CUBIC arrives';
export const FIRST = 'first arrives';
export const SECOND = 'second arrives';
export const FIRST_MAY = 'first may send';
export const SECOND_MAY = 'second may send';

/** A total in bytes, drawn as the rate at which it grows. */
type Counter = readonly [kind: string, bytes: () => number];

/** The link's rate in bits per second at a moment. */
type LinkRate = (atUs: number) => number;

export function alone(): RateRun {
  const world = aloneWorld();
  return sample(world, 20, flowsOf(world, [[MAY, ARRIVES]]), () => 10 * MBIT);
}

export function deepQueue(): RateRun {
  const world = deepQueueWorld();
  return sample(world, 20, flowsOf(world, [[MAY, ARRIVES]]), () => 1 * MBIT);
}

/** From 10 to 1 Mbit/s at 10 s, and back at 20 s. */
export function fallingLink(): RateRun {
  const pathAt = (rateBitsPerS: number) =>
    pathOf({ delayUs: 20_000, rateBitsPerS, queueBytes: 62_500 });
  const [fromUs, toUs] = [10 * SECOND_US, 20 * SECOND_US];
  const world = pairWorld({
    seed: 1,
    path: pathAt(10 * MBIT),
    workload: download,
    faults: [
      { kind: 'path', client: 0, path: pathAt(1 * MBIT), fromUs },
      { kind: 'path', client: 0, path: pathAt(10 * MBIT), fromUs: toUs },
    ],
  });
  const linkRate: LinkRate = (atUs) => (atUs > fromUs && atUs <= toUs ? 1 * MBIT : 10 * MBIT);
  return sample(world, 35, flowsOf(world, [[MAY, ARRIVES]]), linkRate);
}

export function cross(queuePackets: number): RateRun {
  const world = besideCubic(queuePackets);
  const flows = flowsOf(world, [[MAY, ARRIVES]]);
  const counters: Counter[] = [...flows.counters, [CUBIC, () => world.crossBytes]];
  return sample(world, 40, { ...flows, counters }, () => 10 * MBIT);
}

/** Over the link of T19; the second begins 5 s after the first. */
export function twoFlows(): RateRun {
  const world = pairWorld({
    seed: 2,
    path: pathOf({ delayUs: 15_000, rateBitsPerS: 10 * MBIT, queuePackets: 25 }),
    flowsPerClient: 2,
    workload: (flow, isClient, startUs, limits) =>
      download(flow, isClient, startUs + flow * 5 * SECOND_US, limits),
  });
  const flows = flowsOf(world, [
    [FIRST_MAY, FIRST],
    [SECOND_MAY, SECOND],
  ]);
  return sample(world, 40, flows, () => 10 * MBIT);
}

interface Watched {
  rates: Counter[];
  counters: Counter[];
}

/** What Protocol.stats says at both ends of each flow, with the names to draw it under. */
function flowsOf(world: CoreWorld, names: readonly (readonly [string, string])[]): Watched {
  const rates: Counter[] = [];
  const counters: Counter[] = [];
  for (const [pair, [may, arrives]] of names.entries()) {
    rates.push([may, () => statsOf(world.ends[2 * pair + 1]).rateBytesPerS]);
    counters.push([arrives, () => statsOf(world.ends[2 * pair]).bytesIn]);
  }
  return { rates, counters };
}

const stats = new ProtocolStats();

function statsOf(end: CoreEnd): ProtocolStats {
  end.node.protocol.stats(end.slot, stats);
  return stats;
}

function sample(world: CoreWorld, seconds: number, watched: Watched, link: LinkRate): RateRun {
  const run: RateRun = { rates: [], queue: [] };
  const before = new Map<string, number>();
  for (let atUs = SAMPLE_US; atUs <= seconds * SECOND_US; atUs += SAMPLE_US) {
    world.run(atUs);
    const add = (kind: string, bytesPerS: number): void => {
      run.rates.push({ seconds: atUs / SECOND_US, kind, value: rounded((8 * bytesPerS) / MBIT) });
    };
    add(LINK, link(atUs) / 8);
    for (const [kind, rate] of watched.rates) add(kind, rate());
    for (const [kind, total] of watched.counters) {
      const bytes = total();
      add(kind, ((bytes - (before.get(kind) ?? 0)) * SECOND_US) / SAMPLE_US);
      before.set(kind, bytes);
    }
    const queueMs = world.downs[0].queueUs(atUs) / 1000;
    run.queue.push({ seconds: atUs / SECOND_US, kind: 'queue', value: rounded(queueMs) });
  }
  return run;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
