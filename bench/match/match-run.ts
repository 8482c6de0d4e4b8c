/**
 * One run: for each wire a server process and a players process, both wires at the same time, so
 * that whatever else the machine does disturbs both alike.
 *
 *   main ── serve ──▶ server ── ready ──▶ main ── join ──▶ players ── joined ──▶ main
 *   main ── play, measure, stop ──▶ all ── second, measured ──▶ main
 *   main ── rest ──▶ players;  finish ──▶ server (drains), then players;  close ──▶ all
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '../../src/server/index.js';
import { Child, type Entry } from './child.js';
import { Forwarder } from './forwarder.js';
import type { MatchOptions } from './options.js';
import { createReport, type Report, WIRES, type WireReport, wireReport } from './report.js';
import type { LiveRow, LiveTable } from './table.js';

const LOOPBACK = '127.0.0.1';
const WARMUP_S_MAX = 2;

interface WireRun {
  readonly wire: Wire;
  readonly server: Child;
  readonly players: Child;
  readonly live: LiveRow;
}

/** What a wire's two processes each say once a second. */
const ANSWERS_PER_SECOND = WIRES.length * 2;

export class MatchRun {
  private readonly wires: WireRun[] = [];
  private forwarder: Forwarder | null = null;
  private reject: (error: Error) => void = () => {};
  private readonly failure = new Promise<never>((_resolve, reject) => {
    this.reject = reject;
  });
  private readonly stopping = new AbortController();
  private answers = 0;

  constructor(
    private readonly options: MatchOptions,
    private readonly table: LiveTable | null,
  ) {
    // A failure nobody waits for at the moment is still thrown by the next wait.
    this.failure.catch(() => {});
  }

  /** @throws UsageError without the privilege for a forwarder, ChildFailure, what `abort` was given */
  async run(): Promise<Report> {
    try {
      await this.start();
      const measured = await this.play();
      const results = await this.collect(measured);
      await this.endChildren();
      const counters = (await this.forwarder?.end()) ?? null;
      return createReport(this.options, this.warmupS, results, counters);
    } finally {
      await this.endChildren();
      await this.forwarder?.end();
    }
  }

  /** Ends the run early: `run` cleans up and throws this error. */
  abort(error: Error): void {
    this.stopping.abort();
    this.reject(error);
  }

  /** Compilers and caches are cold at first: not part of any figure. */
  private get warmupS(): number {
    return Math.min(WARMUP_S_MAX, this.options.durationS / 4);
  }

  private get isImpaired(): boolean {
    return this.options.lossRatio > 0 || this.options.delayMs > 0;
  }

  private async start(): Promise<void> {
    const { options } = this;
    if (this.isImpaired) {
      this.forwarder = await Forwarder.start(options, (why) => this.abort(new Error(why)));
    }
    for (const wire of WIRES) this.wires.push(this.startWire(wire));
    await this.each(async ({ wire, server, players }) => {
      const { address } = await server.ask(
        {
          kind: 'serve',
          config: {
            wire,
            host: this.forwarder?.server.address ?? LOOPBACK,
            isLoopback: this.forwarder === null,
            rateHz: options.rateHz,
            seed: options.seed,
            playersMax: options.players,
          },
        },
        'ready',
      );
      const config = { wire, address, players: options.players, seed: options.seed };
      await players.ask({ kind: 'join', config }, 'joined');
    });
  }

  private startWire(wire: Wire): WireRun {
    const live: LiveRow = { server: null, players: null };
    const child = (role: 'server' | 'players', entry: Entry | null): Child =>
      new Child(
        `${wire} ${role}`,
        `${role}-process`,
        entry,
        (answer) => {
          if ('server' in answer) live.server = answer.server;
          else live.players = answer.players;
          this.onSecond();
        },
        (error) => this.abort(error),
      );
    return {
      wire,
      server: child('server', this.forwarder?.server.entry ?? null),
      players: child('players', this.forwarder?.players.entry ?? null),
      live,
    };
  }

  private async play() {
    this.tellAll('play');
    await this.pause(this.warmupS);
    this.tellAll('measure');
    await this.pause(this.options.durationS - this.warmupS);
    return await this.each(async ({ server, players }) =>
      Promise.all([
        server.ask({ kind: 'stop' }, 'measured'),
        players.ask({ kind: 'stop' }, 'measured'),
      ]),
    );
  }

  private tellAll(kind: 'play' | 'measure'): void {
    for (const { server, players } of this.wires) {
      server.tell({ kind });
      players.tell({ kind });
    }
  }

  private async collect(
    measured: Awaited<ReturnType<MatchRun['play']>>,
  ): Promise<Record<Wire, WireReport>> {
    const reports: Partial<Record<Wire, WireReport>> = {};
    await this.each(async ({ wire, server, players }, index) => {
      players.tell({ kind: 'rest' });
      const sent = await server.ask({ kind: 'finish' }, 'finished');
      const received = await players.ask({ kind: 'finish' }, 'finished');
      const [serverAnswer, playersAnswer] = measured[index];
      if (!('server' in sent) || !('digests' in received)) throw new Error('mixed up answers');
      if (!('server' in serverAnswer) || !('players' in playersAnswer)) {
        throw new Error('mixed up answers');
      }
      const result = {
        server: serverAnswer.server,
        players: playersAnswer.players,
        sent: sent.server,
        received: received.digests,
      };
      reports[wire] = wireReport(wire, result, this.isImpaired);
    });
    return reports as Record<Wire, WireReport>;
  }

  /** Draws when every process has told of the same second. */
  private onSecond(): void {
    this.answers += 1;
    if (this.answers % ANSWERS_PER_SECOND !== 0) return;
    const [udp, ws] = this.wires;
    this.table?.draw(this.answers / ANSWERS_PER_SECOND, { udp: udp.live, 'json-ws': ws.live });
  }

  /** Players leave first, so that they are not surprised by a server that is gone. */
  private async endChildren(): Promise<void> {
    await Promise.all(this.wires.map(({ players }) => players.end()));
    await Promise.all(this.wires.map(({ server }) => server.end()));
  }

  private each<T>(work: (run: WireRun, index: number) => Promise<T>): Promise<T[]> {
    return Promise.race([Promise.all(this.wires.map(work)), this.failure]);
  }

  private pause(seconds: number): Promise<void> {
    const { signal } = this.stopping;
    const rest = sleep(seconds * 1000, undefined, { signal }).catch(() => {});
    return Promise.race([rest.then(() => undefined), this.failure]);
  }
}
