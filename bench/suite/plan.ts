/**
 * What the benchmark runs, as pure data. A plan is measured on each of its wires in turn, round after
 * round; `run.ts` does it, `ratios.ts` compares the outcome.
 */

/** `echo`: what is sent comes back. `game`: matches of four, Inputs up, a Snapshot per tick down. */
export type Workload = 'echo' | 'game';

export interface Network {
  lossRatio: number;
  /** One way. */
  delayMs: number;
}

export interface RunPlan {
  name: string;
  /**
   * `stretch`: rounds of the workload. `storm`: connections come and go. `start`: how long until it
   * listens. `overload`: flows at half of what the server can do, alone, beside others that make it twice
   * that, and alone again.
   */
  kind: 'stretch' | 'storm' | 'start' | 'overload';
  /** Of the suite (results.ts), or names of peers. */
  wires: readonly string[];
  workload: Workload;
  flows: number;
  /** Messages per second and flow, at fixed times (an open loop). 0: a closed loop. */
  hz: number;
  /** Messages in flight per flow in a closed loop. */
  window: number;
  /** Ticks per second of the game, or of a server with the `tick` driver. */
  tickHz: number;
  rounds: number;
  /** Before the first round, at most: see Session.settle. */
  settleMs: number;
  /** Before each round. */
  warmMs: number;
  measureMs: number;
  /** A rate per flow above what admission lets a player send. */
  isFast?: boolean;
  network?: Network;
  /** All wires at the same time over one link, instead of one after the other. */
  isTogether?: boolean;
  /** Clients that stop reading once connected. */
  stalled?: number;
  /** Players do not ask for the server's time each second, which is as much as the messages here. */
  hasNoClock?: boolean;
  /** Text of each Bulk message, sent to every client again as soon as the last one is through. */
  bulkBytes?: number;
  /** Each collection is told, with its time. */
  hasTimeline?: boolean;
  /** A client process in JavaScript plays beside the load (clients/play.ts). */
  hasClient?: boolean;
  /** Handshakes begun per second. */
  connectRate?: number;
}

export interface PlanSize {
  /** Of the runs that are gated; the others have at most three. */
  rounds: number;
  settleMs: number;
  warmMs: number;
  measureMs: number;
  soakMs: number;
  lossMs: number;
  isQuick: boolean;
  /** Names of runs that there is no time for. */
  leavesOut: readonly string[];
}

export const FULL: Readonly<PlanSize> = {
  rounds: 5,
  settleMs: 3_500,
  warmMs: 200,
  measureMs: 1_000,
  soakMs: 60_000,
  lossMs: 3_500,
  isQuick: false,
  leavesOut: [],
};

export const QUICK: Readonly<PlanSize> = {
  rounds: 7,
  settleMs: 2_500,
  warmMs: 100,
  measureMs: 300,
  soakMs: 2_000,
  lossMs: 1_800,
  isQuick: true,
  leavesOut: ['loss/2pct-50ms', 'stalled/none', 'stalled/one'],
};

/** Small enough for a test: what runs, not how fast. */
export const SMOKE: Readonly<PlanSize> = {
  rounds: 1,
  settleMs: 50,
  warmMs: 20,
  measureMs: 200,
  soakMs: 200,
  lossMs: 500,
  isQuick: true,
  leavesOut: [],
};

/** Body of 100 B: docs in bench/suite/schemas/bench.fbs. */
export const ECHO_VALUES = 16;
const LIGHT_MESSAGES_PER_SECOND = 5_000;
/** About how long V8 compiles what is busy. */
const SETTLING_MS = 1_500;
/** What comes less often V8 does not compile; then servers have settled at once. */
const COMPILED_PER_SECOND = 200;
const LEAST_SETTLING_MS = 500;
const BULK_TEXT_BYTES = 256 * 1024 - 200;
/**
 * Of 250 to a /24: each network has its turn every six seconds, and admission at its defaults gives a
 * network 50 handshakes a second and 300 at once.
 */
