/** Opening the realtime WebSocket: `/v1/ws` with headers in Node, with a ticket in browsers. */
import { TransportError } from '../../util/errors.js';
import type { Api } from '../api.js';
import { RealtimeDialError, RequestError } from '../errors.js';
import { abortErrorOf, startDeadline } from '../http/deadline.js';
import type { CallOptions } from '../http/transport.js';
import { isNode, loadRealtimeSocket } from '../platform.js';
import { openBrowserRealtime } from './browser-socket.js';
import type { RealtimeSocket } from './socket.js';

export interface RealtimeDial {
  api: Api;
  /** '' when nobody has told: then there is no way to dial. */
  baseUrl: string;
  userAgent: string;
  /** `X-Request-Id` of all that is dialled for one connection. */
  requestId: string;
  handshakeTimeoutMs: number;
  readBytesMax: number;
}

export interface RealtimeTicket {
  ticket: string;
  expiresInSeconds: number;
}

/**
 * The session is refreshed as for any other call: when it is about to end, and once after a 401.
 *
 * @throws RealtimeDialError; ErrNoSession; GGScaleError of the ticket; RequestError of the signal;
 *   TransportError bad-option without a base URL
 */
export async function dialRealtimeSocket(
  dial: RealtimeDial,
  signal: AbortSignal | undefined,
): Promise<RealtimeSocket> {
  if (dial.baseUrl === '') {
    throw new TransportError('bad-option', 'ggscale: realtime needs the option baseUrl');
  }
  if (!isNode) return openInBrowser(dial, signal);
  const { keeper } = dial.api;
  const token = await keeper.token(signal);
  const playerId = keeper.session?.playerId;
  try {
    return await openInNode(dial, token, signal);
  } catch (error) {
    if (!(error instanceof RealtimeDialError) || error.status !== 401) throw error;
    const other = await keeper.tokenInsteadOf(token, playerId, signal).catch(() => null);
    if (other === null) throw error;
    return openInNode(dial, other, signal);
  }
}

/** `POST /v1/ws/ticket`: good for one socket, within 30 s. */
export async function createRealtimeTicket(
  api: Api,
  options?: CallOptions,
): Promise<RealtimeTicket> {
  const request = { operationId: 'createRealtimeTicket', method: 'POST', path: '/v1/ws/ticket' };
  const answer = await api.callAsPlayer(request, options);
  const { ticket, expires_in_seconds } = (answer ?? {}) as Record<string, unknown>;
  if (typeof ticket !== 'string' || ticket === '') {
    throw new RequestError('decode', 'the answer is no realtime ticket');
  }
  return { ticket, expiresInSeconds: Number(expires_in_seconds) };
}

async function openInNode(
  dial: RealtimeDial,
  token: string,
  signal: AbortSignal | undefined,
): Promise<RealtimeSocket> {
  const headers = {
    Authorization: `Bearer ${dial.api.apiKey}`,
    'X-Session-Token': token,
    'X-Request-Id': dial.requestId,
    'User-Agent': dial.userAgent,
  };
  const { openNodeRealtime } = await loadRealtimeSocket();
  return limited(dial, signal, (limit) =>
    openNodeRealtime({
      url: realtimeUrl(dial),
      headers,
      readBytesMax: dial.readBytesMax,
      signal: limit,
    }),
  );
}

async function openInBrowser(
  dial: RealtimeDial,
  signal: AbortSignal | undefined,
): Promise<RealtimeSocket> {
  const timeoutMs = dial.api.callTimeoutMs;
  const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  const { ticket } = await createRealtimeTicket(dial.api, options);
  const url = `${realtimeUrl(dial)}?ticket=${encodeURIComponent(ticket)}`;
  const { readBytesMax } = dial;
  return limited(dial, signal, (limit) =>
    openBrowserRealtime({ url, readBytesMax, signal: limit }),
  );
}

/** http → ws, https → wss. */
function realtimeUrl({ baseUrl }: RealtimeDial): string {
  return `${baseUrl.replace(/^http/i, 'ws')}/v1/ws`;
}

/** The handshake's own limit, beside the caller's signal. */
async function limited(
  { handshakeTimeoutMs }: RealtimeDial,
  signal: AbortSignal | undefined,
  open: (limit: AbortSignal) => Promise<RealtimeSocket>,
): Promise<RealtimeSocket> {
  if (signal?.aborted) throw abortErrorOf(signal, 'the dial');
  const deadline = startDeadline(handshakeTimeoutMs, signal);
  try {
    return await open(deadline.signal);
  } catch (cause) {
    if (signal?.aborted) throw abortErrorOf(signal, 'the dial', cause);
    if (!deadline.signal.aborted) throw cause;
    const message = `no answer within ${handshakeTimeoutMs} ms`;
    throw new RealtimeDialError({ status: 0, retryAfter: 0, message }, { cause });
  } finally {
    deadline.end();
  }
}
