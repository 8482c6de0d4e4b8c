/**
 * The game server: one handler API for players of both wires.
 *
 *   HttpFace ── tickets ──▶ WsListener ─┐
 *                                       ├─▶ players, rooms, dispatcher ──▶ the game's handlers
 *   UDP      ── tokens ───▶ UdpListener ┘                  ▲
 *                                              tick: the UDP endpoint's timer, or TickClock
 *
 * UDP listener and addon are loaded by `import()`: a server with `udp: false` never touches them.
 */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { NamesWithView, ViewsOf } from '../messages/types.js';
import {
  assertServerCloseCode,
  CLOSE_GOING_AWAY,
  CLOSE_NORMAL,
  cutReason,
} from '../session/close-codes.js';
import { Dispatcher } from '../session/dispatcher.js';
import { SessionDrops } from '../session/drops.js';
import type { CloseInfo, ConnectionStats, ReceiptOutcome, SendOptions } from '../session/types.js';
import { TransportError } from '../util/errors.js';
import { Broadcaster } from './broadcast.js';
import { HandlerErrors } from './handler-errors.js';
import { HttpFace } from './http-face.js';
import type { HttpFront } from './http-front.js';
import { NodeFront } from './node-front.js';
import { readServerAdmission, readServerOptions, type ServerSettings } from './options.js';
import type { PlayerEntry } from './player-entry.js';
import { blockedOf, PrefixList } from './prefix-list.js';
import { Problem } from './problem.js';
import { RoomEntry, type RoomMembers } from './room-entry.js';
import { RoomTicks } from './room-ticks.js';
import { ServerEvents } from './server-events.js';
import { ServerOps, type ServerState } from './server-ops.js';
import { addConnection, collectStats, emptyStats } from './server-stats.js';
import { Suspensions } from './suspensions.js';
import { TickClock } from './tick-clock.js';
import { TickTimes } from './tick-times.js';
import { mintTicket, type TicketDeskHost } from './ticket-desk.js';
import { TicketBook } from './tickets.js';
import type {
  AdmissionSettings,
  AdmissionStatus,
  GameServerOptions,
  MessageHandler,
  Player,
  RawFlow,
  Room,
  ServerStats,
  ViewHandler,
} from './types.js';
import type { UdpListener } from './udp-listener.js';
import { openOnUdpPort } from './udp-port.js';
import { WsListener } from './ws-listener.js';

/** Default of the admission setting `retryAfterS`. */
const RETRY_AFTER_BUSY_S = 5;

export class GameServer<R extends object = Record<string, unknown>> extends ServerEvents<R> {
  /** Where tickets are minted and WebSockets open. */
  http: { host: string; port: number } = { host: '', port: 0 };
  /** Where UDP arrives; null when it is off. */
  udp: { host: string; port: number } | null = null;
  readonly #settings: ServerSettings;
  readonly #startMs = performance.now();
  readonly #dispatcher: Dispatcher<PlayerEntry>;
  readonly #drops = new SessionDrops();
  readonly #ops: ServerOps;
  readonly #tickets: TicketBook;
  readonly #broadcaster: Broadcaster;
  readonly #players = new Map<string, PlayerEntry>();
  readonly #all: PlayerEntry[] = [];
  readonly #rooms: RoomMembers = new Map();
  readonly #roomTicks: RoomTicks;
  readonly #departed = emptyStats();
  readonly #suspensions: Suspensions;
  #face: HttpFace | null = null;
  #front: HttpFront | null = null;
  #wsListener: WsListener | null = null;
  #udpListener: UdpListener | null = null;
  #clock: TickClock | null = null;
  #tickTimes: TickTimes | null = null;
  #tick = 0;
  #blocked: PrefixList;
  #isBusy: boolean;
  #retryAfterS: number;
  #isClosed = false;
  #closing: Promise<void> | null = null;

