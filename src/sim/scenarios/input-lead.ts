/** Inputs reach the server just before their ticks, also when the round trip changes. */
import { InputArrivals } from '../../time/input-arrivals.js';
import { InputLead } from '../../time/input-lead.js';
import { ServerClock } from '../../time/server-clock.js';
import { hitsBelow, ratio, Stream } from '../random.js';
import { ms, type Outcome, percent, type Scenario } from './scenario.js';
import { seedOf } from './variation.js';

const STEP_MS = 1000 / 60;
const FRAME_MS = 1000 / 60;
/** The server's clock is ahead by this, and the client does not know. */
const SERVER_AHEAD_MS = 123_456;
const CHANGES_S = [0, 30, 60, 90];
const ROUND_TRIPS_MS = [40, 120, 40];
const JITTER_MS = 5;
/** What is allowed to be late meanwhile is what was sent in this time after a change. */
const SETTLE_MS = 2_000;

export const inputLead: Scenario = {
  id: 'T25-lead',
  title: 'input lead',
  conditions:
    'round trip 40, 120, 40 ms for 30 s each, 5 ms of jitter each way, 1 % loss, inputs at 60 Hz in ' +
    'three copies, server at 60 Hz',
  criterion:
    'of the inputs from 2 s after a change on, ≤ 2 % are late; on average ≤ 1 tick + 10 ms early',
  run: () => judgeLead([1, 2, 3, 4].map(seedOf)),
};

interface Phase {
  sent: number;
  late: number;
  marginMs: number;
  /** After the change until a second begins in which at most one input is late. */
  settledMs: number;
}

export function judgeLead(seeds: readonly number[]): Outcome {
  const measured: Record<string, string> = {};
  let passed = true;
  for (let phase = 0; phase < ROUND_TRIPS_MS.length; phase++) {
    let worst: Phase = { sent: 1, late: 0, marginMs: 0, settledMs: 0 };
    let margins = 0;
    let slowest = 0;
    for (const seed of seeds) {
      const seen = playLead(seed)[phase];
      if (seen.late * worst.sent >= worst.late * seen.sent) worst = seen;
      margins = Math.max(margins, seen.marginMs);
      slowest = Math.max(slowest, seen.settledMs);
    }
    passed &&= worst.late <= 0.02 * worst.sent && margins <= STEP_MS + 10;
    measured[`${phase + 1}: ${ROUND_TRIPS_MS[phase]} ms`] =
      `late ${percent(worst.late, worst.sent)}, early by ${ms(margins * 1000)}, ` +
      `settled ${ms(slowest * 1000)} after the change`;
  }
  return { passed, measured };
}

interface Parcel {
  atMs: number;
  open: () => void;
}

/** How long after `fromMs` a second begins in which at most one input is late. */
function settledAfter(lateMs: readonly number[], fromMs: number): number {
  let settledMs = 0;
  for (let at = 0; at + 1 < lateMs.length; at++) {
    if (lateMs[at + 1] - lateMs[at] < 1_000 && lateMs[at] - fromMs <= settledMs + 1_000) {
      settledMs = lateMs[at + 1] - fromMs;
    }
  }
  return settledMs;
}

/** Figures of each round trip, in order. World time is ms; the client's clock shows it. */
export function playLead(seed: number): Phase[] {
  const jitter = new Stream(seed, 'input jitter');
  const loss = new Stream(seed, 'input loss');
  const lostBelow = hitsBelow(ratio(1, 100));
  const parcels: Parcel[] = [];
  let nowMs = 0;
  const post = (open: () => void): void => {
    if (loss.hit(lostBelow)) return;
    const phase = CHANGES_S.findLastIndex((from) => nowMs >= from * 1000);
    const wayMs =
      ROUND_TRIPS_MS[Math.min(phase, 2)] / 2 + jitter.between(0, 1000 * JITTER_MS) / 1000;
    parcels.push({ atMs: nowMs + wayMs, open });
  };
  const clock = new ServerClock();
  clock.begin(SERVER_AHEAD_MS, 20);
  const schedule = { tick: 7_000, atMs: SERVER_AHEAD_MS + 5, stepMs: STEP_MS };
  const lead = new InputLead(schedule);
  const arrivals = new InputArrivals();
  let ranTick = schedule.tick;
  const arrived = new Map<number, number>();
  const dueMs = (tick: number): number => schedule.atMs + (tick - schedule.tick) * STEP_MS;
  const arrive = (tick: number): void => {
    const serverMs = nowMs + SERVER_AHEAD_MS;
    if (!arrived.has(tick)) arrived.set(tick, serverMs);
    if (!arrivals.add(tick, serverMs, dueMs(tick), tick <= ranTick)) return;
    const { leastTick, leastMarginMs, reportInputs, reportLate } = arrivals;
    arrivals.reported(serverMs);
    post(() => lead.feedback(leastTick, leastMarginMs, reportInputs, reportLate, nowMs));
  };
  const exchange = (): void => {
    const sentMs = nowMs;
    post(() => {
      const serverMs = nowMs + SERVER_AHEAD_MS;
      post(() => clock.sample(nowMs - sentMs, serverMs - (sentMs + nowMs) / 2, nowMs));
    });
  };
  const sentMs = new Map<number, number>();
  let frameMs = 200;
  let pingMs = 0;
  let last = -1;
  while (nowMs < 90_000) {
    const parcel = parcels.reduce<Parcel | null>(
      (next, each) => (next === null || each.atMs < next.atMs ? each : next),
      null,
    );
    const tickMs = dueMs(ranTick + 1) - SERVER_AHEAD_MS;
    nowMs = Math.min(parcel?.atMs ?? frameMs, frameMs, pingMs, tickMs);
    if (parcel !== null && parcel.atMs === nowMs) {
      parcels.splice(parcels.indexOf(parcel), 1);
      parcel.open();
    } else if (nowMs === tickMs) ranTick += 1;
    else if (nowMs === pingMs) {
      exchange();
      pingMs += pingMs < 200 ? 50 : pingMs < 1_950 ? 250 : 1_000;
    } else {
      frameMs += FRAME_MS;
      const tick = lead.tickToSend(clock.nowMs(nowMs), 40, 5);
      if (tick === last) continue;
      last = tick;
      sentMs.set(tick, nowMs);
      post(() => {
        for (const copy of [tick - 2, tick - 1, tick]) if (sentMs.has(copy)) arrive(copy);
      });
    }
  }
  const lateMs = [...sentMs]
    .filter(([tick]) => (arrived.get(tick) ?? Number.POSITIVE_INFINITY) > dueMs(tick))
    .map(([, atMs]) => atMs);
  return CHANGES_S.slice(0, 3).map((fromS, phase) => {
    const from = fromS * 1000;
    const to = CHANGES_S[phase + 1] * 1000 - 500;
    const seen: Phase = { sent: 0, late: 0, marginMs: 0, settledMs: 0 };
    for (const [tick, atMs] of sentMs) {
      if (atMs < from || atMs >= to) continue;
      const marginMs = dueMs(tick) - (arrived.get(tick) ?? Number.POSITIVE_INFINITY);
      if (atMs < from + SETTLE_MS) continue;
      seen.sent += 1;
      if (marginMs < 0) seen.late += 1;
      else seen.marginMs += marginMs;
    }
    seen.marginMs /= Math.max(1, seen.sent - seen.late);
    seen.settledMs = settledAfter(
      lateMs.filter((atMs) => atMs >= from && atMs < to),
      from,
    );
    return seen;
  });
}
