/**
 * The HTTP face of a game server:
 *
 *   POST /v1/game/ticket   session token in, one-time ticket (WebSocket) and connect token (UDP) out
 *   GET  /v1/game/ws       WebSocket upgrade, `?ticket=`
 *   GET  /v1/healthz       launch convention
 *   GET  /metrics          where they are asked for
 *
 * Secrets travel here, so it is TLS, or behind a TLS proxy, or loopback in `dev`. Browsers are held
 * off by a Host allow-list, a JSON content type (no CORS answer is ever given) and single use.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { API_VERSION, errorText, health, type MetricsPage } from '../ops/index.js';
import { TransportError } from '../util/errors.js';
import { plainAddress } from './addresses.js';
import type { TlsMaterial } from './options.js';
import { Problem, sendProblem } from './problem.js';
import { RateLimiter } from './rate-limiter.js';
import type { ServerOps } from './server-ops.js';
import type { VerifiedSession, VerifySession } from './types.js';
import { isPlayerId, PLAYER_ID_BYTES_MAX } from './user-data.js';

const BODY_BYTES_MAX = 4096;
const RETRY_AFTER_CAPACITY_S = 5;
const REQUEST_TIMEOUT_MS = 10_000;
/** Names of the routes in metrics and logs. */
const ROUTES: ReadonlyMap<string, string> = new Map([
  ['/v1/game/ticket', 'ticket'],
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
  playerId: string;
  /** Where the request came to. */
  localAddress: string;
  /** The session that is to go on; null: a new one. */
  resume: string | null;
}

export interface HttpFaceOptions {
  host: string;
  port: number;
  dev: boolean;
  trustProxy: boolean;
  tls: TlsMaterial | null;
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
  /** Null when there is no room for another player. */
  mint: (request: TicketRequest) => MintedTicket | null;
  /** `source`: the client's address, also where a proxy stands in between. */
  upgrade: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    url: URL,
    source: string,
  ) => void;
}

export class HttpFace {
  /** Requests from blocked addresses. */
  blockedCount = 0;
  readonly #options: HttpFaceOptions;
  readonly #server: Server;
  readonly #limiter: RateLimiter;