const STORM_FLOWS = 6_000;
/** Admission lets 2,000 handshakes a second through at its defaults. */
const CONNECT_RATE = 1_900;
/** Of a client process, until all its seats are taken. */
const CLIENT_MS = 500;
const ALL: readonly string[] = ['floor', 'udp', 'json-ws', 'json-http', 'json-dgram'];
const MAIN: readonly string[] = ['floor', 'udp', 'json-ws'];
const BOTH: readonly string[] = ['udp', 'json-ws'];

export function createPlan(size: PlanSize): RunPlan[] {
  const plans = [
    ...echoPlans(size),
    ...gamePlans(size),
    ...lossPlans(size),
    ...soakPlans(size),
    ...scalePlans(size),
    ...edgePlans(size),
  ];
  return plans.filter(({ name }) => !size.leavesOut.includes(name));
}

/** Names may be given whole, or by what they begin with. */
export function choose(plans: readonly RunPlan[], only: readonly string[]): RunPlan[] {
  if (only.length === 0) return [...plans];
  return plans.filter(({ name }) => only.some((word) => name === word || name.startsWith(word)));
}

/** About how long a plan takes, for the progress bar; connecting included. */
export function expectedMs(plan: RunPlan): number {
  const { kind, flows, rounds, warmMs, measureMs, wires } = plan;
  const sides = plan.isTogether ? 1 : wires.length;
  if (kind === 'start') return rounds * sides * 300;
  // A storm connects while it is measured.
  const atOnce = kind === 'storm' ? 0 : flows;
  const connecting = (atOnce / (plan.connectRate ?? CONNECT_RATE)) * 1000 + 450;
  const stretches = kind === 'overload' ? 3 : 1;
  const client = plan.hasClient ? CLIENT_MS : 0;
  const measuring = rounds * stretches * (warmMs + measureMs + 50);
  return settlingMs(plan, sides) + sides * (connecting + client + measuring);
}

function settlingMs(plan: RunPlan, sides: number): number {
  if (plan.kind !== 'stretch') return 0;
  if (plan.hz > 0 && plan.flows * plan.hz < COMPILED_PER_SECOND) return LEAST_SETTLING_MS;
  return isLight(plan) ? plan.settleMs : sides * Math.min(plan.settleMs, SETTLING_MS);
}

/** Whether all servers and loads of the plan manage side by side, on two processors. */
export function isLight({ hz, flows }: Pick<RunPlan, 'hz' | 'flows'>): boolean {
  return hz > 0 && flows * hz <= LIGHT_MESSAGES_PER_SECOND;
}

export function stretch(
  size: PlanSize,
  plan: Partial<RunPlan> & Pick<RunPlan, 'name' | 'flows'>,
): RunPlan {
  const { settleMs, warmMs, measureMs } = size;
  const common = { kind: 'stretch', wires: BOTH, workload: 'echo', hz: 0, window: 1 } as const;
  const rounds = Math.min(3, size.rounds);
  return {
    ...common,
    settleMs,
    tickHz: 0,
    rounds,
    warmMs,
    measureMs,
    connectRate: CONNECT_RATE,
    ...plan,
  };
}

function echoPlans(size: PlanSize): RunPlan[] {
  const { rounds, isQuick } = size;
  const plans = [
    stretch(size, {
      name: 'echo/saturated',
      flows: 100,
      wires: isQuick ? MAIN : ALL,
      rounds,
      isFast: true,
    }),
  ];
  for (const flows of [1, 100, 1_000]) {
    for (const hz of [20, 60]) {
      const isGated = flows === 1_000 && hz === 60;
      if (isQuick && !isGated) continue;
      plans.push(
        stretch(size, {
          name: `echo/paced-${flows}x${hz}`,
          flows,
          hz,
          wires: isGated && !isQuick ? ALL : MAIN,
          rounds: isGated ? rounds : 1,
        }),
      );
    }
  }
  // The floor has one message in a packet, so an eighth of its packet is what compares.
  const eight = { name: 'coalesced/8', flows: 100, window: 8, isFast: true };
  plans.push(stretch(size, { ...eight, rounds, wires: MAIN }));
  return plans;
}

