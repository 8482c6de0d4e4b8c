/**
 * The SDK's client. `new Client(options)` speaks JSON over HTTP and WebSocket;
 * `new Client(options, WithHighPerformanceTransport())` opts the game channel into UDP.
 */
import type { NxMode } from '../util/nx.js';
import { Api } from './api.js';
import type { Authenticator } from './auth/authenticator.js';
import type { Session } from './auth/session.js';
import { SessionKeeper } from './auth/session-keeper.js';
import { dialGame } from './dial.js';
import { createRequestId } from './http/request-id.js';
import type { RetryPolicy } from './http/retry.js';
import { type StdNetOptions, StdNetTransport } from './http/std-net-transport.js';
import type { CallOptions, Transport } from './http/transport.js';
import {
  type ClientConfig,
  readClientOption,
  readClientOptions,
  readDialOptions,
  readHighPerformance,
  readSessionToken,
  readSignal,
} from './options.js';
import { RealtimeClient } from './realtime/realtime-client.js';
import { dialRealtimeSocket, type RealtimeDial } from './realtime/realtime-dial.js';
import type { ReconnectPolicy } from './realtime/reconnect.js';
import { AccountService } from './services/account.js';
import { AuthService } from './services/auth.js';
import { ConfigService } from './services/config.js';
import { FleetsService } from './services/fleets.js';
import { FriendsService } from './services/friends.js';
import { GameSessionsService } from './services/game-sessions.js';
import { HealthService } from './services/health.js';
import { InvitesService } from './services/invites.js';
import { LeaderboardsService } from './services/leaderboards.js';
import { MatchmakerService } from './services/matchmaker.js';
import { PartiesService } from './services/parties.js';
import { PlayersService } from './services/players.js';
import { PresenceService } from './services/presence.js';
import { ProfileService } from './services/profile.js';
import { RealtimeService } from './services/realtime.js';
import { RelayService } from './services/relay.js';
import { ServerService } from './services/server.js';
import { SignalsService } from './services/signals.js';
import { StorageService } from './services/storage.js';
import type {
  ClientLogger,
  DialGameOptions,
  GameConnection,
  HighPerformanceSettings,
  MatchAddress,
} from './types.js';
import { DEFAULT_USER_AGENT } from './version.js';

export interface ClientOptions {
  apiKey: string;
  /** Absolute http(s) URL of the ggscale API, without user info, query or fragment. */
  baseUrl?: string;
  /** Replaces JSON over HTTP; then `baseUrl` may be left out, and with it realtime. */
  transport?: Transport;
  /** Default `ggscale-ts/<version>`. Browsers send their own. */
  userAgent?: string;
  /**
   * For one call, all its attempts and waits included. Left out: 30,000 for calls that bring neither
   * `timeoutMs` nor `signal`.
   */
  callTimeoutMs?: number;
  /** Larger answers are refused. Default 64 MiB. */
  maxResponseBodyBytes?: number;
  retryPolicy?: RetryPolicy;
  logger?: ClientLogger;
  /** Time for a WebSocket (or UDP) to open, once its ticket is there. Default 15,000. */
  webSocketHandshakeTimeoutMs?: number;
  /** Larger realtime messages end the connection, bytes. Default 1 MiB. */
  realtimeReadLimit?: number;
  reconnectPolicy?: ReconnectPolicy;
  /**
   * After a realtime connection is back: pushes of the outage are gone, so read anew what matters. Calls
   * follow one another; they hold up no reading, and what they throw is logged.
   */
  onRealtimeReconnect?: (client: Client) => void | Promise<void>;
  /** Each session that is installed: logged in, set, refreshed. Null: there is none any more. */
  onSessionUpdate?: (session: Session | null) => void | Promise<void>;
}

/** What client options may change. */
export interface ClientSettings {
  highPerformance: HighPerformanceSettings | null;
}

export type ClientOption = (settings: ClientSettings) => void;

