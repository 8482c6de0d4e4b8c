/** A server and its load on one wire: started once, then measured round after round, at rest between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Commands, foreignOf, type Place, suiteCommands } from './commands.js';
import { LineProcess } from './line-process.js';
import { kernelDrops } from './machine.js';
import type { RunPlan } from './plan.js';
import { type EventCounts, isOwnWire, type Quantiles } from './results.js';
import type { Connected, LoadMark, Ready, ServerMark } from './words.js';

/** Share of the flows without which a run means nothing. */
export const CONNECTED_MIN = 0.99;

const CONNECTIONLESS: ReadonlySet<string> = new Set(['floor', 'json-dgram']);
/** Of a wire that is not the suite's own: nobody waits long for what may never come. */
const FOREIGN_ANSWER_MS = 30_000;

const SETTLE_LOOK_MS = 250;
/** Of a processor, for what is neither the server's own thread nor told of before. */
const COMPILING_SHARE = 0.03;
/** Looks in a row that must say the same. */
const SETTLED_LOOKS = 2;

const EVENTS_LOOK_MS = 50;
/** A resend takes less, on any link of the suite. */
const EVENTS_MS = 3_000;

/** One stretch: what happened between two marks of the server, and of the load. */
export interface Sample {
  before: ServerMark;
  after: ServerMark;
  begun: LoadMark;
  sent: LoadMark;
  /** Between the load's marks, its wait for what was still on the way not counted. */
  seconds: number;
  kernelDrops: number;
  /** Of the client beside the load, where there is one. */
  clientPauses?: Pause[];
}

type Pause = NonNullable<ServerMark['pauses']>[number];

export class Session {
  private server: LineProcess | null = null;
  private load: LineProcess | null = null;
  private client: LineProcess | null = null;
  private port = 0;
  /** From before the first flow came. */
  atRest: ServerMark | null = null;
  connected: Connected | null = null;

  constructor(
    private readonly plan: RunPlan,
    readonly wire: string,
    private readonly place: Place,
    private readonly commands: Commands = suiteCommands(plan, wire, place),
  ) {}

  get flows(): number {
    return this.plan.flows;
  }

  /** @throws Error when a process ends, or too few flows connect */
  async start(): Promise<void> {
    const ready = await this.startServer();
    this.atRest = await this.askServer('mark');
    await this.startLoad(ready);
    if (this.plan.kind === 'storm') return; // its flows come and go while it runs
    if (!this.connects()) return;
    this.server?.say('run');
    const connected = await this.askLoad<Connected>('connect');
    this.connected = connected;
    if (connected.connected < this.plan.flows * CONNECTED_MIN) {
      throw new Error(
        `${this.plan.name} on ${this.wire}: ${connected.connected} of ${this.plan.flows} connected`,
      );
    }
    await this.startClient(ready);
    await this.askServer('pause');
  }

  /** Milliseconds from the start of its process until the server listens. */
  async startServer(): Promise<Ready> {
    const command = this.commands.server();
    this.server = new LineProcess(`${this.wire} server`, command, ...this.patience());
    const ready = await this.server.read<Ready>();
    this.port = Number(ready.ready.slice(ready.ready.lastIndexOf(':') + 1));
    return ready;
  }

  /**
   * Until V8's compiler threads rest, or `maxMs` have passed: a server runs for hours, so compiling it
   * belongs to no message. At 2,400 messages a second it takes seconds.
   */
  async settle(maxMs: number): Promise<void> {
    if (this.wire === 'floor') return;
    const untilMs = performance.now() + maxMs;
    this.server?.say('run');
    this.load?.say('run');
    let last = await this.askServer<ServerMark>('mark');
    let calm = 0;
    while (calm < SETTLED_LOOKS && performance.now() < untilMs) {
      await sleep(SETTLE_LOOK_MS);
      const now = await this.askServer<ServerMark>('mark');
      calm = otherThreadsShare(last, now) < COMPILING_SHARE ? calm + 1 : 0;
      last = now;
    }
    await this.askLoad('pause');
    await this.askServer('pause');
  }

