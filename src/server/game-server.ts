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
import {
  assertServerCloseCode,
  CLOSE_GOING_AWAY,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  cutReason,
} from '../session/close-codes.js';
import type { LinkStats } from '../session/connection-stats.js';
import { SessionDrops } from '../session/drops.js';
import type { CloseInfo, ReceiptOutcome, SendOptions } from '../session/types.js';
import { badOption, TransportError } from '../util/errors.js';
import type { NativeHandle } from '../util/native-handle.js';
import { Broadcaster } from './broadcast.js';
import { Door } from './door.js';
import { Drain, readDrainOptions } from './drain.js';
import { createFront } from './fronts.js';
import { HandlerErrors } from './handler-errors.js';
import { type Entrance, HttpFace } from './http-face.js';
import type { HttpFront } from './http-front.js';
import { readServerAdmission, readServerOptions, type ServerSettings } from './options.js';
import type { PlayerEntry } from './player-entry.js';
import { Problem } from './problem.js';
import { Revocations } from './revocations.js';
import { RoomTicks } from './room-ticks.js';
import { Roster } from './roster.js';
import { ServerEvents } from './server-events.js';
import { ServerOps, type ServerState } from './server-ops.js';
import type { ServerSocket } from './server-socket.js';
import { ServerTicks } from './server-ticks.js';
import { Suspensions } from './suspensions.js';
import { TickClock } from './tick-clock.js';
import { mintTicket, type TicketDeskHost } from './ticket-desk.js';
import { TicketBook } from './tickets.js';
import type {
  AdmissionSettings,
  AdmissionStatus,
  DrainOptions,
  GameServerOptions,
  Player,
  Room,
  ServerStats,
} from './types.js';
import type { UdpListener } from './udp-listener.js';
import { openUdp } from './udp-open.js';
import { WsListener } from './ws-listener.js';

export class GameServer<R extends object = Record<string, unknown>> extends ServerEvents<R> {
  /** Where tickets are minted and WebSockets open. */
  http: { host: string; port: number } = { host: '', port: 0 };
  /** Where UDP arrives; null when it is off. */
  udp: { host: string; port: number } | null = null;
  readonly #settings: ServerSettings;
  readonly #startMs = performance.now();
  readonly #drops = new SessionDrops();
  readonly #ops: ServerOps;
  readonly #tickets: TicketBook;
  readonly #broadcaster: Broadcaster;
  readonly #roster: Roster;
  readonly #roomTicks: RoomTicks;
  readonly #suspensions: Suspensions;
  #face: HttpFace | null = null;
  #front: HttpFront | null = null;
  #wsListener: WsListener | null = null;
  #udpListener: UdpListener | null = null;
  #clock: TickClock | null = null;
  readonly #door: Door;
  readonly #revocations: Revocations;
  #drain: Drain | null = null;
  #closing: Promise<void> | null = null;

