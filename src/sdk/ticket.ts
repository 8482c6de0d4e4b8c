/** Tickets over HTTP: what a link is opened with. */
import { GGScaleError, RequestError } from './errors.js';
import { pause } from './http/deadline.js';
import { StdNetTransport } from './http/std-net-transport.js';
import type { SessionToken } from './types.js';

export interface Ticket {
  ticket: string;
  connectToken: Uint8Array | null;
}

export interface TicketRequest {
  origin: string;
  sessionToken: SessionToken;
  signal: AbortSignal | null;
  /** The session that is to go on; null: a new one. */
  resume: string | null;
}

const TICKET_ATTEMPTS = 4;
/** For an answer of the ticket endpoint, when the caller gave no deadline of its own. */
const TICKET_TIMEOUT_MS = 30_000;
/** A server that asks for a longer wait is not waited for: the caller is told. */
const RETRY_AFTER_S_MAX = 30;

/** A connection that was kept alive, and closed by the other end just when the request left. */
const CLOSED_MEANWHILE: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Asking is safe to repeat, so a busy server's Retry-After is honoured a few times. */
export async function askTicket(request: TicketRequest): Promise<Ticket> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askTicketOnce(request);
    } catch (error) {
      if (attempt === 1 && isClosedMeanwhile(error)) continue;
      const isBusy =
        error instanceof GGScaleError && (error.status === 429 || error.status === 503);
      const isWorthIt = isBusy && error.retryAfter > 0 && error.retryAfter <= RETRY_AFTER_S_MAX;
      if (!isWorthIt || attempt === TICKET_ATTEMPTS) throw error;
      const waitMs = error.retryAfter * 1000 * (1 + Math.random() / 4);
      await pause(waitMs, request.signal, 'the dial');
    }
  }
}

/** @throws GGScaleError refused; RequestError no usable answer */
export async function askTicketOnce(request: TicketRequest): Promise<Ticket> {
  const { origin, sessionToken, resume } = request;
  const transport = new StdNetTransport({ baseUrl: origin, apiKey: '' });
  const token = typeof sessionToken === 'function' ? await sessionToken() : sessionToken;
  const headers = { 'X-Session-Token': token };
  const body = resume === null ? {} : { resume };
  const signal = request.signal ?? AbortSignal.timeout(TICKET_TIMEOUT_MS);
  const call = { method: 'POST', path: '/v1/game/ticket', headers, body };
  return readTicket(await transport.call(call, { signal }));
}

function isClosedMeanwhile(error: unknown): boolean {
  if (!(error instanceof RequestError) || error.kind !== 'connect') return false;
  const { cause } = error.cause as { cause?: { code?: unknown } };
  return CLOSED_MEANWHILE.has(cause?.code);
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
