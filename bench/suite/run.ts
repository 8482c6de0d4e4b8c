/** Measures one plan: servers and loads of all its wires, round after round, in turn. */
import { LOOPBACK_HOST, type Place } from './commands.js';
import { connectedPerSecond, type Measured, runResult } from './figures.js';
import { quantilesOf } from './histogram.js';
import { overLink } from './link.js';
import { measureOverload } from './overload.js';
import { payloadBytesOf } from './payload.js';
import { isLight, type RunPlan } from './plan.js';
import { isOwnWire, NO_PAUSES, NO_QUANTILES, type RunResult } from './results.js';
import { type Sample, Session } from './session.js';

export type Progress = (doing: string) => void;

const LOOP_WATCH_SHARE = 0.5;

/** @throws Error with the plan's name when a process fails */
export async function measurePlan(
  plan: RunPlan,
  place: Place,
  progress: Progress,
): Promise<RunResult[]> {
  if (plan.kind === 'start') return measureStart(plan, place, progress);
  if (plan.kind === 'overload') return measureOverload(plan, place, progress);
  if (plan.network !== undefined) {
    return overLink(plan.network, place, (there) => measureStretches(plan, there, progress));
  }
  return measureStretches(plan, place, progress);
}

async function measureStretches(
  plan: RunPlan,
  place: Place,
  progress: Progress,
): Promise<RunResult[]> {
  const sessions = plan.wires.map((wire) => new Session(plan, wire, place));
  try {
    const left = new Left(plan, place);
    for (const session of sessions) {
      progress(`${session.wire}: connecting`);
      await left.attempt(session, () => session.start());
    }
    const alive = sessions.filter((session) => left.has(session));
    const measured = plan.isTogether
      ? await measureTogether(plan, alive, left, progress)
      : await measureInTurn(plan, alive, left, progress);
    await Promise.all(sessions.map((session) => session.stop()));
    return measured.map((entry) => finish(entry, place));
  } finally {
    for (const session of sessions) session.kill();
  }
}

/** Which sessions still run. A foreign wire that fails is left out and said so; the suite's own may not. */
class Left {
  private readonly failed = new Set<Session>();

  constructor(
    private readonly plan: RunPlan,
    private readonly place: Place,
  ) {}

  has(session: Session): boolean {
    return !this.failed.has(session);
  }

  /** Null when the session has failed, now or before. @throws Error of one of the suite's own wires */
  async attempt<T>(session: Session, work: () => Promise<T>): Promise<T | null> {
    if (this.failed.has(session)) return null;
    try {
      return await work();
    } catch (error) {
      if (isOwnWire(session.wire)) throw error;
      this.failed.add(session);
      session.kill();
      const name = `${this.plan.name}: ${session.wire}`;
      this.place.skipped?.push({ name, reason: (error as Error).message });
      return null;
    }
  }
}

/** Every other round goes backwards, so that no wire is always the one after the same other. */
async function measureInTurn(
  plan: RunPlan,
  sessions: readonly Session[],
  left: Left,
  progress: Progress,
): Promise<Measured[]> {
  const samples = new Map<Session, Sample[]>(sessions.map((session) => [session, []]));
  await settleAll(plan, sessions, left, progress);
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const session of round % 2 === 1 ? sessions : [...sessions].reverse()) {
      progress(`round ${round} of ${plan.rounds}: ${session.wire}`);
      const sample = await left.attempt(session, () =>
        session.measure(plan.warmMs, plan.measureMs),
      );
      if (sample !== null) samples.get(session)?.push(sample);
    }
  }
  const measured: Measured[] = [];
  for (const session of sessions.filter((session) => left.has(session))) {
    const watched = plan.kind === 'storm' ? null : await session.watchLoop(watchMs(plan));
    const events = await session.countEvents();
    measured.push(entryOf(plan, session, samples.get(session) ?? [], watched, events));
  }
  return measured;
}

/** Servers with little to do take long to settle, but there is room for all of them at once. */
async function settleAll(
  plan: RunPlan,
  sessions: readonly Session[],
  left: Left,
  progress: Progress,
): Promise<void> {
  if (plan.kind === 'storm') return;
  progress('settling');
  const settle = async (session: Session): Promise<void> => {
    await left.attempt(session, () => session.settle(plan.settleMs));
  };
  if (isLight(plan)) await Promise.all(sessions.map(settle));
  else for (const session of sessions) await settle(session);
}

async function measureTogether(
  plan: RunPlan,
  sessions: readonly Session[],
  left: Left,
  progress: Progress,
): Promise<Measured[]> {
  await settleAll(plan, sessions, left, progress);
  progress(sessions.map(({ wire }) => wire).join(' beside '));
  const { warmMs, measureMs } = plan;
  const all = await Promise.all(
    sessions.map((session) => {
      return left.attempt(session, async () => {
        const sample = await session.measure(warmMs, measureMs);
        return { sample, events: await session.countEvents() };
      });
    }),
  );
  return sessions.flatMap((session, index) => {
    const it = all[index];
    return it === null ? [] : [entryOf(plan, session, [it.sample], null, it.events)];
  });
}

function watchMs({ measureMs }: RunPlan): number {
  return Math.min(500, measureMs * LOOP_WATCH_SHARE);
}

function entryOf(
  plan: RunPlan,
  { wire, atRest, connected }: Session,
  samples: Sample[],
  eventLoopDelayUs: Measured['eventLoopDelayUs'],
  events: Measured['events'],
): Measured {
  return { plan, wire, samples, atRest, connected, eventLoopDelayUs, events };
}

function finish(measured: Measured, place: Place): RunResult {
  const { plan, wire, samples } = measured;
  const shape = place.foreign?.get(wire)?.shape.replace('plain', 'floor') ?? wire;
  const result = runResult(measured, payloadBytesOf(plan, shape));
  const notes: string[] = [];
  if (plan.isTogether) notes.push('all wires at the same time');
  if (place.pins === null) notes.push('no processor of its own');
  if (plan.kind === 'storm') {
    result.connectedPerSecond = connectedPerSecond(samples);
    notes.push('figures per connection; udp with a ticket over HTTP, json-ws without any');
  }
  return notes.length === 0 ? result : { ...result, note: notes.join('; ') };
}

async function measureStart(plan: RunPlan, place: Place, progress: Progress): Promise<RunResult[]> {
  const times = new Map<string, number[]>();
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const wire of plan.wires) {
      progress(`round ${round} of ${plan.rounds}: ${wire}`);
      const session = new Session(plan, wire, place);
      try {
        const startMs = performance.now();
        await session.startServer();
        times.set(wire, [...(times.get(wire) ?? []), performance.now() - startMs]);
        await session.stop();
      } finally {
        session.kill();
      }
    }
  }
  return [...times].map(([wire, values]) => ({
    ...emptyResult(plan.name, wire),
    startMs: quantilesOf(values),
    rounds: values.length,
  }));
}

export function emptyResult(name: string, wire: string): RunResult {
  return {
    name,
    wire,
    flows: 0,
    payloadBytes: 0,
    offeredPerSecond: 0,
    deliveredPerSecond: 0,
    lossRatio: 0,
    serverCpuNsPerMessage: 0,
    jsNsPerMessage: 0,
    allocatedBytesPerMessage: 0,
    rttUs: { ...NO_QUANTILES },
    gcPauseMs: { ...NO_PAUSES },
    wireBytesPerMessage: 0,
    rssBytesPerFlow: 0,
  };
}

export function loopbackPlace(binary: string, pins: Place['pins']): Place {
  return { binary, pins, host: LOOPBACK_HOST, enterServer: [], enterLoad: [] };
}
