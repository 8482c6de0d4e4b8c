/**
 * The public face of the game server. One handler API serves players of both wires.
 */

import type { Registry } from '../messages/types.js';
import type { Logger, LogLevel } from '../ops/index.js';
import type {
  CloseInfo,
  ConnectionStats,
  Meta,
  ReceiptOutcome,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import type { AdmissionSettings } from '../util/admission.js';
import type { ChannelOptions } from '../util/channel-options.js';
import type { NxMode } from '../util/nx.js';
import type { PlayerInputs } from './player-inputs.js';

export type { Logger, LogLevel } from '../ops/index.js';
export type { AdmissionSettings, AdmissionStatus, Rate } from '../util/admission.js';
export type { ChannelOptions } from '../util/channel-options.js';
export type { PlayerInputs } from './player-inputs.js';

/**
 * `tick`: datagrams are read at the start of each tick and one packet per client leaves at its end.
 * `immediate`: each readable is served at once. `auto`: at once while that is seldom; under load every
 * 250 to 1,000 µs, which costs about half the CPU.
 */
export type UdpDriver = 'auto' | 'immediate' | 'tick';

export interface UdpListenOptions {
  /**
   * UDP port; default: the same number as the HTTP/WebSocket port, unless the system chose that one
   * and UDP has another owner there. 0 picks one.
   */
  port?: number;
  /**
   * Connection ids, roaming and keys of its own for each connection: `allow` (default) for players
   * whose client knows them, `require` for all, `off` for none.
   */
  nx?: NxMode;
  /** When datagrams are read and packets leave. Default `tick` when `tickHz` is set, else `auto`. */
  driver?: UdpDriver;
  /**
   * Threads that receive, decrypt, encrypt and send beside the JavaScript thread, 1 to 16, on a
   * machine with cores to spare. Default 0: the JavaScript thread does it all.
   */
  threads?: number;
  /** The CPU of each thread. Default: the system chooses. */
  affinity?: number[];
  /** 32 bytes, or 64 hex digits; shared with whoever mints connect tokens. Default: random. */
  privateKey?: Uint8Array | string;
  /** Distinguishes games and versions; both ends must agree. Default 0x67677363616c6501. */
  protocolId?: bigint;
  /** `host:port` put into connect tokens. Default: the bound address (loopback only). */
  advertise?: string[];
  /**
   * Refuses tokens that live longer than this, and those minted before the server started, so
   * that a restart under the same key cannot be shown an old token. Default: no such check.
   */
  maxTokenLifetimeS?: number;
  /** Concurrent flows; default 4096. */
  maxFlows?: number;
  /**
   * SO_RCVBUF asked for, bytes. Default: enough for a pause of 50 ms with `maxFlows` peers at 60 Hz.
   * What was obtained is in `features()`, as bytes and as milliseconds.
   */
  receiveBufferBytes?: number;
  sendBufferBytes?: number;
}

/** `auto`: uWebSockets.js where it is installed and can serve, else ws. */
export type WsEngine = 'auto' | 'ws' | 'uws';

export interface WsListenOptions {
  /** Accepted `Host` headers besides the bound address; dev mode only checks these. */
  allowedHosts?: string[];
  /**
   * Origins of pages that may play although another server serves them, exactly as browsers send
   * them: `https://play.example`, no path. They may read tickets (CORS) and open WebSockets; other
   * pages are then refused with 403, but for those of the server's own origin. Default: none.
   */
  allowedOrigins?: string[];
  /**
   * What carries WebSockets and HTTP; default `auto`. uWebSockets.js is an optional peer, not on npm, and
   * has no TLS here: docs/OPERATIONS.md.
   */
  engine?: WsEngine;
}

/** Who a ticket is minted for: what `verifySession` resolved, with fields of the game's own. */
export interface VerifiedSession {
  readonly playerId: string;
  readonly [field: string]: unknown;
}

/**
 * Checks the launch session token (`X-Session-Token`): resolve who it is, with 1 to 200 bytes of
 * player id and whatever else the game wants to find in `player.session`; null refuses (401). Over 10 s,
 * or a throw with `code: 'unverifiable'` (it cannot find out now): 503 and Retry-After; any other throw: 500.
 * Of the launch API: `client.server.sessionVerifier()`.
 */
export type VerifySession = (
  sessionToken: string,
) => { readonly playerId: string } | null | Promise<{ readonly playerId: string } | null>;

/** Whether a player who is in may stay; see `GameServerOptions.revalidate`. */
export type Revalidate = (session: VerifiedSession) => boolean | Promise<boolean>;

export interface GameServerOptions<R extends object = Record<string, unknown>> {
  /** HTTP + WebSocket port; default 0 (any free port). */
  port?: number;
  /** Address to bind; default 127.0.0.1. */
  host?: string;
  /** The messages this game knows. Default: none, every message travels as JSON. */
  registry?: Registry<Partial<R>>;
  /** Ticks per second handed to `onTick` handlers, 1–1000; 0 (default): no tick. */
  tickHz?: number;
  /** UDP listener; `false` switches it off (the addon is then never loaded). Default on. */
  udp?: UdpListenOptions | false;
  /** WebSocket listener. `false`: its sockets are refused; tickets are still minted. */
  ws?: WsListenOptions | false;
  /** Required unless `dev`: who may play. */
  verifySession?: VerifySession;
  /**
   * Asked for each player, connected or suspended, once in each `revalidateMs`, spread over it. False:
   * the player is revoked (1008 `revoked`). A throw, anything but true or false, and 5 s without an
   * answer are no answer: it is asked again, and 120 s after the last one that was, the player leaves
   * with 1008 `unverifiable`. Default: nobody is asked.
   */
  revalidate?: Revalidate;
  /** Milliseconds, 5,000 to 25,000; default 20,000. */
  revalidateMs?: number;
  /** Development: loopback only, plain HTTP; the session token is the player id by default. */
  dev?: boolean;
  /** TLS for HTTP and WebSocket. */
  tls?: { key: string | Uint8Array; cert: string | Uint8Array };
  /** A TLS-terminating proxy stands in front: `X-Forwarded-For` is believed. */
  trustProxy?: boolean;
  /** Concurrent players on both wires; the next one gets 503 with Retry-After 5. Default 4096. */
  maxPlayers?: number;
  /** Tickets one address may ask for per second, with a burst of four seconds' worth. Default 50. */
  ticketsPerSecondPerAddress?: number;
  /**
   * Who may come in by UDP, and how much of the server one flow may take; `blocked` and `busy` count
   * on both wires. Change it live with `setAdmission`. Defaults: docs/ADMISSION.md.
   */
  admission?: AdmissionSettings;
  /**
   * How long a player whose link died is kept for its client to come back with nothing reliable lost,
   * ms, 0 (leave at once) to 600,000; default 30,000.
   */
  resumeWindowMs?: number;
  /** Takes the log lines. Default: pino, JSON on standard output. */
  logger?: Logger;
  /** What the default logger writes: `debug`, `info`, `warn` (default), `error` or `silent`. */
  logLevel?: LogLevel;
  /**
   * Answers `GET /metrics` of the HTTP listener for Prometheus; see docs/OPERATIONS.md. Default off.
   */
  metrics?: boolean | MetricsOptions;
  /**
   * Priority and weight by channel number, of what the server sends over UDP; TCP has one order for
   * everything. The channel of a type is written in its schema. Default: all alike.
   */
  channels?: Readonly<Record<number, ChannelOptions>>;
}

export interface MetricsOptions {
  /** Asked for as `Authorization: Bearer`, 16 to 256 characters. Default: everybody may read. */
  bearer?: string;
}

export interface DrainOptions {
  /** How long players may go on, ms, 0 to 600,000; default 30,000. */
  deadlineMs?: number;
  /** Who is still in then leaves with this; default 1001. */
  code?: number;
  /** Cut at 64 B. Default: none. */
  reason?: string;
}

/** `suspended`: its link died, and its client may come back within `resumeWindowMs`. */
export type PlayerState = 'connected' | 'suspended' | 'left';

/** One connected player, whatever the wire. */
export interface Player<R> {
  readonly id: string;
  /**
   * What `verifySession` resolved for its newest ticket, fields of the game's own included; only the
   * player id when another server minted the connect token.
   */
  readonly session: VerifiedSession;
  /** Changes when its session moves to the other wire. */
  readonly wire: Wire;
  /** While `suspended`, reliable messages are kept for it until `send` says `full`. */
  readonly state: PlayerState;
  /** `ip:port` of the peer; another one after it roamed or its session moved. */
  readonly address: string;
  /** Free for the game; undefined at first. */
  data: unknown;
  /** True once it has left; every `send` is then `full`, for good. */
  readonly hasLeft: boolean;
  send<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): SendResult;
  /** Resolves when everything reliable that was accepted has been acknowledged, or on close. */
  drained(): Promise<void>;
  /** After `full`: resolves when about half of the room is free again, or on close. */
  writable(): Promise<void>;
  /**
   * Bytes that would leave at once, frame and packet headers included: on UDP what rate control allows
   * now, less what waits already; on WebSocket 16 KiB less what the kernel has not taken. Ask once per
   * tick and leave out what can wait; sending more is not an error, it waits. 0 while there is no link.
   */
  budget(): number;
  /** Says goodbye and frees the connection. */
  close(code?: number, reason?: string): void;
  stats(): ConnectionStats;
  /** How its inputs arrive relative to their ticks; tell it of each: `inputs.arrived(tick)`. */
  readonly inputs: PlayerInputs;
}

