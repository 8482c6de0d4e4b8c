/**
 * A ggscale server of the recorded contract, for tests: real HTTP and WebSockets on a loopback port, state
 * in memory. Any route can be told to answer otherwise.
 */
import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Accounts, type EmailAccount, type Player } from './accounts.js';
import {
  type FakeAnswer,
  type HttpAnswer,
  plainText,
  Refusal,
  rejectUpgrade,
  writeAnswer,
} from './answers.js';
import { LIMITS } from './contract.js';
import { type AllowedOrigins, answerPreflight, corsHeaders, isOfOwnHost } from './cors.js';
import { GameRooms } from './game-rooms.js';
import { Matchmaker } from './matchmaker.js';
import { type FakeSocket, RealtimeHub } from './realtime-hub.js';
import { type Found, findOperation, type Gates, realtimePlayer, requestKey } from './routing.js';
import { type Leaderboard, Scoreboards } from './scoreboards.js';
import { type Backend, perform } from './services.js';
import { Storage } from './storage.js';
import type { Allocation } from './tickets.js';

export interface FakeLaunchOptions {
  /** The address to bind. Default 127.0.0.1. */
  host?: string;
  /** The keys that are accepted. Defaults `ggp_fake` and `ggs_fake`. */
  publishableKey?: string;
  secretKey?: string;
  /** Whose pages may ask. Default: every origin's, as in development. */
  allowedOrigins?: readonly string[];
  accounts?: EmailAccount[];
  /** What a `fleet_allocation` ticket of that fleet gets. */
  fleets?: Record<string, Allocation | (() => Allocation)>;
  leaderboards?: Leaderboard[];
  /** The project's remote config. Default: empty. */
  config?: object;
  pingIntervalMs?: number;
  accessTokenTtlMs?: number;
  refreshTokenTtlMs?: number;
  socketsPerPlayerMax?: number;
  /** Milliseconds; default Date.now. Of expiry and of `atMs`, not of pings. */
  now?: () => number;
  /** The timer of the pings; it returns what stops it. Default setInterval. */
  every?: (intervalMs: number, run: () => void) => () => void;
}

/** As it came in, before anything judged it. */
export interface RecordedRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** What stands after `?`, raw; empty without one. */
  query: string;
  /** Lower-cased names. */
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Uint8Array;
  atMs: number;
}

/**
 * Undefined: the fake answers as if nothing had been scripted.
 *
 * @param usual what it would have answered; asked for, it happens, so a login is a login
 */
export type Responder = (
  request: RecordedRequest,
  usual: () => FakeAnswer,
) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>;

interface Script {
  route: string;
  responder: Responder;
  left: number;
}

export class FakeLaunch {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  /** Every request, WebSocket upgrades included, in the order in which they were complete. */
  readonly requests: RecordedRequest[] = [];
  readonly accounts: Accounts;
  readonly matchmaker: Matchmaker;
  readonly scoreboards = new Scoreboards();
  readonly realtime: RealtimeHub;
  readonly #http: Server;
  readonly #backend: Backend;
  readonly #gates: Gates;
  readonly #allowedOrigins: AllowedOrigins;
  readonly #streams = new Set<Duplex>();
  #scripts: Script[] = [];

  static async start(options: FakeLaunchOptions = {}): Promise<FakeLaunch> {
    const http = createServer();
    const { host = '127.0.0.1' } = options;
    await new Promise<void>((resolve) => http.listen(0, host, resolve));
    return new FakeLaunch(http, options);
  }

