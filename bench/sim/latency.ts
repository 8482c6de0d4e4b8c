/** How long messages take against how many packets get lost: RL1's kinds, and TCP as a model. */
import {
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
} from '../../src/protocol/api.js';
import type { CoreWorld } from '../../src/sim/core/core-world.js';
import { type PathProfile, pathOf } from '../../src/sim/network/profile.js';
import { tcpLatencies } from '../../src/sim/network/tcp-model.js';
import type { Ledger } from '../../src/sim/oracle/ledger.js';
import { ratio } from '../../src/sim/random.js';
import { pairWorld, playWorld, quantile } from '../../src/sim/scenarios/core-tools.js';
import { SteadyWorkload } from '../../src/sim/workload/steady.js';
import { SILENCE } from '../../src/sim/workload/workload.js';

export const ROUND_TRIP_US = 50_000;
/** In thousandths of all packets, each way. */
export const LOSSES = [0, 5, 10, 20, 50, 100, 200] as const;
const SEEDS = [1, 2, 3, 4, 5, 6];
const TALK_US = 60_000_000;
const INTERVAL_US = 16_667;
const MESSAGE_BYTES = 100;
/** Too long for spare copies. */
const LONG_BYTES = 300;
/** Connections have begun and their round trip is known. */
const FROM_US = 2_000_000;
const SAMPLE_US = 1_000;

export interface LatencyRow {
  kind: string;
  lossPercent: number;
  quantile: 'median' | '99 of 100';
  ms: number;
}

type Measure = (path: PathProfile, seed: number) => number[];

const KINDS: Readonly<Record<string, Measure>> = {
  'TCP, modelled': (path, seed) => {
    const count = Math.floor(TALK_US / INTERVAL_US);
    const traffic = { seed, path, messageBytes: MESSAGE_BYTES, intervalUs: INTERVAL_US, count };
    return [...tcpLatencies(traffic).subarray(Math.ceil(FROM_US / INTERVAL_US))];
  },
  'reliable ordered': (path, seed) => latenciesOf(play(path, seed, MODE_RELIABLE_ORDERED, 0)),
  'reliable ordered, 300 B: no spare copies': (path, seed) =>
    latenciesOf(play(path, seed, MODE_RELIABLE_ORDERED, 0, LONG_BYTES)),
  'reliable unordered': (path, seed) => latenciesOf(play(path, seed, MODE_RELIABLE_UNORDERED, 0)),
  'sequenced, 2 copies more': (path, seed) =>
    latenciesOf(play(path, seed, MODE_UNRELIABLE_SEQUENCED, 2)),
  'age of the newest snapshot': (path, seed) =>
    agesOf(play(path, seed, MODE_UNRELIABLE_SEQUENCED, 0)),
};

/** Server to client, 60 messages a second; the book of that direction. */
function play(
  path: PathProfile,
  seed: number,
  mode: number,
  redundancy: number,
  bytes = MESSAGE_BYTES,
): Ledger {
  const world: CoreWorld = pairWorld({
    seed,
    path,
    workload: (_flow, isClient, fromUs) =>
      isClient
        ? SILENCE
        : new SteadyWorkload({
            mode,
            bytes,
            intervalUs: INTERVAL_US,
            fromUs,
            toUs: TALK_US,
            redundancy,
          }),
  });
  playWorld(world, TALK_US);
  return world.ends[0].in;
}

/** Of a message that never came: Infinity. */
function latenciesOf(book: Ledger): number[] {
  const found: number[] = [];
  for (let number = 0; number < book.count; number++) {
    const [sentUs, atUs] = [book.sentUs[number], book.deliveredUs[number]];
    if (sentUs < FROM_US) continue;
    found.push(atUs >= 0 ? atUs - sentUs : Number.POSITIVE_INFINITY);
  }
  return found;
}

/** At every millisecond: how long ago was what the client shows true at the server? */
function agesOf(book: Ledger): number[] {
  const numbers = Array.from({ length: book.count }, (_, number) => number)
    .filter((number) => book.deliveredUs[number] >= 0)
    .sort((a, b) => book.deliveredUs[a] - book.deliveredUs[b]);
  const found: number[] = [];
  let newest = -1;
  let next = 0;
  for (let nowUs = FROM_US; nowUs < TALK_US; nowUs += SAMPLE_US) {
    for (; next < numbers.length && book.deliveredUs[numbers[next]] <= nowUs; next++) {
      newest = Math.max(newest, numbers[next]);
    }
    if (newest >= 0) found.push(nowUs - book.sentUs[newest]);
  }
  return found;
}

export function measureLatency(): LatencyRow[] {
  const rows: LatencyRow[] = [];
  for (const [kind, measure] of Object.entries(KINDS)) {
    for (const thousandths of LOSSES) {
      const path = pathOf({ delayUs: ROUND_TRIP_US / 2, loss: ratio(thousandths, 1000) });
      const all = Float64Array.from(SEEDS.flatMap((seed) => measure(path, seed))).sort();
      const row = { kind, lossPercent: thousandths / 10 };
      rows.push({ ...row, quantile: 'median', ms: quantile(all, 1, 2) / 1000 });
      rows.push({ ...row, quantile: '99 of 100', ms: quantile(all, 99, 100) / 1000 });
    }
  }
  return rows;
}
