/**
 * Dialling a game server: ticket over HTTP, then UDP when opted in and possible, else WebSocket.
 */
import type { Registry } from '../messages/types.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { TransportError } from '../util/errors.js';
import { GameDialError, GGScaleError, RequestError } from './errors.js';
import { GameChannel } from './game-channel.js';
import { abortErrorOf, StdNetTransport } from './transport.js';
import type {
  ClientLogger,
  GameConnection,
  HighPerformanceSettings,
  MatchAddress,
} from './types.js';
import { openWsLink } from './ws-link.js';

export interface DialSettings {
  registry: Registry<object>;
  sessionToken: string;
  signal: AbortSignal | null;
  highPerformance: HighPerformanceSettings | null;
  handshakeTimeoutMs: number;
  logger: ClientLogger;
  /** By channel, the runtime's own too. */
  channels: readonly (ChannelOptions | undefined)[];
}

interface Ticket {
  ticket: string;
  connectToken: Uint8Array | null;
}

const TICKET_ATTEMPTS = 4;
/** For an answer of the ticket endpoint, when the caller gave no deadline of its own. */
const TICKET_TIMEOUT_MS = 30_000;
/** A server that asks for a longer wait is not waited for: the caller is told. */
const RETRY_AFTER_S_MAX = 30;

export async function dialGame<R extends object>(
  addressOrMatch: string | MatchAddress,
  settings: DialSettings,
): Promise<GameConnection<R>> {
  const match: MatchAddress =
    typeof addressOrMatch === 'object' && addressOrMatch !== null
      ? addressOrMatch
      : { address: addressOrMatch };
  const origin = originOf(match.address);
  let ticket = await askTicket(origin, settings);
  if (settings.highPerformance !== null) {
    const reason = await tryUdp<R>(ticket, match, settings, settings.highPerformance);
    if (typeof reason !== 'string') return reason;
    // The connect token may have been used up; its ticket is then spent with it.
    ticket = await askTicket(origin, settings);
  }
  const channel = new GameChannel<R>(settings.registry, settings.logger, settings.channels);
  await within(settings, settings.handshakeTimeoutMs, channel, () =>
    openWsLink(channel.asHost(), origin, ticket.ticket),
  );
  return channel;
}

/** The open channel, or why there is none. With `fallback: 'error'` it throws instead. */
async function tryUdp<R extends object>(
  ticket: Ticket,
  match: MatchAddress,
  settings: DialSettings,
  option: HighPerformanceSettings,
): Promise<GameChannel<R> | string> {
  let cause: unknown;
  let reason: string;
  if (match.protocolHint === 'tcp') {
    reason = 'hint-tcp';
  } else if (ticket.connectToken === null) {
    reason = 'server-has-no-udp';
  } else {
    const token = ticket.connectToken;
    const channel = new GameChannel<R>(settings.registry, settings.logger, settings.channels);
    try {
      // Loading the addon is not the network's fault: it is outside the handshake's time.
      const { openUdpLink } = await import('./udp-link.js');
      await within(settings, option.handshakeTimeoutMs, channel, () =>
        openUdpLink(channel.asHost(), token, option.nx),
      );
      return channel;
    } catch (error) {
      if (error instanceof RequestError) throw error; // the caller's own signal
      cause = error;
      const isTyped = error instanceof GameDialError || error instanceof TransportError;
      reason = isTyped ? error.code : 'udp-failed';
    }
  }
  if (option.fallback === 'error') {
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    throw new GameDialError(reason, `no UDP path to the game server (${reason})${detail}`, {
      cause,
    });
  }
  settings.logger.warn(
    { event: 'transport.fallback', reason, wire: 'json-ws' },
    'transport.fallback',
  );
  return reason;
}

/** Waits for the channel's $hello; on timeout, abort or failure the link is taken down. */
async function within<R extends object>(
  settings: DialSettings,
  timeoutMs: number,
  channel: GameChannel<R>,
  open: () => Promise<void>,
): Promise<void> {
  const { signal } = settings;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new GameDialError('handshake-timeout', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    onAbort = () => reject(abortErrorOf(signal as AbortSignal, 'the dial'));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([Promise.all([open(), channel.opened]), limit]);
  } catch (error) {
    channel.abandon();
    throw error;
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

/** Asking is safe to repeat, so a busy server's Retry-After is honoured a few times. */
async function askTicket(origin: string, settings: DialSettings): Promise<Ticket> {
  const transport = new StdNetTransport({ baseUrl: origin, apiKey: '' });
  const headers = { 'X-Session-Token': settings.sessionToken };
  for (let attempt = 1; ; attempt++) {
    try {
      const signal = settings.signal ?? AbortSignal.timeout(TICKET_TIMEOUT_MS);
      const request = { method: 'POST', path: '/v1/game/ticket', headers, body: {} };
      return readTicket(await transport.call(request, { signal }));
    } catch (error) {
      const isBusy =
        error instanceof GGScaleError && (error.status === 429 || error.status === 503);
      const isWorthIt = isBusy && error.retryAfter > 0 && error.retryAfter <= RETRY_AFTER_S_MAX;
      if (!isWorthIt || attempt === TICKET_ATTEMPTS) throw error;
      await pause(error.retryAfter * 1000 * (1 + Math.random() / 4), settings.signal);
    }
  }
}

function readTicket(body: unknown): Ticket {
  const { ticket, connectToken } = (body ?? {}) as Record<string, unknown>;
  if (typeof ticket !== 'string' || !(connectToken === null || typeof connectToken === 'string')) {
    throw new RequestError('decode', 'the ticket answer lacks ticket or connectToken');
  }
  return { ticket, connectToken: connectToken === null ? null : fromBase64(connectToken) };
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch (cause) {
    throw new RequestError('decode', 'connectToken is not base64', { cause });
  }
}

function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    function done(): void {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }
    function onAbort(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(abortErrorOf(signal as AbortSignal, 'the dial'));
    }
  });
}

/** `host:port` is https, except on loopback, where a development server is plain. */
function originOf(address: string): string {
  if (typeof address !== 'string' || address === '') throw badAddress(address);
  const hasScheme = /^[a-z]+:\/\//i.test(address);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/i.test(address);
  const text = hasScheme ? address : `${isLoopback ? 'http' : 'https'}://${address}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.host === '') {
    throw badAddress(address);
  }
  return url.origin;
}

function badAddress(address: unknown): TransportError {
  return new TransportError(
    'bad-address',
    `ggscale: game address is ${JSON.stringify(address)}, accepted: host:port or an http(s) URL`,
  );
}