  constructor(options: HttpFaceOptions) {
    this.#options = options;
    this.#limiter = new RateLimiter(options.ticketsPerSecond, options.ticketBurst, options.nowMs);
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response)
        .catch((error) => this.#fail(response, error))
        .finally(() => options.ops.handleRequest(routeOf(request), response.statusCode));
    };
    this.#server =
      options.tls === null ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS;
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#handleUpgrade(request, socket, head);
    });
  }

  /** @throws TransportError address-in-use, permission-denied, bad-address */
  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(listenError(error, host, port));
      });
      this.#server.listen({ host, port, exclusive: true }, () => {
        const address = this.#server.address() as AddressInfo;
        resolve({ host: plainAddress(address.address), port: address.port });
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#checkSource(request);
    this.#checkHost(request);
    const url = requestUrl(request);
    switch (url.pathname) {
      case '/v1/healthz':
        return this.#health(request, response);
      case '/v1/game/ticket':
        return this.#ticket(request, response);
      case '/metrics':
        return this.#metrics(request, response);
    }
    throw new Problem(404, 'not-found', `no route ${url.pathname}`);
  }

  #health(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET') throw methodNotAllowed('GET');
    response.setHeader('X-API-Version', API_VERSION);
    sendJson(response, health());
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { gate } = this.#options.ops;
    if (gate === null) throw new Problem(404, 'not-found', 'metrics are off');
    if (request.method !== 'GET') throw methodNotAllowed('GET');
    if (!gate.admits(request.headers.authorization)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      throw new Problem(401, 'unauthenticated', 'the bearer is missing or wrong');
    }
    const { contentType, text } = await this.#options.metricsPage();
    response.setHeader('Content-Type', contentType);
    response.setHeader('Cache-Control', 'no-store');
    response.end(text);
  }

  async #ticket(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') throw methodNotAllowed('POST');
    const options = this.#options;
    const waitS = this.#limiter.take(this.#peerAddress(request));
    if (waitS > 0) throw new Problem(429, 'rate-limited', 'too many tickets asked', waitS);
    const contentType = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
    if (contentType !== 'application/json') {
      throw new Problem(415, 'unsupported-media-type', 'the body must be application/json');
    }
    const resume = resumeOf(await readJsonBody(request));
    const token = request.headers['x-session-token'];
    if (typeof token !== 'string' || token.length === 0) {
      throw new Problem(401, 'unauthenticated', 'X-Session-Token is missing');
    }
    const session = await this.#verify(token);
    if (session === null) throw new Problem(401, 'unauthenticated', 'session token refused');
    if (!isPlayerId(session.playerId)) {
      throw new Problem(403, 'bad-player-id', `a player id has 1…${PLAYER_ID_BYTES_MAX} bytes`);
    }
    const localAddress = plainAddress(request.socket.localAddress ?? '');
    const minted = options.mint({ playerId: session.playerId, localAddress, resume });
    if (minted === null) {
      throw new Problem(503, 'server-full', 'no room for another player', RETRY_AFTER_CAPACITY_S);
    }
    const { ticket, connectToken, expiresInSeconds } = minted;
    response.setHeader('Cache-Control', 'no-store');
    sendJson(response, {
      ticket,
      connectToken: connectToken === null ? null : Buffer.from(connectToken).toString('base64'),
      expiresInSeconds,
    });
  }

  /** The program's hook. What it throws may repeat the token, which is not for the log. */
  async #verify(token: string): Promise<VerifiedSession | null> {
    try {
      return await this.#options.verifySession(token);
    } catch (error) {
      throw new Error(`verifySession failed: ${errorText(error, token)}`);
    }
  }

  #handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { ops } = this.#options;
    const route = routeOf(request);
    try {
      const source = this.#checkSource(request);
      this.#checkHost(request);
      const url = requestUrl(request);
      if (url.pathname !== '/v1/game/ws') throw new Problem(404, 'not-found', 'no such socket');
      this.#options.upgrade(request, socket, head, url, source);
      ops.handleRequest(route, 101);
    } catch (error) {
      const problem = this.#problemOf(error);
      refuseUpgrade(socket, problem);
      ops.handleRequest(route, problem.status);
    }
  }

  /** The client's address. */
  #checkSource(request: IncomingMessage): string {
    const source = this.#peerAddress(request);
    if (!this.#options.isBlocked(source)) return source;
    this.blockedCount++;
    throw new Problem(403, 'blocked', 'nothing is taken from this address');
  }

  #checkHost(request: IncomingMessage): void {
    const { allowedHosts } = this.#options;
    if (allowedHosts === null) return;
    const host = (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
    if (!allowedHosts.has(host)) throw new Problem(403, 'host-not-allowed', 'Host is not allowed');
  }

  #peerAddress(request: IncomingMessage): string {
    const forwarded = request.headers['x-forwarded-for'];
    if (this.#options.trustProxy && typeof forwarded === 'string') {
      return plainAddress(forwarded.slice(forwarded.lastIndexOf(',') + 1).trim());
    }
    return plainAddress(request.socket.remoteAddress ?? '');
  }

  #fail(response: ServerResponse, error: unknown): void {
    sendProblem(response, this.#problemOf(error));
  }

  /** What is nobody's refusal is our own failure: it is logged, and not told to strangers. */
  #problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    this.#options.ops.logger.error({ error: errorText(error) }, 'request failed');
    return new Problem(500, 'internal', 'internal error');
  }
}

/** Answers a refused upgrade as HTTP, then closes. */
function refuseUpgrade(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problem.toJson());
  // The peer may never hang up, and nobody else watches this socket.
  socket.once('finish', () => socket.destroy());
  const retry = problem.retryAfterS > 0 ? `Retry-After: ${problem.retryAfterS}\r\n` : '';
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code}\r\nConnection: close\r\n${retry}` +
      'Content-Type: application/problem+json\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function requestUrl(request: IncomingMessage): URL {
  const text = request.url ?? '/';
  if (!text.startsWith('/') || !URL.canParse(text, 'http://host')) {
    throw new Problem(400, 'bad-url', 'the request target is not a path');
  }
  return new URL(text, 'http://host');
}

/** A few words for all that may be asked: what strangers write goes into no label and no log. */
function routeOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?')[0];
  return ROUTES.get(path) ?? 'other';
}

function sendJson(response: ServerResponse, value: object): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(value));
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

async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new Problem(413, 'body-too-large', 'at most 4 KiB');
    chunks.push(chunk);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Problem(400, 'bad-json', 'the body is not JSON');
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): TransportError {
  const where = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new TransportError('address-in-use', `ggscale: TCP ${where} is already in use`);
  }
  if (error.code === 'EACCES') {
    return new TransportError('permission-denied', `ggscale: no permission to listen on ${where}`);
  }
  return new TransportError('bad-address', `ggscale: cannot listen on ${where}: ${error.message}`);
}
