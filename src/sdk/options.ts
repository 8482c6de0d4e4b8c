/** Validation of what programs give to the SDK: every refusal names the field, value and range. */
import { createRegistry } from '../messages/index.js';
import type { Registry } from '../messages/types.js';
import { readChannels } from '../session/channels.js';
import { badOption, TransportError } from '../util/errors.js';
import { integer, number, oneOf, refuseUnknown } from '../util/option-checks.js';
import type { Session } from './auth/session.js';
import type { Client, ClientOption, ClientOptions, HighPerformanceOptions } from './client.js';
import { readBaseUrl } from './http/base-url.js';
import { type RetrySettings, readRetryPolicy } from './http/retry.js';
import type { Transport } from './http/transport.js';
import { type ReconnectSettings, readReconnectPolicy } from './realtime/reconnect.js';
import type {
  ClientLogger,
  DialGameOptions,
  HighPerformanceSettings,
  SessionToken,
} from './types.js';

const KNOWN = new Set(
  ['apiKey', 'baseUrl', 'transport', 'userAgent', 'callTimeoutMs', 'maxResponseBodyBytes'].concat(
    ['retryPolicy', 'logger', 'webSocketHandshakeTimeoutMs', 'realtimeReadLimit'],
    ['reconnectPolicy', 'onRealtimeReconnect', 'onSessionUpdate'],
  ),
);
const KNOWN_HIGH_PERFORMANCE = new Set(['handshakeTimeoutMs', 'fallback', 'nx']);
const KNOWN_DIAL = new Set(['registry', 'sessionToken', 'signal', 'channels']);

const KNOWN_READ = new Set(['signal']);

const SILENT: ClientLogger = { info() {}, warn() {} };
const HANDSHAKE_TIMEOUT_MS = 15_000;
const UDP_HANDSHAKE_TIMEOUT_MS = 2000;
const UDP_HANDSHAKE_TIMEOUT_MS_MAX = 60_000;
/** What a timer can wait; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
/** As much as the server itself takes in one message. */
const REALTIME_READ_BYTES = 1024 * 1024;
/** What a string of this engine can hold for sure. */
const BODY_BYTES_MAX = 2 ** 29 - 24;
/** Printable ASCII: what every HTTP client can write into a header. */
const USER_AGENT = /^[ -~]+$/;

export interface ClientConfig {
  apiKey: string;
  /** '' with a transport of the program's own. */
  baseUrl: string;
  transport: Transport | null;
  userAgent: string | null;
  /** Null: the default, for calls that bring no limit of their own. */
  callTimeoutMs: number | null;
  maxResponseBodyBytes: number | null;
  retryPolicy: RetrySettings;
  logger: ClientLogger;
  handshakeTimeoutMs: number;
  realtimeReadBytesMax: number;
  reconnect: ReconnectSettings;
  onRealtimeReconnect: ((client: Client) => void | Promise<void>) | null;
  onSessionUpdate: ((session: Session | null) => void | Promise<void>) | null;
}

/** @throws TransportError bad-option */
export function readClientOptions(options: ClientOptions): ClientConfig {
  refuseUnknown('', options, KNOWN);
  // The value is a secret: it is not repeated in the message.
  if (typeof options.apiKey !== 'string' || options.apiKey === '') {
    throw new TransportError('bad-option', 'ggscale: APIKey is required');
  }
  const { transport, baseUrl, logger = SILENT } = options;
  if (transport === undefined && !baseUrl) {
    throw new TransportError('bad-option', 'ggscale: either Transport or BaseURL is required');
  }
  if (transport !== undefined && typeof transport?.call !== 'function') {
    throw badOption('transport', transport, 'an object with a method call');
  }
  if (typeof logger?.info !== 'function' || typeof logger.warn !== 'function') {
    throw badOption('logger', logger, 'an object with info and warn');
  }
  const timeoutMs = options.webSocketHandshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
  return {
    apiKey: options.apiKey,
    baseUrl: transport === undefined || baseUrl !== undefined ? readBaseUrl(baseUrl) : '',
    transport: transport ?? null,
    logger: guarded(logger),
    handshakeTimeoutMs: number('webSocketHandshakeTimeoutMs', timeoutMs, 1, TIMEOUT_MS_MAX),
    ...readCallLimits(options),
    realtimeReadBytesMax: integer(
      'realtimeReadLimit',
      options.realtimeReadLimit ?? REALTIME_READ_BYTES,
      1,
      BODY_BYTES_MAX,
    ),
    reconnect: readReconnectPolicy(options.reconnectPolicy),
    onRealtimeReconnect: readHook('onRealtimeReconnect', options.onRealtimeReconnect),
    onSessionUpdate: readHook('onSessionUpdate', options.onSessionUpdate),
  };
}

