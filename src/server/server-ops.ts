/** What a server tells its operators: log lines, and what it counts for the metrics. */
import {
  BearerGate,
  DurationHistogram,
  errorText,
  type Logger,
  type MetricsPage,
  ProcessWatch,
  renderMetrics,
  type ServerFigures,
  TickMeter,
  type WireFigures,
} from '../ops/index.js';
import type { LinkStats } from '../session/connection-stats.js';
import type { CloseInfo, Wire } from '../session/types.js';
import type { AdmissionStatus } from '../util/admission.js';
import type { MetricsSettings } from './options.js';
import type { PlayerEntry } from './player-entry.js';
import type { ResumeCounts } from './resume-counts.js';
import type { ServerStats } from './types.js';

/** What goes on happening is told this often, not each time. */
const TELL_EVERY_MS = 10_000;

/** Counts what happened until there is to be a line about it. */
class Teller {
  #untold = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** How many to tell of now; 0: not now. */
  add(count: number): number {
    this.#untold += count;
    const nowMs = this.#nowMs();
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return 0;
    const untold = this.#untold;
    this.#untold = 0;
    this.#toldAtMs = nowMs;
    return untold;
  }
}

/** `server.revoke`, `revalidate` said so, or it did not answer for too long. */
export type RevocationCause = 'call' | 'hook' | 'unverifiable';

/** What only runs while metrics are asked for. */
interface Watch {
  process: ProcessWatch;
  tickMeter: TickMeter;
  messageAges: DurationHistogram;
}

/** What a scrape reads of the server. */
export interface ServerState {
  uptimeS: number;
  playersMax: number;
  isBusy: boolean;
  isDraining: boolean;
  rooms: number;
  roomTicks: { readonly ran: number; readonly skipped: number };
  stats: ServerStats;
  resumes: ResumeCounts;
  connections: readonly LinkStats[];
  admission: AdmissionStatus | null;
  features: Readonly<Record<string, boolean | number | string>>;
}

export class ServerOps {
  readonly logger: Logger;
  /** Null: nobody asked for metrics. */
  readonly gate: BearerGate | null;
  readonly #watch: Watch | null;
  readonly #joins: Record<Wire, number> = { udp: 0, 'json-ws': 0 };
  readonly #leaves: Record<Wire, number> = { udp: 0, 'json-ws': 0 };
  /** By route, then by status; both are few. */
  readonly #requests = new Map<string, Map<number, number>>();
  #handlerErrors = 0;
  readonly #revalidations = { valid: 0, revoked: 0, unanswered: 0 };
  readonly #revocations: Record<RevocationCause, number> = { call: 0, hook: 0, unverifiable: 0 };
  #ticks = 0;
  #ticksSkipped = 0;
  readonly #skipTeller: Teller;
  readonly #unansweredTeller: Teller;
  readonly #unverifiableTeller: Teller;
  readonly #nowMs: () => number;

  /** @param nowMs monotonic */
  constructor(
    logger: Logger,
    metrics: MetricsSettings | null,
    tickHz: number,
    nowMs = () => performance.now(),
  ) {
    this.logger = logger;
    this.#nowMs = nowMs;
    this.#skipTeller = new Teller(nowMs);
    this.#unansweredTeller = new Teller(nowMs);
    this.#unverifiableTeller = new Teller(nowMs);
    this.gate = metrics === null ? null : new BearerGate(metrics.bearer);
    this.#watch =
      metrics === null
        ? null
        : {
            process: new ProcessWatch(),
            tickMeter: new TickMeter(tickHz > 0 ? 1e6 / tickHz : 0),
            messageAges: new DurationHistogram(),
          };
  }

  /** Where the ages of messages are counted; null when nobody asked. */
  get messageAges(): DurationHistogram | null {
    return this.#watch?.messageAges ?? null;
  }

  handleJoin({ id, wire, address }: PlayerEntry): void {
    this.#joins[wire]++;
    this.logger.debug?.({ player: id, wire, address }, 'player joined');
  }

  handleLeave({ id, wire }: PlayerEntry, { code, reason, wasClean }: CloseInfo): void {
    this.#leaves[wire]++;
    this.logger.debug?.({ player: id, wire, code, reason, wasClean }, 'player left');
  }

  handleError(error: unknown, where: string, isTold: boolean): void {
    this.#handlerErrors++;
    if (isTold) return;
    this.logger.error({ where, error: errorText(error) }, 'handler failed');
  }

  handleRevoked(player: string, cause: RevocationCause, reason: string): void {
    this.#revocations[cause]++;
    this.logger.debug?.({ player, cause, reason }, 'player revoked');
  }

  /** The `revalidate` hook answered. */
  handleRevalidated(isValid: boolean): void {
    this.#revalidations[isValid ? 'valid' : 'revoked']++;
  }

  /** It did not; `error` says why, without secrets. */
  handleUnanswered(error: string): void {
    this.#revalidations.unanswered++;
    const count = this.#unansweredTeller.add(1);
    if (count > 0) this.logger.warn({ count, error }, 'revalidate gave no answer');
  }

  /** The `verifySession` hook did not find out; `error` says why, without the token. */
  handleUnverifiable(error: string): void {
    const count = this.#unverifiableTeller.add(1);
    if (count > 0) this.logger.warn({ count, error }, 'verifySession gave no answer');
  }

  handleRequest(route: string, status: number): void {
    const byStatus = this.#requests.get(route) ?? new Map<number, number>();
    this.#requests.set(route, byStatus);
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
    this.logger.debug?.({ route, status }, 'request');
  }

  beginTick(tick: number, ticksDue: number): void {
    this.#ticks++;
    this.#ticksSkipped += ticksDue - 1;
    const nowMs = this.#nowMs();
    this.#watch?.tickMeter.begin(tick, nowMs * 1000);
    const skipped = ticksDue > 1 ? this.#skipTeller.add(ticksDue - 1) : 0;
    if (skipped > 0) this.logger.warn({ skipped }, 'ticks skipped: the process was late');
  }

  endTick(): void {
    this.#watch?.tickMeter.end(this.#nowMs() * 1000);
  }

  /** Only while metrics are asked for. */
  metricsPage(read: () => ServerState): Promise<MetricsPage> {
    const watch = this.#watch;
    if (watch === null) throw new Error('metrics are off');
    return renderMetrics(() => this.#figures(read(), watch));
  }

  close(): void {
    this.#watch?.process.close();
  }

  #figures(state: ServerState, watch: Watch): ServerFigures {
    const { stats, connections, resumes, ...rest } = state;
    return {
      ...rest,
      ...watch,
      resumes: { ...resumes, suspended: stats.players.suspended },
      wires: {
        udp: this.#wire('udp', stats, connections),
        'json-ws': this.#wire('json-ws', stats, connections),
      },
      drops: stats.drops,
      requests: [...this.#requests].flatMap(([route, byStatus]) =>
        [...byStatus].map(([status, count]) => ({ route, status, count })),
      ),
      handlerErrors: this.#handlerErrors,
      revalidations: this.#revalidations,
      revocations: this.#revocations,
      ticks: this.#ticks,
      ticksSkipped: this.#ticksSkipped,
    };
  }

  #wire(wire: Wire, stats: ServerStats, connections: readonly LinkStats[]): WireFigures {
    const own = connections.filter((connection) => connection.wire === wire);
    return {
      ...stats[wire],
      players: stats.players[wire],
      joins: this.#joins[wire],
      leaves: this.#leaves[wire],
      queuedBytes: own.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
      rttsMs: own.map(({ rttMs }) => rttMs).filter((rttMs) => !Number.isNaN(rttMs)),
    };
  }
}