  private constructor(settings: ServerSettings) {
    const ops = new ServerOps(settings.logger, settings.metrics, settings.tickHz);
    super(new HandlerErrors(ops), settings.registry, settings.dev);
    this.#ops = ops;
    this.#settings = settings;
    this.#roomTicks = new RoomTicks(this.errors, () => this.nowMs());
    this.#broadcaster = new Broadcaster(settings.registry);
    this.#roster = new Roster(this.#broadcaster, this.#roomTicks, this.life);
    this.#door = new Door(this.#roster.byId, settings.maxPlayers, settings.admission);
    this.#tickets = new TicketBook(() => this.nowMs(), settings.udp?.maxTokenLifetimeS);
    this.#revocations = new Revocations({
      ...settings,
      ops,
      tickets: this.#tickets,
      playerById: this.#roster.byId,
      nowMs: () => this.nowMs(),
      endLinks: (playerId, reason) => {
        this.#wsListener?.revoke(playerId, reason);
        this.#udpListener?.revoke(playerId, reason);
      },
    });
    this.#suspensions = new Suspensions({
      resumeWindowMs: settings.resumeWindowMs,
      nowMs: () => this.nowMs(),
      playerById: (id) => this.#roster.byId.get(id),
      release: (player, info) => this.#release(player, info),
      verified: (player, admitted) => this.#revocations.handleVerified(player, admitted),
      handleSuspended: (player, info) => this.handlers.suspend(player, info),
      handleResumed: (player) => this.handlers.resume(player),
      countLink: (player) => this.#roster.countLink(player),
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
    return this.#roster.byId as ReadonlyMap<string, unknown> as ReadonlyMap<string, Player<R>>;
  }

  /** Monotonic milliseconds since the server started: the clock clients see as `serverTime()`. */
  nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** The room of this name; it comes into being with its first member. */
  room(name: string): Room<R> {
    return this.#roster.room(name) as unknown as Room<R>;
  }

  /** To every player. Returns how many accepted it. */
  broadcast<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): number {
    this.life.requireAlive();
    return this.#broadcaster.send(this.#roster.all, type, value, options);
  }

  /** Goes through all players. */
  stats(): ServerStats {
    return this.#collect(this.#roster.links());
  }

  /** `drops` of `stats()`, at the same price for any number of players. */
  drops(): Record<string, number> {
    const drops: Record<string, number> = {};
    this.#drops.addTo(drops);
    drops['http-blocked'] = this.#face?.blockedCount ?? 0;
    return Object.assign(drops, this.#udpListener?.drops());
  }

  /** What the kernel gave: batch calls, timestamps, buffer sizes. Empty while UDP is off. */
  features(): Record<string, boolean | number | string> {
    return this.#udpListener?.features() ?? {};
  }

  /**
   * For a native module of the game's own: with it the module reads the UDP side's counters on any thread,
   * without JavaScript, by the C header `@ggscale/transport/ggscale_transport.h`. It outlives the server,
   * and tells then that it is closed.
   *
   * @throws TransportError udp-off, closed
   */
  nativeHandle(): NativeHandle {
    this.life.requireAlive();
    if (this.#udpListener === null) {
      const message = 'ggscale: only the UDP side has a native handle, and UDP is off';
      throw new TransportError('udp-off', message);
    }
    return this.#udpListener.nativeHandle();
  }

  /**
   * Changes the admission settings that are named, at once and for everybody. Blocked players leave
   * with reason `blocked`; the others stay, whatever is lowered. On an error nothing changes.
   *
   * @throws TransportError bad-option, closed
   */
  setAdmission(settings: AdmissionSettings): void {
    readServerAdmission(settings, this.#udpListener !== null);
    this.life.requireOpen();
    this.#udpListener?.setAdmission(settings);
    const blocked = this.#door.set(settings);
    // Last: handlers of leaves run in it, and may set something else.
    if (blocked !== null) this.#wsListener?.endBlocked((address) => blocked.contains(address));
  }

  /**
   * All admission settings, and how full everything is; null while UDP is off.
   *
   * @throws TransportError closed
   */
  admission(): AdmissionStatus | null {
    this.life.requireAlive();
    return this.#udpListener?.admission() ?? null;
  }

  /**
   * Takes a player's right to be here, at once: it leaves with 1008 and `reason` (cut at 64 B), connected
   * or suspended; tickets, connect tokens and resume secrets that it holds are void, and so is what
   * `verifySession` is about to say. It comes back when `verifySession`, asked later, lets it. Answers
   * whether it was here.
   *
   * @throws TransportError bad-option, closed
   */
  revoke(playerId: string, reason = 'revoked'): boolean {
    if (typeof playerId !== 'string') throw badOption('playerId', playerId, 'a string');
    if (typeof reason !== 'string') throw badOption('reason', reason, 'a string');
    this.life.requireOpen();
    return this.#revocations.revoke(playerId, cutReason(reason), 'call');
  }

  /** `closed` from the moment that it says goodbye. */
  get state(): 'open' | 'draining' | 'closed' {
    if (this.life.isClosing) return 'closed';
    return this.#drain === null ? 'open' : 'draining';
  }

  /**
   * Lets nobody new in (503 `draining`), and closes when all have left or the deadline has come; in its
   * last second players leave as soon as what is reliable has been acknowledged. Who is in, suspended or
   * not, may come again. A second call only brings the deadline nearer; `close` does not wait for it.
   *
   * @throws TransportError bad-option, closed; RangeError as `close`
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const { deadlineMs, code, reason } = readDrainOptions(options);
    if (this.#drain === null) {
      this.life.requireAlive();
      if (this.#closing !== null) return this.#closing;
      const { all: players } = this.#roster;
      this.#drain = new Drain({ players, close: () => this.close(code, reason) }, code, reason);
      this.#door.isDraining = true;
      this.#ops.logger.info({ players: players.length, deadlineMs }, 'draining');
    }
    this.#drain.hasUntil(deadlineMs);
    return this.#drain.done;
  }

  /**
   * Says goodbye to everybody (1001 unless told otherwise) and frees everything. Idempotent.
   * Resolves when the sockets are closed, at most a second after a client that does not answer.
   *
   * @throws RangeError a code other than 1000, 1001 or 3000…4999
   */
  async close(code: number = CLOSE_GOING_AWAY, reason = ''): Promise<void> {
    assertServerCloseCode(code, reason);
    if (this.#closing === null) {
      let settle: (end: Promise<void>) => void = () => {};
      this.#closing = new Promise((resolve) => {
        settle = resolve;
      });
      this.#drain?.handleClosing(this.#closing);
      settle(this.#close(code, cutReason(reason))); // its handlers may call close again
    }
    await this.#closing;
  }

  async #close(code: number, reason: string): Promise<void> {
    this.#udpListener?.settle();
    this.life.isClosing = true;
    this.#clock?.close();
    this.#roomTicks.close();
    this.#revocations.close();
    for (const player of [...this.#roster.all]) player.end(code, reason);
    const udpClosed = this.#udpListener?.close(code, reason);
    await Promise.all([udpClosed, this.#wsListener?.close(), this.#front?.close()]);
    this.#ops.close();
    this.life.isOver = true;
    if (this.http.port > 0)
      this.#ops.logger.info({ http: this.http, udp: this.udp, code }, 'closed');
  }

  async #open(): Promise<void> {
    const settings = this.#settings;
    const ticks = new ServerTicks(settings.tickHz, this.handlers, this.#ops, () => this.nowMs());
    const onTick = (ticksDue: number) => {
      if (!this.life.isClosing) ticks.run(ticksDue); // else closed in this very turn
    };
    const host = {
      registry: settings.registry,
      ticks: ticks.times,
      dispatcher: this.dispatcher,
      drops: this.#drops,
      tickets: this.#tickets,
      logger: settings.logger,
      messageAges: this.#ops.messageAges,
      resumeWindowMs: settings.resumeWindowMs,
      nowMs: () => this.nowMs(),
      refusal: (playerId: string) => this.#door.refusal(playerId),
      admit: this.#admit.bind(this),
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
    this.#revocations.start();
    if (settings.hasWs) this.#wsListener = new WsListener(host);
    this.#face = new HttpFace({
      ...settings,
      ops: this.#ops,
      metricsPage: () => this.#ops.metricsPage(() => this.#readState()),
      nowMs: host.nowMs,
      isBlocked: (address) => this.#door.blocked.contains(address),
      isDraining: () => this.#door.isDraining,
      mint: (request) => mintTicket(desk, request),
      admit: (ticket) => {
        if (this.#wsListener === null) throw new Problem(404, 'not-found', 'WebSocket is off');
        return this.#wsListener.admit(ticket);
      },
    });
    const front = {
      ...settings,
      face: this.#face,
      onSocket: (socket: ServerSocket, entrance: Entrance) => {
        this.#wsListener?.open(socket, entrance);
      },
    };
    this.#front = await createFront(settings.wsEngine, front, settings.logger);
    this.http = await this.#front.listen();
    if (settings.udp !== null) {
      const { http, handlers } = this;
      const { udp } = settings;
      this.#udpListener = await openUdp({ settings, udp, host, http, handlers, onTick });
      this.udp = this.#udpListener.address;
    } else if (settings.tickHz > 0) {
      this.#clock = new TickClock(settings.tickHz, onTick);
    }
    const { http, udp } = this;
    const { engine } = this.#front;
    const { tickHz } = settings;
    this.#ops.logger.info({ http, udp, engine, tickHz, ...this.features() }, 'listening');
  }

  #collect(connections: LinkStats[]): ServerStats {
    const stats = this.#roster.stats(connections);
    stats.players.suspended = this.#suspensions.size;
    stats.drops = this.drops();
    stats.nativeMs = (this.#udpListener?.nativeNs() ?? 0) / 1e6;
    return stats;
  }

  #readState(): ServerState {
    const connections = this.#roster.links();
    return {
      uptimeS: this.nowMs() / 1000,
      playersMax: this.#settings.maxPlayers,
      isBusy: this.#door.isBusy,
      isDraining: this.#door.isDraining,
      rooms: this.#roster.rooms,
      roomTicks: this.#roomTicks,
      resumes: this.#suspensions.counts,
      stats: this.#collect(connections),
      connections,
      admission: this.admission(),
      features: this.features(),
    };
  }

  #admit(player: PlayerEntry, verifiedMs: number | null): void {
    // The newer connection wins, with the launch contract's normal close.
    const sinceMs = this.nowMs();
    this.#udpListener?.replaceDial(player.id);
    this.#roster.byId.get(player.id)?.end(CLOSE_NORMAL, '');
    const isRevoked = this.#tickets.isRevokedSince(player.id, sinceMs);
    if (isRevoked || this.life.isClosing) {
      // By the handler of that leave. Who never joined does not leave.
      player.handleLeft();
      if (isRevoked) player.peer.close(CLOSE_POLICY_VIOLATION, 'revoked');
      else player.peer.close(CLOSE_GOING_AWAY, '');
      return;
    }
    this.#roster.add(player);
    this.#revocations.handleJoin(player, verifiedMs);
    this.#ops.handleJoin(player);
    this.handlers.join(player);
  }

  #release(player: PlayerEntry, info: CloseInfo): void {
    if (player.hasLeft) return;
    this.#roster.countLink(player);
    this.#suspensions.handleLeft(player);
    this.#revocations.handleLeave(player);
    player.handleLeft();
    this.#roster.remove(player);
    this.#ops.handleLeave(player, info);
    this.handlers.leave(player, info);
    this.#drain?.handleLeave();
  }
}