/** A logger that throws loses its line; the call that it was told of goes on. */
function guarded(logger: ClientLogger): ClientLogger {
  const tell = (level: 'info' | 'warn') => (fields: object, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // its own fault
    }
  };
  return { info: tell('info'), warn: tell('warn') };
}

/** What the default transport obeys; of these, one of the program's own is given the timeout only. */
function readCallLimits(options: ClientOptions) {
  const { userAgent = null, callTimeoutMs = null, maxResponseBodyBytes = null } = options;
  if (userAgent !== null && !(typeof userAgent === 'string' && USER_AGENT.test(userAgent))) {
    throw badOption('userAgent', userAgent, 'printable ASCII');
  }
  if (callTimeoutMs !== null) integer('callTimeoutMs', callTimeoutMs, 1, TIMEOUT_MS_MAX);
  if (maxResponseBodyBytes !== null) {
    integer('maxResponseBodyBytes', maxResponseBodyBytes, 1, BODY_BYTES_MAX);
  }
  const retryPolicy = readRetryPolicy(options.retryPolicy);
  return { userAgent, callTimeoutMs, maxResponseBodyBytes, retryPolicy };
}

/** @throws TransportError bad-option */
function readHook<T>(name: string, hook: T | undefined): T | null {
  if (hook === undefined) return null;
  if (typeof hook !== 'function') throw badOption(name, hook, 'a function');
  return hook;
}

/** @throws TransportError bad-option */
export function readClientOption(option: ClientOption, index: number): ClientOption {
  if (typeof option === 'function') return option;
  throw badOption(`option ${index + 1}`, option, 'what WithHighPerformanceTransport returns');
}

/** @throws TransportError bad-option */
export function readHighPerformance(options: HighPerformanceOptions): HighPerformanceSettings {
  refuseUnknown('', options, KNOWN_HIGH_PERFORMANCE);
  const timeoutMs = options.handshakeTimeoutMs ?? UDP_HANDSHAKE_TIMEOUT_MS;
  return {
    handshakeTimeoutMs: number('handshakeTimeoutMs', timeoutMs, 1, UDP_HANDSHAKE_TIMEOUT_MS_MAX),
    fallback: oneOf('fallback', options.fallback ?? 'json', ['json', 'error']),
    nx: oneOf('nx', options.nx ?? 'allow', ['off', 'allow', 'require']),
  };
}

export interface DialConfig {
  registry: Registry<object>;
  /** Null: the client's. */
  sessionToken: SessionToken | null;
  signal: AbortSignal | null;
  channels: ReturnType<typeof readChannels>;
}

/** @throws TransportError bad-option */
export function readDialOptions<R extends object>(options: DialGameOptions<R>): DialConfig {
  refuseUnknown('', options, KNOWN_DIAL);
  const { registry, sessionToken, signal } = options;
  if (registry !== undefined && typeof registry?.typeByName !== 'function') {
    throw badOption('registry', registry, 'what createRegistry returns');
  }
  checkSignal(signal);
  return {
    registry: (registry ?? createRegistry({})) as Registry<object>,
    sessionToken: sessionToken === undefined ? null : readDialToken(sessionToken),
    signal: signal ?? null,
    channels: readChannels(options.channels),
  };
}

/** Of `readMessage`. @throws TransportError bad-option */
export function readSignal(options: { signal?: AbortSignal }): AbortSignal | undefined {
  refuseUnknown('', options, KNOWN_READ);
  checkSignal(options.signal);
  return options.signal;
}

/** Not instanceof: a signal may be of another realm. */
function checkSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw badOption('signal', signal, 'an AbortSignal');
  }
}

/** @throws TransportError bad-option */
function readDialToken(token: SessionToken): SessionToken {
  return typeof token === 'function' ? token : readSessionToken(token);
}

/** @throws TransportError bad-option */
export function readSessionToken(token: string): string {
  if (typeof token === 'string') return token;
  // Whatever it is, it may be a secret: it is not repeated in the message.
  throw new TransportError('bad-option', 'ggscale: sessionToken must be a string');
}