  async measure(warmMs: number, measureMs: number): Promise<Sample> {
    this.server?.say('run');
    this.load?.say('run');
    this.client?.say('run');
    await sleep(warmMs);
    await this.client?.ask('mark'); // what it collected before is not of this stretch
    const begun = await this.askLoad<LoadMark>('mark');
    const startMs = performance.now();
    const before = await this.askServer<ServerMark>('mark');
    const dropsBefore = this.kernelDrops();
    await sleep(measureMs);
    const after = await this.askServer<ServerMark>('mark');
    const seconds = (performance.now() - startMs) / 1000;
    const client = await this.client?.ask<ServerMark>('pause');
    const sent = await this.askLoad<LoadMark>('pause');
    await this.askServer('pause');
    const dropped = this.kernelDrops() - dropsBefore;
    const sample = { before, after, begun, sent, seconds, kernelDrops: dropped };
    return client === undefined ? sample : { ...sample, clientPauses: client.pauses ?? [] };
  }

  /**
   * Of a game that is paused: events that the server sent since it began, and that its players heard. Waits
   * for those on their way; null where no game is played, or somebody does not listen.
   */
  async countEvents(): Promise<EventCounts | null> {
    if (this.plan.workload !== 'game' || this.plan.stalled !== undefined) return null;
    const untilMs = performance.now() + EVENTS_MS;
    for (;;) {
      const { events: sent = 0 } = await this.askServer('mark');
      const { gameEventsEver = 0 } = await this.askLoad('mark');
      const client = await this.client?.ask<ServerMark>('mark');
      const received = gameEventsEver + (client?.events ?? 0);
      if (sent === received || performance.now() >= untilMs) return { sent, received };
      await sleep(EVENTS_LOOK_MS);
    }
  }

  /** A stretch whose only figure is the event loop's delay: recording it costs wakes. */
  async watchLoop(ms: number): Promise<Quantiles | null> {
    if (this.wire === 'floor' || !isOwnWire(this.wire)) return null;
    this.server?.say('run');
    this.load?.say('run');
    this.server?.say('watch');
    await sleep(ms);
    const { loopDelayUs } = await this.askServer<ServerMark>('mark');
    this.server?.say('unwatch');
    await this.askLoad('pause');
    await this.askServer('pause');
    return loopDelayUs ?? null;
  }

  async stop(): Promise<void> {
    await this.client?.stop();
    await this.load?.stop();
    await this.server?.stop();
  }

  kill(): void {
    this.client?.kill();
    this.load?.kill();
    this.server?.kill();
  }

  private async startLoad(ready: Ready): Promise<void> {
    const command = this.commands.load(ready);
    this.load = new LineProcess(`${this.wire} load`, command, ...this.patience());
    await this.load.read();
  }

  /** Its players come after the load's, which fill their matches. */
  private async startClient(ready: Ready): Promise<void> {
    const command = this.commands.client?.(ready) ?? null;
    if (command === null) return;
    this.client = new LineProcess(`${this.wire} client`, command);
    await this.client.read();
  }

  private kernelDrops(): number {
    return this.isUdp() ? kernelDrops(this.server?.pid ?? 0, this.port) : 0;
  }

  private isUdp(): boolean {
    if (!isOwnWire(this.wire)) return foreignOf(this.wire, this.place).isUdp;
    return this.wire !== 'json-ws' && this.wire !== 'json-http';
  }

  private connects(): boolean {
    if (!isOwnWire(this.wire)) return foreignOf(this.wire, this.place).connects;
    return !CONNECTIONLESS.has(this.wire);
  }

  private patience(): number[] {
    return isOwnWire(this.wire) ? [] : [FOREIGN_ANSWER_MS];
  }

  private askServer<T = ServerMark>(word: 'mark' | 'pause'): Promise<T> {
    return (this.server as LineProcess).ask<T>(word);
  }

  private askLoad<T = LoadMark>(word: 'mark' | 'pause' | 'connect'): Promise<T> {
    return (this.load as LineProcess).ask<T>(word);
  }
}

/** Of a processor: what the process took beside its JavaScript thread. */
function otherThreadsShare(before: ServerMark, after: ServerMark): number {
  const otherNs = ({ cpuNs, threadCpuNs = cpuNs }: ServerMark): number => cpuNs - threadCpuNs;
  return (otherNs(after) - otherNs(before)) / (after.wallNs - before.wallNs);
}
