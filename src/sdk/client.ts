/**
 * The SDK's client. `new Client(options)` speaks JSON over HTTP and WebSocket;
 * `new Client(options, WithHighPerformanceTransport())` opts the game channel into UDP.
 */
import type { NxMode } from '../util/nx.js';
import { dialGame } from './dial.js';
import {
  readClientOption,
  readClientOptions,
  readDialOptions,
  readHighPerformance,
  readSessionToken,
} from './options.js';
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
  readonly #logger: ClientLogger;
  readonly #handshakeTimeoutMs: number;
  readonly #settings: ClientSettings = { highPerformance: null };
  #sessionToken = '';

  constructor(options: ClientOptions, ...clientOptions: ClientOption[]) {
    const { apiKey, baseUrl, transport, logger, handshakeTimeoutMs } = readClientOptions(options);
    this.transport = transport ?? new StdNetTransport({ baseUrl, apiKey });
    this.#logger = logger;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    for (const [index, option] of clientOptions.entries()) {
      readClientOption(option, index)(this.#settings);
    }
  }

  /** Sets the session token that `dialGame` shows to game servers. */
  setSessionToken(token: string): void {
    this.#sessionToken = readSessionToken(token);
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
      sessionToken: sessionToken ?? (() => this.#sessionToken),
      signal,
      highPerformance: this.#settings.highPerformance,
      handshakeTimeoutMs: this.#handshakeTimeoutMs,
      logger: this.#logger,
      channels,
    });
  }
}