export interface HighPerformanceOptions {
  /** How long an unanswered UDP handshake is waited for. Default 2,000. */
  handshakeTimeoutMs?: number;
  /**
   * What happens when there is no UDP path, or none any more: `json` (default) goes on over WebSocket
   * and logs one `transport.fallback` event with the reason; `error` rejects, or waits for UDP to come
   * back.
   */
  fallback?: 'json' | 'error';
  /**
   * Connection ids, roaming and keys of its own for each connection: `allow` (default) with servers
   * that know them, `require` with no other server, `off` never.
   */
  nx?: NxMode;
}

/** Opts game connections into UDP + FlatBuffers. Nothing else of the client changes. */
export function WithHighPerformanceTransport(options: HighPerformanceOptions = {}): ClientOption {
  const highPerformance = readHighPerformance(options);
  return (settings) => {
    settings.highPerformance = highPerformance;
  };
}

export class Client {
  /** The request transport: JSON over HTTP, with and without the high-performance option. */
  readonly transport: Transport;
  readonly auth: AuthService;
  readonly matchmaker: MatchmakerService;
  readonly realtime: RealtimeService;
  readonly parties: PartiesService;
  readonly gameSessions: GameSessionsService;
  readonly signals: SignalsService;
  readonly invites: InvitesService;
  readonly relay: RelayService;
  readonly leaderboards: LeaderboardsService;
  readonly storage: StorageService;
  readonly account: AccountService;
  readonly profile: ProfileService;
  readonly players: PlayersService;
  readonly friends: FriendsService;
  readonly presence: PresenceService;
  readonly fleets: FleetsService;
  readonly config: ConfigService;
  readonly health: HealthService;
  /** What game servers ask, with a secret key. */
  readonly server: ServerService;
  readonly #config: ClientConfig;
  readonly #api: Api;
  readonly #keeper: SessionKeeper;
  readonly #settings: ClientSettings = { highPerformance: null };
  /** What `setSessionToken` set; null: the session's. */
  #sessionToken: string | null = null;
  #reconnectHooks: Promise<void> = Promise.resolve();

