/** Validation of what programs give to the SDK: every refusal names the field, value and range. */
import { createRegistry } from '../messages/index.js';
import type { Registry } from '../messages/types.js';
import { readChannels } from '../session/channels.js';
import { badOption, TransportError } from '../util/errors.js';
import { number, oneOf, refuseUnknown } from '../util/option-checks.js';
import type { ClientOption, ClientOptions, HighPerformanceOptions } from './client.js';
import type { Transport } from './transport.js';
import type {
  ClientLogger,
  DialGameOptions,
  HighPerformanceSettings,
  SessionToken,
} from './types.js';

const KNOWN = new Set(['apiKey', 'baseUrl', 'transport', 'logger', 'webSocketHandshakeTimeoutMs']);
const KNOWN_HIGH_PERFORMANCE = new Set(['handshakeTimeoutMs', 'fallback', 'nx']);
const KNOWN_DIAL = new Set(['registry', 'sessionToken', 'signal', 'channels']);

const KNOWN_READ = new Set(['signal']);

const SILENT: ClientLogger = { info() {}, warn() {} };
const HANDSHAKE_TIMEOUT_MS = 15_000;
const UDP_HANDSHAKE_TIMEOUT_MS = 2000;
const UDP_HANDSHAKE_TIMEOUT_MS_MAX = 60_000;
/** What a timer can wait; a longer one would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export interface ClientConfig {
  apiKey: string;
  /** '' with a transport of the program's own. */
  baseUrl: string;
  transport: Transport | null;
  logger: ClientLogger;
  handshakeTimeoutMs: number;
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
    logger,
    handshakeTimeoutMs: number('webSocketHandshakeTimeoutMs', timeoutMs, 1, TIMEOUT_MS_MAX),
  };
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

function readBaseUrl(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
  const isHttp = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (isHttp && !(url.username || url.password || url.search || url.hash)) {
    return (text as string).replace(/\/+$/, '');
  }
  const accepted = 'an absolute http(s) URL without user info, query, fragment';
  // What stands in user info or query may be a secret.
  const isSafe = typeof text !== 'string' || !/[@?#]/.test(text);
  throw badOption('baseUrl', isSafe ? text : '[redacted]', accepted);
}
