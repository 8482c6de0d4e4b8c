/**
 * The SDK's client. `new Client(options)` speaks JSON over HTTP and WebSocket;
 * `new Client(options, WithHighPerformanceTransport())` opts the game channel into UDP.
 */
import { createRegistry } from '../messages/index.js';
import type { Registry } from '../messages/types.js';
import { readChannels } from '../session/channels.js';
import { badOption, TransportError } from '../util/errors.js';
import { isNxMode, type NxMode } from '../util/nx.js';
import { dialGame } from './dial.js';
import { StdNetTransport, type Transport } from './transport.js';
import type {
  ClientLogger,
  DialGameOptions,
  GameConnection,
  HighPerformanceSettings,
  MatchAddress,
} from './types.js';

export interface ClientOptions {
  apiKey: string;
  /** Absolute http(s) URL of the ggscale API, without user info, query or fragment. */
  baseUrl?: string;
  /** Replaces JSON over HTTP; then `baseUrl` may be left out. */
  transport?: Transport;
  logger?: ClientLogger;
  /** Time for the WebSocket (or UDP) to open, once its ticket is there. Default 15,000. */
  webSocketHandshakeTimeoutMs?: number;
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
   * What happens when there is no UDP path: `json` (default) dials WebSocket and logs one
   * `transport.fallback` event with the reason; `error` rejects.
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
  const handshakeTimeoutMs = options.handshakeTimeoutMs ?? 2000;
  const fallback = options.fallback ?? 'json';
  if (!isMs(handshakeTimeoutMs, 60_000)) {
    throw badOption('handshakeTimeoutMs', handshakeTimeoutMs, '1…60000');
  }
  if (fallback !== 'json' && fallback !== 'error') {
    throw badOption('fallback', fallback, "'json' or 'error'");
  }
  const nx = options.nx ?? 'allow';
  if (!isNxMode(nx)) throw badOption('nx', nx, "'off', 'allow' or 'require'");
  return (settings) => {
    settings.highPerformance = { handshakeTimeoutMs, fallback, nx };
  };
}

const SILENT: ClientLogger = { info() {}, warn() {} };
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** What a timer can wait; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export class Client {
  /** The request transport: JSON over HTTP, with and without the high-performance option. */
  readonly transport: Transport;
  readonly #logger: ClientLogger;
  readonly #handshakeTimeoutMs: number;
  readonly #settings: ClientSettings = { highPerformance: null };
  #sessionToken = '';

  constructor(options: ClientOptions, ...clientOptions: ClientOption[]) {
    if (typeof options.apiKey !== 'string' || options.apiKey === '') {
      throw new TransportError('bad-option', 'ggscale: APIKey is required');
    }
    if (options.transport === undefined && !options.baseUrl) {
      throw new TransportError('bad-option', 'ggscale: either Transport or BaseURL is required');
    }
    const timeoutMs = options.webSocketHandshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    if (!isMs(timeoutMs, TIMEOUT_MS_MAX)) {
      throw badOption('webSocketHandshakeTimeoutMs', timeoutMs, `1…${TIMEOUT_MS_MAX}`);
    }
    this.transport =
      options.transport ??
      new StdNetTransport({
        baseUrl: readBaseUrl(options.baseUrl as string),
        apiKey: options.apiKey,
      });
    this.#logger = options.logger ?? SILENT;
    this.#handshakeTimeoutMs = timeoutMs;
    for (const apply of clientOptions) apply(this.#settings);
  }

  /** Sets the session token that `dialGame` shows to game servers. */
  setSessionToken(token: string): void {
    this.#sessionToken = token;
  }

  /**
   * Opens the game channel of a game server: JSON over WebSocket, or UDP with the option.
   *
   * @param addressOrMatch `host:port`, an http(s) URL, or what matchmaking returned
   * @throws GGScaleError the ticket was refused; RequestError no answer; GameDialError no wire
   */
  dialGame<R extends object = Record<string, unknown>>(
    addressOrMatch: string | MatchAddress,
    options: DialGameOptions<R> = {},
  ): Promise<GameConnection<R>> {
    return dialGame<R>(addressOrMatch, {
      registry: (options.registry ?? createRegistry({})) as Registry<object>,
      sessionToken: options.sessionToken ?? this.#sessionToken,
      signal: options.signal ?? null,
      highPerformance: this.#settings.highPerformance,
      handshakeTimeoutMs: this.#handshakeTimeoutMs,
      logger: this.#logger,
      channels: readChannels(options.channels),
    });
  }
}

function readBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (!isHttp || url.username || url.password || url.search || url.hash) {
    throw badOption('baseUrl', text, 'an absolute http(s) URL without user info, query, fragment');
  }
  return text.replace(/\/+$/, '');
}

function isMs(value: unknown, max: number): boolean {
  return typeof value === 'number' && value >= 1 && value <= max;
}