/** A group of players that hears the same broadcasts. Empty rooms cost nothing. */
export interface Room<R> {
  readonly name: string;
  readonly size: number;
  /** Current members; do not keep the iterator. */
  players(): IterableIterator<Player<R>>;
  /** @throws TransportError player-left; bad-option a player of another server */
  join(player: Player<R>): void;
  /** @throws TransportError bad-option a player of another server */
  leave(player: Player<R>): void;
  /**
   * Ticks of this room, 1 to 1000 a second, until the returned function is called, members or not. The
   * schedule is absolute; ticks that come too late are skipped and counted in `skipped`. With the
   * UDP driver `tick` what is said leaves with the server's next tick: leave `tickHz` out instead.
   *
   * @throws TransportError bad-option, closed
   */
  onTick(hz: number, handler: (tick: TickInfo) => void): () => void;
  /** Encodes once per wire. Returns how many members accepted it (not `full`). @throws TransportError closed */
  broadcast<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): number;
}

export interface TickInfo {
  /** Counts from 0. */
  tick: number;
  /** Monotonic milliseconds since the server started listening. */
  nowMs: number;
  /** Nominal tick length. */
  stepMs: number;
  /** Ticks that were skipped because the process was late. */
  skipped: number;
}

/** A flow of a foreign netcode client that does not speak RL1: bare payloads. */
export interface RawFlow {
  readonly clientId: bigint;
  readonly address: string;
  /** False when there is no room now; datagrams are not queued. */
  send(bytes: Uint8Array): boolean;
  close(): void;
}

/** Totals of the server since it started; the same basis as `ConnectionStats`. */
export interface ServerStats {
  /** Players by wire, and how many of them wait to be resumed. */
  players: { udp: number; 'json-ws': number; suspended: number };
  udp: WireTotals;
  'json-ws': WireTotals;
  /** Drops by name, of every layer. Zero counts are included. */
  drops: Record<string, number>;
  /**
   * Time that the JavaScript thread has spent in the addon (receiving, opening, sealing, sending), ms.
   * What its CPU time has beyond that is JavaScript, the event loop and garbage collection.
   */
  nativeMs: number;
}

export interface WireTotals {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  packetsOut: number;
  packetsLostIn: number;
  resends: number;
}

export type MessageHandler<R, T extends keyof R> = (
  player: Player<R>,
  value: R[T],
  meta: Meta,
) => void;

/** `view` is valid only until the handler returns. */
export type ViewHandler<R, V> = (player: Player<R>, view: V, meta: Meta) => void;

export type ReceiptHandler<R> = (
  player: Player<R>,
  receipt: number,
  outcome: ReceiptOutcome,
) => void;

export interface LeaveInfo extends CloseInfo {}
