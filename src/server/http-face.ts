/**
 * The HTTP face of a game server:
 *
 *   POST /v1/game/ticket   session token in, one-time ticket (WebSocket) and connect token (UDP) out
 *   GET  /v1/game/ws       WebSocket upgrade, `?ticket=`
 *   GET  /v1/healthz       launch convention
 *   GET  /metrics          where they are asked for
 *
 * Secrets travel here, so it is TLS, or behind a TLS proxy, or loopback in `dev`. Foreign pages are held
 * off by a Host allow-list, a JSON content type (a CORS answer only for `ws.allowedOrigins`) and single use.
 *
 * Who owns the port, and how bytes become requests, is a front's matter.
 */
import { API_VERSION, errorText, health, type MetricsPage } from '../ops/index.js';
import { plainAddress } from './addresses.js';
import { type HttpAnswer, type HttpRequest, jsonAnswer, problemAnswer } from './http-message.js';
import { Origins, type OriginsOptions } from './origins.js';
import { Problem } from './problem.js';
import { RateLimiter } from './rate-limiter.js';
import type { ServerOps } from './server-ops.js';
import type { Admitted } from './tickets.js';
import type { VerifiedSession, VerifySession } from './types.js';
import { isPlayerId, PLAYER_ID_BYTES_MAX } from './user-data.js';
import { Unverifiable, verify } from './verify.js';

const TICKET = 'ticket';
/** Names of the routes in metrics and logs. */
const ROUTES: ReadonlyMap<string, string> = new Map([
  ['/v1/game/ticket', TICKET],
  ['/v1/game/ws', 'ws'],
  ['/v1/healthz', 'healthz'],
  ['/metrics', 'metrics'],
]);

export interface MintedTicket {
  ticket: string;
  connectToken: Uint8Array | null;
  expiresInSeconds: number;
}

export interface TicketRequest {
  session: VerifiedSession;
  /** When the request came, by `nowMs`: its session was verified after that. */
  askedMs: number;
  /** Where the request came to. */
  localAddress: string;
  /** The session that is to go on; null: a new one. */
  resume: string | null;
}

/** Who may open a WebSocket. */
export interface Entrance {
  readonly admitted: Admitted;
  /** The client's address, also where a proxy stands in between. */
  readonly source: string;
}

export interface HttpFaceOptions extends OriginsOptions {
  trustProxy: boolean;
  /** `Host` values taken in dev mode, lower case, without port; null: any. */
  allowedHosts: Set<string> | null;
  verifySession: VerifySession;
  ticketsPerSecond: number;
  ticketBurst: number;
  nowMs: () => number;
  ops: ServerOps;
  metricsPage: () => Promise<MetricsPage>;
  /** Whether nothing is taken from this address. */
  isBlocked: (address: string) => boolean;
  isDraining: () => boolean;
  /** @throws Problem */
  mint: (request: TicketRequest) => MintedTicket;
  /** Uses the ticket of a WebSocket up. @throws Problem */
  admit: (ticket: string) => Admitted;
}

export class HttpFace {
  /** Requests from blocked addresses. */
  blockedCount = 0;
  readonly #options: HttpFaceOptions;
  readonly #limiter: RateLimiter;
  readonly #origins: Origins;

  constructor(options: HttpFaceOptions) {
    this.#options = options;
    this.#origins = new Origins(options);
    this.#limiter = new RateLimiter(options.ticketsPerSecond, options.ticketBurst, options.nowMs);
  }

  /** Never rejects. */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    let answer: HttpAnswer;
    try {
      answer = await this.#route(request);
    } catch (error) {
      answer = problemAnswer(this.#problemOf(error));
    }
    if (routeOf(request) === TICKET) answer = this.#origins.mark(request, answer);
    this.#options.ops.handleRequest(routeOf(request), answer.status);
    return answer;
  }

  /** Whether a request for a WebSocket is granted; the answer that refuses it if not. */
  admit(request: HttpRequest): Entrance | HttpAnswer {
    const { ops } = this.#options;
    const route = routeOf(request);
    try {
      const source = this.#checkSource(request);
      this.#checkHost(request);
      const url = urlOf(request);
      if (url.pathname !== '/v1/game/ws') throw new Problem(404, 'not-found', 'no such socket');
      this.#origins.check(request);
      const admitted = this.#options.admit(url.searchParams.get('ticket') ?? '');
      ops.handleRequest(route, 101);
      return { admitted, source };
    } catch (error) {
      const problem = this.#problemOf(error);
      ops.handleRequest(route, problem.status);
      return problemAnswer(problem);
    }
  }

  /** What went wrong at our side is logged, and not told to strangers. */
  handleFailure(error: unknown): void {
    this.#options.ops.logger.error({ error: errorText(error) }, 'request failed');
  }