  constructor(options: ClientOptions, ...clientOptions: ClientOption[]) {
    const config = readClientOptions(options);
    const { apiKey, callTimeoutMs, logger } = config;
    this.#config = config;
    this.transport = config.transport ?? new StdNetTransport(stdNetOptions(config));
    this.#keeper = new SessionKeeper({
      refresh: (refreshToken) => this.auth.refresh(refreshToken),
      onUpdate: (session) => this.#runHook('onSessionUpdate', config.onSessionUpdate, session),
    });
    const { transport } = this;
    const api = new Api({ transport, apiKey, keeper: this.#keeper, callTimeoutMs, logger });
    this.#api = api;
    this.auth = new AuthService(api);
    const dialRealtime = (options: { signal: AbortSignal }) => this.dialRealtime(options);
    this.matchmaker = new MatchmakerService({ api, dialRealtime });
    this.realtime = new RealtimeService(api);
    this.parties = new PartiesService(api);
    this.gameSessions = new GameSessionsService(api);
    this.signals = new SignalsService(api);
    this.invites = new InvitesService(api);
    this.relay = new RelayService(api);
    this.leaderboards = new LeaderboardsService(api);
    this.storage = new StorageService(api);
    this.account = new AccountService(api);
    this.profile = new ProfileService(api);
    this.players = new PlayersService(api);
    this.friends = new FriendsService(api);
    this.presence = new PresenceService(api);
    this.fleets = new FleetsService(api);
    this.config = new ConfigService(api);
    this.health = new HealthService(api);
    this.server = new ServerService(api);
    for (const [index, option] of clientOptions.entries()) {
      readClientOption(option, index)(this.#settings);
    }
  }

  /** Logs in; from then on calls are the player's. @throws what the authenticator throws */
  async login(authenticator: Authenticator, options: CallOptions = {}): Promise<Session> {
    const { transport } = this;
    const context = { ...options, transport, apiKey: this.#config.apiKey };
    const session = await authenticator.authenticate(context);
    this.setSession(session);
    return session;
  }

  /** The session as it is now, refreshed or not; null: nobody is logged in. */
  get session(): Session | null {
    return this.#keeper.session;
  }

  /** Installs a session that was kept, null: logs out here (`auth.logout` does on the server). */
  setSession(session: Session | null): void {
    this.#keeper.set(session);
    this.#sessionToken = null;
  }

  /** Sets the token that `dialGame` shows to game servers, whoever is logged in, until the next login. */
  setSessionToken(token: string): void {
    this.#sessionToken = readSessionToken(token);
  }

  /**
   * Opens the realtime connection: what the server pushes to the player. It needs a session.
   *
   * @throws RealtimeDialError not opened; ErrNoSession; GGScaleError, RequestError
   */
  async dialRealtime(options: { signal?: AbortSignal } = {}): Promise<RealtimeClient> {
    const signal = readSignal(options);
    const { baseUrl, handshakeTimeoutMs, realtimeReadBytesMax, reconnect, logger } = this.#config;
    const { transport } = this;
    const ours = transport instanceof StdNetTransport ? transport : null;
    const dial: RealtimeDial = {
      api: this.#api,
      baseUrl: baseUrl || (ours?.baseUrl ?? ''),
      userAgent: this.#config.userAgent ?? ours?.userAgent ?? DEFAULT_USER_AGENT,
      requestId: createRequestId(),
      handshakeTimeoutMs,
      readBytesMax: realtimeReadBytesMax,
    };
    const host = {
      dial: (again: AbortSignal) => dialRealtimeSocket(dial, again),
      policy: reconnect,
      onReconnect: () => this.#handleReconnect(),
      logger,
      now: () => performance.now(),
    };
    return new RealtimeClient(host, await dialRealtimeSocket(dial, signal));
  }

  /**
   * Opens the game channel of a game server: JSON over WebSocket, or UDP with the option.
   *
   * @param addressOrMatch `host:port`, an http(s) URL, or what matchmaking returned
   * @throws TransportError bad-option, bad-address; GGScaleError the ticket was refused; RequestError no answer; GameDialError no wire
   */
  async dialGame<R extends object = Record<string, unknown>>(
    addressOrMatch: string | MatchAddress,
    options: DialGameOptions<R> = {},
  ): Promise<GameConnection<R>> {
    const { registry, sessionToken, signal, channels } = readDialOptions(options);
    return dialGame<R>(addressOrMatch, {
      registry,
      sessionToken: sessionToken ?? (() => this.#gameToken()),
      signal,
      highPerformance: this.#settings.highPerformance,
      handshakeTimeoutMs: this.#config.handshakeTimeoutMs,
      logger: this.#config.logger,
      channels,
    });
  }

  /** Without a session it is empty: the game server decides what that is worth. */
  async #gameToken(): Promise<string> {
    if (this.#sessionToken !== null) return this.#sessionToken;
    return this.#keeper.session === null ? '' : this.#keeper.token();
  }

  #handleReconnect(): void {
    const { onRealtimeReconnect } = this.#config;
    this.#reconnectHooks = this.#reconnectHooks.then(() =>
      this.#runHook('onRealtimeReconnect', onRealtimeReconnect, this),
    );
  }

  /** Never rejects: a hook's fault is not the fault of the call that led to it. */
  async #runHook<T>(
    name: string,
    hook: ((value: T) => void | Promise<void>) | null,
    value: T,
  ): Promise<void> {
    try {
      await hook?.(value);
    } catch (error) {
      const event = 'client.hook-failed';
      this.#config.logger.warn({ event, hook: name, err: error }, event);
    }
  }
}

function stdNetOptions(config: ClientConfig): StdNetOptions {
  const { baseUrl, apiKey, userAgent, callTimeoutMs, maxResponseBodyBytes, logger } = config;
  const options: StdNetOptions = { baseUrl, apiKey, logger, retryPolicy: config.retryPolicy };
  if (userAgent !== null) options.userAgent = userAgent;
  if (callTimeoutMs !== null) options.callTimeoutMs = callTimeoutMs;
  if (maxResponseBodyBytes !== null) options.maxResponseBodyBytes = maxResponseBodyBytes;
  return options;
}
