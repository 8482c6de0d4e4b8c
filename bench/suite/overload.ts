/**
 * Overload: the server is asked for twice what it does in a closed loop. Round trips are those of flows that ask for
 * half of it all the while.
 *
 *   capacity   closed loop, one message in flight per flow
 *   before     calm flows at half of that
 *   2x         the same, beside others that ask for one and a half times the capacity
 *   after      the same as before; windows of 100 ms until round trips are as they were
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCommand, type Place, serverCommand } from './commands.js';
import { runResult } from './figures.js';
import { quantilesUs } from './histogram.js';
import { LineProcess } from './line-process.js';
import { payloadBytesOf } from './payload.js';
import type { RunPlan } from './plan.js';
import type { RunResult } from './results.js';
import { CONNECTED_MIN } from './session.js';
import type { Connected, LoadMark, Ready, ServerMark } from './words.js';

const WINDOW_MS = 100;
/** So many times the flows, each with one message in flight, show what a server can do. */
const CAPACITY_FLOWS = 8;
/** Not over by then is told as this. */
const RECOVERY_MS_MAX = 5_000;
/** As before: half of the round trips take at most so many times the 99th percentile from before. */
const RECOVERED_FACTOR = 2;
/** Of what was asked for: a server that answers so much is not overloaded. */
const ANSWERED_SHARE_MIN = 0.95;
/** The flooding flows' numbers, and so their addresses, begin here. */
const FLOOD_FIRST_FLOW = 10_000;

export async function measureOverload(
  plan: RunPlan,
  place: Place,
  progress: (doing: string) => void,
): Promise<RunResult[]> {
  const results: RunResult[] = [];
  for (const wire of plan.wires) {
    const run = new Overload(plan, wire, place);
    try {
      progress(wire);
      results.push(...(await run.measure()));
    } finally {
      run.kill();
    }
  }
  return results;
}

class Overload {
  private readonly processes: LineProcess[] = [];
  private server: LineProcess | null = null;
  private ready: Ready | null = null;

  constructor(
    private readonly plan: RunPlan,
    private readonly wire: string,
    private readonly place: Place,
  ) {}

  async measure(): Promise<RunResult[]> {
    const { plan, wire, place } = this;
    const twice = { ...plan, flows: (2 + CAPACITY_FLOWS) * plan.flows };
    this.server = this.start('server', serverCommand(twice, wire, place));
    this.ready = await this.server.read<Ready>();
    const perSecond = await this.capacity();
    const calm = await this.startLoad(perSecond / 2, plan.flows);
    calm.say('run');
    await sleep(plan.warmMs);
    const before = (await this.stretch(calm, 'overload/before')).result;
    const flood = await this.startLoad(1.5 * perSecond, 2 * plan.flows);
    flood.say('run');
    const { result: during, answeredPerSecond } = await this.stretch(calm, plan.name);
    flood.kill();
    during.recoveryMs = await this.recovery(calm, before.rttUs.p99);
    during.note = overloadNote(perSecond, answeredPerSecond);
    return [before, during];
  }

  kill(): void {
    for (const child of this.processes) child.kill();
  }

  private start(name: string, command: string[]): LineProcess {
    const child = new LineProcess(`${this.wire} ${name}`, command);
    this.processes.push(child);
    return child;
  }

  /** Flows from `firstFlow`, so many that they make this rate; 0: a closed loop. */
  private async startLoad(perSecond: number, firstFlow: number): Promise<LineProcess> {
    const { plan, wire, place } = this;
    const flows = perSecond === 0 ? CAPACITY_FLOWS * plan.flows : plan.flows;
    const own = { ...plan, flows, hz: perSecond / flows, window: 1 };
    const command = loadCommand(own, wire, this.ready as Ready, place);
    // Two loads share a processor: neither may keep it for itself.
    const load = this.start('load', [...command, '--sleep', '--first-flow', `${firstFlow}`]);
    await load.read();
    const { connected } = await load.ask<Connected>('connect');
    if (connected < flows * CONNECTED_MIN) {
      throw new Error(`${plan.name} on ${this.wire}: ${connected} of ${flows} connected`);
    }
    return load;
  }

  /** Messages per second in a closed loop. */
  private async capacity(): Promise<number> {
    const { plan } = this;
    const load = await this.startLoad(0, FLOOD_FIRST_FLOW);
    load.say('run');
    await sleep(plan.warmMs);
    const before = await this.askServer();
    await sleep(plan.measureMs);
    const after = await this.askServer();
    await load.ask('pause');
    load.kill();
    return answeredBetween(before, after);
  }

  private async stretch(
    calm: LineProcess,
    name: string,
  ): Promise<{ result: RunResult; answeredPerSecond: number }> {
    const { plan, wire } = this;
    const begun = await calm.ask<LoadMark>('mark');
    const startMs = performance.now();
    const before = await this.askServer();
    await sleep(plan.measureMs);
    const after = await this.askServer();
    const seconds = (performance.now() - startMs) / 1000;
    const sent = await calm.ask<LoadMark>('pause'); // which waits for what is on its way
    calm.say('run');
    const samples = [{ before, after, begun, sent, seconds, kernelDrops: 0 }];
    const measured = { plan, wire, samples, atRest: null, connected: null };
    const result = runResult(
      { ...measured, eventLoopDelayUs: null, events: null },
      payloadBytesOf(plan, wire),
    );
    return { result: { ...result, name }, answeredPerSecond: answeredBetween(before, after) };
  }

  private async recovery(calm: LineProcess, p99Us: number): Promise<number> {
    const startMs = performance.now();
    await calm.ask('mark');
    for (;;) {
      await sleep(WINDOW_MS);
      const { rttNs, delivered } = await calm.ask<LoadMark>('mark');
      const passedMs = Math.round(performance.now() - startMs);
      const isOver = delivered > 0 && quantilesUs([rttNs]).p50 <= RECOVERED_FACTOR * p99Us;
      if (isOver || passedMs >= RECOVERY_MS_MAX) return passedMs;
    }
  }

  private askServer(): Promise<ServerMark> {
    return (this.server as LineProcess).ask<ServerMark>('mark');
  }
}

/** Messages per second. */
function answeredBetween(before: ServerMark, after: ServerMark): number {
  return ((after.echoed - before.echoed) * 1e9) / (after.wallNs - before.wallNs);
}

/**
 * A closed loop is not all that a server can do which does more at once: where it answers what it is
 * asked, nothing was overloaded, and the round trips say nothing about overload.
 */
export function overloadNote(capacityPerSecond: number, answeredPerSecond: number): string {
  const [capacity, answered] = [capacityPerSecond, answeredPerSecond].map(Math.round);
  const share = answeredPerSecond / (2 * capacityPerSecond);
  const verdict = share >= ANSWERED_SHARE_MIN ? ', no overload' : '';
  return `closed loop: ${capacity} messages/s; asked for twice that: answered ${answered}${verdict}`;
}