function gamePlans(size: PlanSize): RunPlan[] {
  const plans: RunPlan[] = [];
  for (const flows of [500, 2_000]) {
    for (const tickHz of [20, 60]) {
      if (size.isQuick && (flows !== 500 || tickHz !== 60)) continue;
      plans.push(
        stretch(size, {
          name: `game/${flows}x${tickHz}`,
          workload: 'game',
          hasClient: true,
          flows,
          // Inputs: on change, else every 50 ms; 22–30 a second while fighting (workload.md).
          hz: 25,
          tickHz,
          rounds: Math.min(flows === 500 && tickHz === 60 ? 3 : 2, size.rounds),
          measureMs: 1.5 * size.measureMs,
        }),
      );
    }
  }
  return plans;
}

function lossPlans(size: PlanSize): RunPlan[] {
  const delayMs = 25;
  const plans: RunPlan[] = [];
  for (const percent of size.isQuick ? [2] : [0, 1, 2, 5]) {
    const link = {
      network: { lossRatio: percent / 100, delayMs },
      isTogether: true,
      rounds: 1,
      warmMs: size.isQuick ? 500 : 1_000,
      measureMs: size.lossMs,
    };
    const name = `loss/${percent}pct-50ms`;
    plans.push(stretch(size, { name, flows: 100, hz: 20, ...link }));
    const game = { workload: 'game', flows: 40, hz: 25, tickHz: 60 } as const;
    plans.push(stretch(size, { name: `${name}-snapshots`, ...game, ...link }));
  }
  return plans;
}

function soakPlans(size: PlanSize): RunPlan[] {
  const soak = { rounds: 1, warmMs: 2 * size.warmMs, measureMs: size.soakMs };
  const watched = { hasTimeline: true, hasClient: true };
  return [stretch(size, { name: 'gc-soak', flows: 1_000, hz: 50, ...soak, ...watched })];
}

function scalePlans(size: PlanSize): RunPlan[] {
  if (size.isQuick) return [];
  const wires = ['udp'] as const;
  const long = { wires, rounds: 1, warmMs: 3_000, measureMs: 5_000, hasNoClock: true };
  return [
    // The same messages per second on few flows: what many of them cost is the ratio of the two.
    stretch(size, { name: 'flows/1000', flows: 1_000, hz: 100, ...long }),
    stretch(size, { name: 'flows/100000', flows: 100_000, hz: 1, ...long }),
  ];
}

function edgePlans(size: PlanSize): RunPlan[] {
  const { isQuick } = size;
  const game = { workload: 'game', flows: 40, hz: 25, tickHz: 60, rounds: 1 } as const;
  const smoke = size.measureMs < QUICK.measureMs;
  const long = smoke ? {} : { measureMs: isQuick ? 600 : 2_500 };
  return [
    stretch(size, { name: 'stalled/none', ...game, ...long }),
    stretch(size, { name: 'stalled/one', ...game, ...long, stalled: 1 }),
    stretch(size, { name: 'bulk/256KiB', ...game, ...long, bulkBytes: BULK_TEXT_BYTES }),
    // Every connection: a ticket where the server has such, handshake, a message, its echo, goodbye.
    stretch(size, {
      name: 'storm/1000',
      kind: 'storm',
      flows: STORM_FLOWS,
      connectRate: 1_000,
      rounds: 1,
      ...long,
    }),
    stretch(size, {
      name: 'overload/2x',
      kind: 'overload',
      flows: 100,
      rounds: 1,
      isFast: true,
      ...long,
    }),
    stretch(size, {
      name: 'start',
      kind: 'start',
      flows: 0,
      wires: isQuick ? MAIN : ALL,
      rounds: smoke ? 1 : isQuick ? 3 : 5,
    }),
  ];
}
