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
import type { CloseInfo, ConnectionStats, Wire } from '../session/types.js';
import type { AdmissionStatus } from '../util/admission.js';
import type { MetricsSettings } from './options.js';
import type { PlayerEntry } from './player-entry.js';
import type { ServerStats } from './types.js';

/** A process that stays late says so this often, not at each tick. */
const TELL_SKIPPED_MS = 10_000;

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
  rooms: number;
  roomTicks: { readonly ran: number; readonly skipped: number };
  stats: ServerStats;
  connections: readonly ConnectionStats[];
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
  #ticks = 0;
  #ticksSkipped = 0;
  /** Skipped ones that no line told of, and when the last line was. */
  #ticksUntold = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
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
    if (ticksDue > 1) this.#tellSkipped(ticksDue - 1, nowMs);
  }

  #tellSkipped(ticks: number, nowMs: number): void {
    this.#ticksUntold += ticks;
    if (nowMs - this.#toldAtMs < TELL_SKIPPED_MS) return;
    this.logger.warn({ skipped: this.#ticksUntold }, 'ticks skipped: the process was late');
    this.#ticksUntold = 0;
    this.#toldAtMs = nowMs;
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
    const { stats, connections, ...rest } = state;
    return {
      ...rest,
      ...watch,
      wires: {
        udp: this.#wire('udp', stats, connections),
        'json-ws': this.#wire('json-ws', stats, connections),
      },
      drops: stats.drops,
      requests: [...this.#requests].flatMap(([route, byStatus]) =>
        [...byStatus].map(([status, count]) => ({ route, status, count })),
      ),
      handlerErrors: this.#handlerErrors,
      ticks: this.#ticks,
      ticksSkipped: this.#ticksSkipped,
    };
  }

  #wire(wire: Wire, stats: ServerStats, connections: readonly ConnectionStats[]): WireFigures {
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