  async #route(request: HttpRequest): Promise<HttpAnswer> {
    this.#checkSource(request);
    this.#checkHost(request);
    const url = urlOf(request);
    switch (url.pathname) {
      case '/v1/healthz':
        return this.#health(request);
      case '/v1/game/ticket':
        return this.#ticket(request);
      case '/metrics':
        return this.#metrics(request);
    }
    throw new Problem(404, 'not-found', `no route ${url.pathname}`);
  }

  #health(request: HttpRequest): HttpAnswer {
    if (request.method !== 'GET') throw methodNotAllowed('GET');
    return jsonAnswer(health(this.#options.isDraining()), { 'X-API-Version': API_VERSION });
  }

  async #metrics(request: HttpRequest): Promise<HttpAnswer> {
    const { gate } = this.#options.ops;
    if (gate === null) throw new Problem(404, 'not-found', 'metrics are off');
    if (request.method !== 'GET') throw methodNotAllowed('GET');
    if (!gate.admits(request.header('authorization'))) {
      const refusal = problemAnswer(
        new Problem(401, 'unauthenticated', 'the bearer is missing or wrong'),
      );
      return { ...refusal, headers: { ...refusal.headers, 'WWW-Authenticate': 'Bearer' } };
    }
    const { contentType, text } = await this.#options.metricsPage();
    const headers = { 'Content-Type': contentType, 'Cache-Control': 'no-store' };
    return { status: 200, headers, body: text, isLast: false };
  }

  async #ticket(request: HttpRequest): Promise<HttpAnswer> {
    const preflight = request.method === 'OPTIONS' ? this.#origins.preflight(request) : null;
    if (preflight !== null) return preflight;
    if (request.method !== 'POST') throw methodNotAllowed('POST');
    this.#origins.check(request);
    const askedMs = this.#options.nowMs();
    const waitS = this.#limiter.take(this.#peerAddress(request));
    if (waitS > 0) throw new Problem(429, 'rate-limited', 'too many tickets asked', waitS);
    const contentType = (request.header('content-type') ?? '').split(';')[0].trim().toLowerCase();
    if (contentType !== 'application/json') {
      throw new Problem(415, 'unsupported-media-type', 'the body must be application/json');
    }
    const resume = resumeOf(jsonOf(await request.readBody()));
    const token = request.header('x-session-token') ?? '';
    if (token === '') {
      throw new Problem(401, 'unauthenticated', 'X-Session-Token is missing');
    }
    const session = await verify(this.#options.verifySession, token);
    if (session === null) throw new Problem(401, 'unauthenticated', 'session token refused');
    if (!isPlayerId(session.playerId)) {
      throw new Problem(403, 'bad-player-id', `a player id has 1…${PLAYER_ID_BYTES_MAX} bytes`);
    }
    const { localAddress } = request;
    const minted = this.#options.mint({ session, askedMs, localAddress, resume });
    const { ticket, connectToken, expiresInSeconds } = minted;
    const body = {
      ticket,
      connectToken: connectToken === null ? null : Buffer.from(connectToken).toString('base64'),
      expiresInSeconds,
    };
    return jsonAnswer(body, { 'Cache-Control': 'no-store' });
  }

  /** The client's address. */
  #checkSource(request: HttpRequest): string {
    const source = this.#peerAddress(request);
    if (!this.#options.isBlocked(source)) return source;
    this.blockedCount++;
    throw new Problem(403, 'blocked', 'nothing is taken from this address');
  }

  #checkHost(request: HttpRequest): void {
    const { allowedHosts } = this.#options;
    if (allowedHosts === null) return;
    const host = (request.header('host') ?? '').toLowerCase().replace(/:\d+$/, '');
    if (!allowedHosts.has(host)) throw new Problem(403, 'host-not-allowed', 'Host is not allowed');
  }

  #peerAddress(request: HttpRequest): string {
    const forwarded = this.#options.trustProxy ? request.header('x-forwarded-for') : undefined;
    if (forwarded === undefined) return request.remoteAddress;
    return plainAddress(forwarded.slice(forwarded.lastIndexOf(',') + 1).trim());
  }

  #problemOf(error: unknown): Problem {
    if (error instanceof Unverifiable) this.#options.ops.handleUnverifiable(error.why);
    if (error instanceof Problem) return error;
    this.handleFailure(error);
    return new Problem(500, 'internal', 'internal error');
  }
}

const NO_PARAMETERS = new URLSearchParams();

/**
 * Path and query as they stand. No `.`, `..` or `\\` means anything, and no host: a proxy's rules about
 * paths are to hold here too.
 */
function urlOf({ target }: HttpRequest): { pathname: string; searchParams: URLSearchParams } {
  if (!target.startsWith('/')) {
    throw new Problem(400, 'bad-url', 'the request target is not a path');
  }
  const queryAt = target.indexOf('?');
  return queryAt < 0
    ? { pathname: target, searchParams: NO_PARAMETERS }
    : {
        pathname: target.slice(0, queryAt),
        searchParams: new URLSearchParams(target.slice(queryAt)),
      };
}

/** A few words for all that may be asked: what strangers write goes into no label and no log. */
function routeOf({ target }: HttpRequest): string {
  return ROUTES.get(target.split('?')[0]) ?? 'other';
}

function methodNotAllowed(allowed: string): Problem {
  return new Problem(405, 'method-not-allowed', `only ${allowed}`);
}

function resumeOf(body: unknown): string | null {
  const resume = (body as { resume?: unknown } | null)?.resume ?? null;
  if (resume === null || (typeof resume === 'string' && /^[0-9a-f]{16}$/.test(resume)))
    return resume;
  throw new Problem(400, 'bad-resume', 'resume is a session id of 16 hex digits');
}

function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Problem(400, 'bad-json', 'the body is not JSON');
  }
}