  private constructor(http: Server, options: FakeLaunchOptions) {
    const { now = Date.now, allowedOrigins } = options;
    this.#allowedOrigins = allowedOrigins === undefined ? null : new Set(allowedOrigins);
    this.publishableKey = options.publishableKey ?? 'ggp_fake';
    this.secretKey = options.secretKey ?? 'ggs_fake';
    this.accounts = new Accounts({
      now,
      accessTokenTtlMs: options.accessTokenTtlMs ?? LIMITS.accessTokenTtlMs,
      refreshTokenTtlMs: options.refreshTokenTtlMs ?? LIMITS.refreshTokenTtlMs,
    });
    this.realtime = new RealtimeHub({
      now,
      pingIntervalMs: options.pingIntervalMs ?? LIMITS.pingIntervalMs,
      socketsPerPlayerMax: options.socketsPerPlayerMax ?? LIMITS.socketsPerPlayerMax,
      every: options.every ?? everyInterval,
      isStillGood: (player, epoch) => player.epoch === epoch && !player.isBanned,
    });
    const rooms = new GameRooms(now);
    this.matchmaker = new Matchmaker({
      now,
      push: (playerId, type, payload) => this.realtime.push(playerId, type, payload),
      openRoom: (host, players) => rooms.openFor(host, players),
    });
    this.#backend = {
      accounts: this.accounts,
      realtime: this.realtime,
      matchmaker: this.matchmaker,
      scoreboards: this.scoreboards,
      rooms,
      storage: new Storage(now),
      config: options.config ?? {},
      servers: new Map(),
      now,
    };
    this.#gates = {
      keys: new Map([
        [this.publishableKey, 'publishable'],
        [this.secretKey, 'secret'],
      ]),
      revokedKeys: new Set(),
      accounts: this.accounts,
      realtime: this.realtime,
    };
    for (const account of options.accounts ?? []) this.accounts.addEmail(account);
    for (const board of options.leaderboards ?? []) this.scoreboards.add(board);
    for (const [name, fleet] of Object.entries(options.fleets ?? {})) {
      this.matchmaker.fleets.set(name, fleet);
    }
    this.#http = http;
    const { address, port } = http.address() as AddressInfo;
    this.url = `http://${address}:${port}`;
    http.on('request', (request, response) => void this.#onRequest(request, response));
    http.on('upgrade', (request, stream, head) => void this.#onUpgrade(request, stream, head));
  }

  /** Every accepted WebSocket, in order. */
  get sockets(): readonly FakeSocket[] {
    return this.realtime.sockets;
  }

  /** From now on 403, as of a revoked key or a disabled tenant. */
  revokeKey(key: string): void {
    this.#gates.revokedKeys.add(key);
  }

  /**
   * Scripts a route: `POST /v1/auth/login`, with a real path or with the contract's `{id}`; `GET /v1/ws` for
   * the upgrade. Among several scripts of a route the oldest that is not used up answers.
   *
   * @param times how many requests it answers; default all
   */
  answer(
    route: `${string} /${string}`,
    answer: FakeAnswer | Responder,
    { times = Number.POSITIVE_INFINITY }: { times?: number } = {},
  ): void {
    const responder = typeof answer === 'function' ? answer : () => answer;
    this.#scripts.push({ route, responder, left: times });
  }

  /** Forgets what `answer` said. */
  answerAsUsual(): void {
    this.#scripts = [];
  }

  /** The recorded requests of one route. */
  requestsTo(route: `${string} /${string}`): RecordedRequest[] {
    return this.requests.filter((request) => matches(route, request));
  }

  async close(): Promise<void> {
    this.realtime.end();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    for (const stream of this.#streams) stream.destroy();
    await closed;
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await this.#record(request);
    if (recorded === null) return;
    const preflight = answerPreflight(this.#allowedOrigins, recorded);
    if (preflight !== null) return writeAnswer(response, preflight, {});
    const answer = await this.#answerTo(recorded, () =>
      perform(this.#backend, this.#gates, recorded),
    );
    await writeAnswer(response, answer, this.#alwaysOf(recorded));
  }

  async #onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    this.#streams.add(stream);
    stream.on('close', () => this.#streams.delete(stream));
    stream.on('error', () => {}); // it is closed then
    const recorded = await this.#record(request);
    if (recorded === null) return;
    let accepted: Player | null = null;
    const answer = await this.#answerTo(recorded, () => {
      accepted = realtimePlayer(this.#gates, recorded);
      const refusal = this.realtime.refusal(accepted.id);
      if (refusal !== null) throw new Refusal(refusal);
      if (!isOfOwnHost(recorded)) throw new Refusal(plainText(403, 'origin is not authorized'));
      return { status: 101 };
    });
    if (accepted !== null && (answer as HttpAnswer).status === 101) {
      this.realtime.accept(request, stream, head, accepted);
    } else {
      rejectUpgrade(stream, answer, this.#alwaysOf(recorded));
    }
  }

  /** Null: the client went away in the middle of it. */
  async #record(request: IncomingMessage): Promise<RecordedRequest | null> {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return null;
    }
    const [path, ...query] = (request.url ?? '').split('?');
    const recorded: RecordedRequest = {
      method: request.method ?? '',
      path,
      query: query.join('?'),
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks),
      atMs: this.#backend.now(),
    };
    this.requests.push(recorded);
    return recorded;
  }

  #alwaysOf(request: RecordedRequest): Record<string, string> {
    return {
      'X-API-Version': 'v1',
      'X-Request-Id': requestKey(request) ?? randomBytes(16).toString('hex'),
      ...corsHeaders(this.#allowedOrigins, request),
    };
  }

  async #answerTo(request: RecordedRequest, perform: () => FakeAnswer): Promise<FakeAnswer> {
    const usual = () => orRefusal(perform);
    for (const script of this.#scripts) {
      if (script.left <= 0 || !matches(script.route, request)) continue;
      script.left--;
      const answer = await script.responder(request, usual);
      if (answer !== undefined) return answer;
    }
    return usual();
  }
}

function everyInterval(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
}

function orRefusal(perform: () => FakeAnswer): FakeAnswer {
  try {
    return perform();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

function matches(route: string, request: RecordedRequest): boolean {
  const [method, path] = route.split(' ');
  if (method !== request.method) return false;
  if (path === request.path) return true;
  const found: Found | null = findOperation(request.method, request.path);
  return found !== null && found.endpoint.path === path;
}
