/**
 * Dialling a game server: ticket over HTTP, then UDP when opted in and possible, else WebSocket.
 */
import type { Registry } from '../messages/types.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { TransportError } from '../util/errors.js';
import { GameDialError, GGScaleError, RequestError } from './errors.js';
import { GameChannel } from './game-channel.js';
import { parseUrl } from './http/parse-url.js';
import type { Link, LinkHost } from './link.js';
import { isNode, loadUdpLink } from './platform.js';
import { Resumer } from './resumer.js';
import { askTicket, type Ticket } from './ticket.js';
import type {
  ClientLogger,
  GameConnection,
  HighPerformanceSettings,
  MatchAddress,
  SessionToken,
} from './types.js';
import { within } from './within.js';
import { WsLink } from './ws-link.js';

export interface DialSettings {
  registry: Registry<object>;
  sessionToken: SessionToken;
  signal: AbortSignal | null;
  highPerformance: HighPerformanceSettings | null;
  handshakeTimeoutMs: number;
  logger: ClientLogger;
  /** By channel, the runtime's own too. */
  channels: readonly (ChannelOptions | undefined)[];
}

interface Dial {
  readonly match: MatchAddress;
  readonly settings: DialSettings;
  readonly resumer: Resumer;
}

export async function dialGame<R extends object>(
  addressOrMatch: string | MatchAddress,
  settings: DialSettings,
): Promise<GameConnection<R>> {
  const match: MatchAddress =
    typeof addressOrMatch === 'object' && addressOrMatch !== null
      ? addressOrMatch
      : { address: addressOrMatch };
  const origin = originOf(match.address);
  const dial: Dial = { match, settings, resumer: new Resumer({ ...settings, origin }) };
  const { sessionToken, signal } = settings;
  const request = { origin, sessionToken, signal, resume: null };
  const ticket = await askTicket(request);
  const overWs = ({ ticket: proof }: Ticket) =>
    openChannel<R>(dial, settings.handshakeTimeoutMs, (host) => new WsLink(host, origin, proof));
  if (settings.highPerformance === null) return overWs(ticket);
  const outcome = await tryUdp<R>(dial, ticket, settings.highPerformance);
  if (outcome instanceof GameChannel) return outcome;
  try {
    return await overWs(ticket);
  } catch (error) {
    const isRefused = error instanceof GameDialError && error.code === 'ws-refused';
    if (outcome === 'untried' || !isRefused) throw error;
  }
  // The connect token was used up, and its ticket with it. Asking first would leave an unused ticket
  // behind whenever UDP was not answered, and a player may have few of those.
  return overWs(await askTicket(request));
}

/**
 * The open channel, or whether the ticket was tried. With `fallback: 'error'` it throws when there is
 * none.
 */
async function tryUdp<R extends object>(
  dial: Dial,
  ticket: Ticket,
  option: HighPerformanceSettings,
): Promise<GameChannel<R> | 'tried' | 'untried'> {
  const { match, settings } = dial;
  const ruledOut = whyNoUdp(match, ticket.connectToken);
  if (ruledOut !== null) {
    fallBack(settings, option, ruledOut);
    return 'untried';
  }
  const tried: { link: { readonly refusal: GGScaleError | null } | null } = { link: null };
  try {
    const token = ticket.connectToken as Uint8Array;
    // Loading the addon is not the network's fault: it is outside the handshake's time.
    const { UdpLink } = await loadUdpLink();
    return await openChannel<R>(dial, option.handshakeTimeoutMs, (host) => {
      const link = new UdpLink(host, token, option.nx);
      tried.link = link;
      return link;
    });
  } catch (error) {
    if (error instanceof RequestError) throw error; // the caller's own signal
    // On another wire we would throw out the newer connection.
    if (error instanceof GameDialError && error.code === 'replaced') throw error;
    const cause = tried.link?.refusal ?? error;
    fallBack(settings, option, codeOf(cause), cause);
    return 'tried';
  }
}

function codeOf(error: unknown): string {
  const isTyped =
    error instanceof GameDialError ||
    error instanceof TransportError ||
    error instanceof GGScaleError;
  return isTyped ? error.code : 'udp-failed';
}

/** Tells why there is no UDP. @throws GameDialError, GGScaleError with `fallback: 'error'` */
function fallBack(
  { logger }: DialSettings,
  option: HighPerformanceSettings,
  reason: string,
  cause?: unknown,
): void {
  if (option.fallback === 'error') {
    if (cause instanceof GGScaleError) throw cause;
    const detail = cause instanceof Error ? `: ${cause.message}` : '';
    throw new GameDialError(reason, `no UDP path to the game server (${reason})${detail}`, {
      cause,
    });
  }
  logger.warn({ event: 'transport.fallback', reason, wire: 'json-ws' }, 'transport.fallback');
}

/** What rules UDP out without trying; null: nothing. */
function whyNoUdp(match: MatchAddress, connectToken: Uint8Array | null): string | null {
  if (!isNode) return 'unsupported-platform';
  if (match.protocolHint === 'tcp') return 'hint-tcp';
  return connectToken === null ? 'server-has-no-udp' : null;
}

/** Waits for `$hello`; on timeout, abort or failure the link is taken down. */
async function openChannel<R extends object>(
  { settings, resumer }: Dial,
  timeoutMs: number,
  createLink: (host: LinkHost) => Link,
): Promise<GameChannel<R>> {
  const channel = new GameChannel<R>(settings, resumer);
  const opening = channel.open(createLink);
  opening.catch(() => {}); // it may fail after the limit
  try {
    await within(timeoutMs, settings.signal, opening);
    return channel;
  } catch (error) {
    channel.abandon();
    throw error;
  }
}

/** `host:port` is https, except on loopback, where a development server is plain. */
function originOf(address: string): string {
  if (typeof address !== 'string' || address === '') throw badAddress(address);
  const hasScheme = /^[a-z]+:\/\//i.test(address);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$)/i.test(address);
  const text = hasScheme ? address : `${isLoopback ? 'http' : 'https'}://${address}`;
  const url = parseUrl(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.host === '') {
    throw badAddress(address);
  }
  // `127.0.0.1:80@example.com` is a host of the net, and no development server.
  if (url.username !== '' || url.password !== '') throw badAddress('[redacted]');
  return url.origin;
}

function badAddress(address: unknown): TransportError {
  return new TransportError(
    'bad-address',
    `ggscale: game address is ${JSON.stringify(address)}, accepted: host:port or an http(s) URL without user info`,
  );
}