  private constructor(settings: ServerSettings) {
    const ops = new ServerOps(settings.logger, settings.metrics, settings.tickHz);
    super(new HandlerErrors(ops));
    this.#ops = ops;
    this.#settings = settings;
    this.#roomTicks = new RoomTicks(this.errors, () => this.nowMs());
    this.#blocked = blockedOf(settings.admission) ?? new PrefixList([]);
    this.#isBusy = settings.admission.busy ?? false;
    this.#retryAfterS = settings.admission.retryAfterS ?? RETRY_AFTER_BUSY_S;
    this.#dispatcher = new Dispatcher((error, type) => this.errors.report(error, `on ${type}`));
    this.#tickets = new TicketBook(() => this.nowMs());
    this.#broadcaster = new Broadcaster(settings.registry);
    this.#suspensions = new Suspensions({
      resumeWindowMs: settings.resumeWindowMs,
      nowMs: () => this.nowMs(),
      playerById: (id) => this.#players.get(id),
      release: (player, info) => this.#release(player, info),
      handleSuspended: (player, info) => this.handlers.suspend(player, info),
      handleResumed: (player) => this.handlers.resume(player),
      countLink: (player) => addConnection(this.#departed, player.linkStats()),
    });
  }

  /**
   * Opens the listeners. Fails as a whole: nothing is left bound.
   *
   * @throws TransportError bad-option, bad-key, address-in-use, permission-denied, bad-address,
   *   addon-missing, unsupported-platform, unsupported-runtime
   */
  static async listen<R extends object = Record<string, unknown>>(
    options: GameServerOptions<R>,
  ): Promise<GameServer<R>> {
    const server = new GameServer<R>(readServerOptions(options));
    try {
      await server.#open();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Connected players by id. */
  get players(): ReadonlyMap<string, Player<R>> {
    return this.#players as ReadonlyMap<string, unknown> as ReadonlyMap<string, Player<R>>;
  }

  /** Monotonic milliseconds since the server started: the clock clients see as `serverTime()`. */
  nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Handles messages of a type as plain values. Returns the function that removes the handler. */
  on<T extends keyof R & string>(type: T, handler: MessageHandler<R, T>): () => void {
    return this.#dispatcher.on(type, handler as never);
  }

  /** Handles messages of a registered type as a view: no allocation, valid during the call. */
  onView<T extends keyof ViewsOf<R> & string>(
    type: T,
    handler: ViewHandler<R, ViewsOf<R>[T]>,
  ): () => void;
  /** Where the messages were not inferred from a registry, the view is named by hand. */
  onView<V>(type: NamesWithView<R, V>, handler: ViewHandler<R, V>): () => void;
  onView(type: string, handler: ViewHandler<R, never>): () => void {
    if (this.#settings.registry.typeByName(type) === undefined) {
      throw new RangeError(`ggscale: onView needs a registered type, ${type} is none`);
    }
    return this.#dispatcher.onView(type, handler as never);
  }

  /** The room of this name; it comes into being with its first member. */
  room(name: string): Room<R> {
    return this.#roomEntry(name) as unknown as Room<R>;
  }

  /** To every player. Returns how many accepted it. */
  broadcast<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): number {
    return this.#broadcaster.send(this.#all, type, value, options);
  }

  stats(): ServerStats {
    return this.#collect(this.#all.map((player) => player.linkStats()));
  }

  /** What the kernel gave: batch calls, timestamps, buffer sizes. Empty while UDP is off. */
  features(): Record<string, boolean | number | string> {
    return this.#udpListener?.features() ?? {};
  }

  /**
   * Changes the admission settings that are named, at once and for everybody. Blocked players leave
   * with reason `blocked`; the others stay, whatever is lowered. On an error nothing changes.
   *
   * @throws TransportError bad-option, closed
   */
  setAdmission(settings: AdmissionSettings): void {
    readServerAdmission(settings, this.#udpListener !== null);
    if (this.#isClosed) throw new TransportError('closed', 'ggscale: the server is closed');
    const blocked = blockedOf(settings);
    this.#udpListener?.setAdmission(settings);
    this.#blocked = blocked ?? this.#blocked;
    this.#isBusy = settings.busy ?? this.#isBusy;
    this.#retryAfterS = settings.retryAfterS ?? this.#retryAfterS;
    // Last: handlers of leaves run in it, and may set something else.
    if (blocked !== null) this.#wsListener?.endBlocked((address) => blocked.contains(address));
  }

  /** All admission settings, and how full everything is; null while UDP is off. */
  admission(): AdmissionStatus | null {
    return this.#udpListener?.admission() ?? null;
  }

  /**
   * Says goodbye to everybody (1001 unless told otherwise) and frees everything. Idempotent.
   * Resolves when the sockets are closed, at most a second after a client that does not answer.
   *
   * @throws RangeError a code other than 1000, 1001 or 3000…4999
   */
  async close(code: number = CLOSE_GOING_AWAY, reason = ''): Promise<void> {
    assertServerCloseCode(code);
    if (this.#closing === null) {
      let settle: (end: Promise<void>) => void = () => {};
      this.#closing = new Promise((resolve) => {
        settle = resolve;
      });
      settle(this.#close(code, cutReason(reason))); // its handlers may call close again
    }
    await this.#closing;
  }

  async #close(code: number, reason: string): Promise<void> {
    this.#udpListener?.settle();
    this.#isClosed = true;
    this.#clock?.close();
    this.#roomTicks.close();
    for (const player of [...this.#all]) player.end(code, reason);
    this.#udpListener?.close(code, reason);
    await Promise.all([this.#wsListener?.close(), this.#front?.close()]);
    this.#ops.close();
    if (this.http.port > 0)
      this.#ops.logger.info({ http: this.http, udp: this.udp, code }, 'closed');
  }

  async #open(): Promise<void> {
    const settings = this.#settings;
    if (settings.tickHz > 0) this.#tickTimes = new TickTimes(settings.tickHz, this.nowMs());
    const host = {
      registry: settings.registry,
      ticks: this.#tickTimes,
      dispatcher: this.#dispatcher,
      drops: this.#drops,
      tickets: this.#tickets,
      logger: settings.logger,
      messageAges: this.#ops.messageAges,
      resumeWindowMs: settings.resumeWindowMs,
      nowMs: () => this.nowMs(),
      isFull: (playerId: string) => this.#isFull(playerId),
      refuseIfBusy: (playerId: string) => this.#refuseIfBusy(playerId),
      admit: (player: PlayerEntry) => this.#admit(player),
      handleReceipt: (player: PlayerEntry, receipt: number, outcome: ReceiptOutcome) => {
        this.handlers.receipt(player, receipt, outcome);
      },
      handleEnd: (player: PlayerEntry, info: CloseInfo) => {
        this.#suspensions.remember(player, info);
        this.#release(player, info);
      },
      handleLinkDown: this.#suspensions.handleLinkDown.bind(this.#suspensions),
      resume: this.#suspensions.resume.bind(this.#suspensions),
    };
    const desk: TicketDeskHost = {
      ...host,
      advertise: settings.udp?.advertise ?? [],
      udpListener: () => this.#udpListener,
      checkMayResume: (playerId, session) => this.#suspensions.checkMayResume(playerId, session),
    };
    if (settings.hasWs) this.#wsListener = new WsListener(host);
    this.#face = new HttpFace({
      ...settings,
      ops: this.#ops,
      metricsPage: () => this.#ops.metricsPage(() => this.#state()),
      nowMs: host.nowMs,
      isBlocked: (address) => this.#blocked.contains(address),
      mint: (request) => mintTicket(desk, request),
      admit: (ticket) => {
        if (this.#wsListener === null) throw new Problem(404, 'not-found', 'WebSocket is off');
        return this.#wsListener.admit(ticket);
      },
    });
    this.#front = new NodeFront({
      ...settings,
      face: this.#face,
      onSocket: (socket, entrance) => this.#wsListener?.open(socket, entrance),
    });
    this.http = await this.#front.listen();
    if (settings.udp !== null) {
      const { UdpListener } = await import('./udp-listener.js');
      const options = {
        ...settings.udp,
        host: isIP(settings.host) === 0 ? this.http.host : settings.host,
        tickHz: settings.tickHz,
        admission: settings.admission,
        channels: settings.channels,
        seed: randomInt(2 ** 31),
        onTick: (ticksDue: number) => this.#runTick(ticksDue),
        onRawOpen: (flow: RawFlow) => this.handlers.rawFlow(flow),
        onRawPayload: (flow: RawFlow, bytes: Uint8Array) => this.handlers.rawPayload(flow, bytes),
      };
      const asked = { http: settings.port, udp: settings.udp.port };
      this.#udpListener = openOnUdpPort(asked, this.http.port, (port) => {
        return new UdpListener(host, { ...options, port });
      });
      this.udp = this.#udpListener.address;
    } else if (settings.tickHz > 0) {
      this.#clock = new TickClock(settings.tickHz, (ticksDue) => this.#runTick(ticksDue));
    }
    const { http, udp } = this;
    this.#ops.logger.info({ http, udp, tickHz: settings.tickHz, ...this.features() }, 'listening');
  }

  #collect(connections: ConnectionStats[]): ServerStats {
    const stats = collectStats(this.#departed, connections);
    stats.players.suspended = this.#suspensions.size;
    this.#drops.addTo(stats.drops);
    stats.drops['http-blocked'] = this.#face?.blockedCount ?? 0;
    Object.assign(stats.drops, this.#udpListener?.drops());
    return stats;
  }

  #state(): ServerState {
    const connections = this.#all.map((player) => player.linkStats());
    return {
      uptimeS: this.nowMs() / 1000,
      playersMax: this.#settings.maxPlayers,
      isBusy: this.#isBusy,
      rooms: this.#rooms.size,
      roomTicks: this.#roomTicks,
      stats: this.#collect(connections),
      connections,
      admission: this.admission(),
      features: this.features(),
    };
  }

  /** Who is in may come again: the newer connection takes the older one's place. */
  #refuseIfBusy(playerId: string): void {
    if (!this.#isBusy || this.#players.has(playerId)) return;
    throw new Problem(503, 'server-busy', 'no new players for now', this.#retryAfterS);
  }

  #isFull(playerId: string): boolean {
    return this.#players.size >= this.#settings.maxPlayers && !this.#players.has(playerId);
  }

  #admit(player: PlayerEntry): void {
    // The newer connection wins, with the launch contract's normal close.
    this.#players.get(player.id)?.end(CLOSE_NORMAL, '');
    if (this.#isClosed) {
      // By the handler of that leave. Who never joined does not leave.
      player.handleLeft();
      player.peer.close(CLOSE_GOING_AWAY, '');
      return;
    }
    this.#players.set(player.id, player);
    this.#all.push(player);
    this.#ops.handleJoin(player);
    this.handlers.join(player);
  }

  #release(player: PlayerEntry, info: CloseInfo): void {
    if (player.hasLeft) return;
    addConnection(this.#departed, player.linkStats());
    this.#suspensions.handleLeft(player);
    player.handleLeft();
    for (const name of player.rooms) this.#roomEntry(name).leave(player);
    const at = this.#all.indexOf(player);
    if (at >= 0) this.#all.splice(at, 1);
    if (this.#players.get(player.id) === player) this.#players.delete(player.id);
    this.#ops.handleLeave(player, info);
    this.handlers.leave(player, info);
  }

  #roomEntry(name: string): RoomEntry {
    return new RoomEntry(name, this.#rooms, this.#broadcaster, this.#roomTicks);
  }

  #runTick(ticksDue: number): void {
    if (this.#isClosed) return; // in this very turn
    this.#tick += ticksDue;
    const stepMs = 1000 / this.#settings.tickHz;
    const info = { tick: this.#tick - 1, nowMs: this.nowMs(), stepMs, skipped: ticksDue - 1 };
    this.#tickTimes?.begin(info.tick, info.nowMs);
    this.#ops.beginTick(info.tick, ticksDue);
    this.handlers.tick(info);
    this.#ops.endTick();
  }
}
