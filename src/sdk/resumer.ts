/**
 * How a client's session is carried on: which wire, with which ticket, how often
 * (docs/wire/session.md §5).
 */
import { CLOSE_NORMAL, CLOSE_POLICY_VIOLATION } from '../session/close-codes.js';
import { REASON_RESUME_REFUSED } from '../session/control.js';
import type { CloseInfo, Wire } from '../session/types.js';
import { GameDialError, GGScaleError } from './errors.js';
import { pause } from './http/deadline.js';
import type { Link } from './link.js';
import { loadUdpLink } from './platform.js';
import type { SessionLinks } from './session-links.js';
import { askTicketOnce } from './ticket.js';
import type { ClientLogger, HighPerformanceSettings, SessionToken } from './types.js';
import { WsLink } from './ws-link.js';

export interface ResumerSettings {
  origin: string;
  sessionToken: SessionToken;
  highPerformance: HighPerformanceSettings | null;
  logger: ClientLogger;
}

/** For one attempt: ticket, opening, handshake. A window has room for several. */
const ATTEMPT_MS = 5000;
/** Full jitter: a random part of 250 ms · 2^n, at most 5 s. */
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 5000;
/** Answers of the ticket endpoint after which asking again is of no use. */
const FINAL_STATUS = new Set([400, 401, 403, 409, 410]);

export class Resumer {
  readonly #settings: ResumerSettings;

  constructor(settings: ResumerSettings) {
    this.#settings = settings;
  }

  /**
   * Goes on until the session is on a link again, the window is over (null), the server has said how
   * it ended, or `signal` aborts (null).
   */
  async resume(
    links: SessionLinks,
    windowMs: number,
    signal: AbortSignal,
  ): Promise<'resumed' | CloseInfo | null> {
    const deadlineMs = performance.now() + windowMs;
    let wire = this.#wireAfter(links.link?.wire ?? 'json-ws');
    for (let attempt = 0; ; attempt++) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0 || signal.aborted) return null;
      if (links.isLinked) return 'resumed'; // a move that was under way has come through
      try {
        await this.move(links, wire, AbortSignal.any([signal, timeout(leftMs)]));
        return 'resumed';
      } catch (error) {
        if (isFinal(error)) return endOf(error);
        if (isCode(error, 'ws-refused') && this.#settings.highPerformance !== null) wire = 'udp';
        const waitMs = Math.min(this.#waitMs(attempt, error), deadlineMs - performance.now());
        await pause(waitMs, signal, 'the dial').catch(() => {});
      }
    }
  }

  /** One attempt. @throws GGScaleError, RequestError, GameDialError, TransportError */
  async move(links: SessionLinks, wire: Wire, signal: AbortSignal): Promise<void> {
    const { origin, sessionToken } = this.#settings;
    const limit = AbortSignal.any([signal, timeout(ATTEMPT_MS)]);
    const resume = links.sessionId;
    const ticket = await askTicketOnce({ origin, sessionToken, signal: limit, resume });
    const link =
      wire === 'udp'
        ? await this.#udpLink(links, ticket.connectToken)
        : new WsLink(links, origin, ticket.ticket);
    const timeoutMs = wire === 'udp' ? this.#udpTimeoutMs : ATTEMPT_MS;
    await links.move(link, timeoutMs, limit);
  }

  get #udpTimeoutMs(): number {
    return this.#settings.highPerformance?.handshakeTimeoutMs ?? ATTEMPT_MS;
  }

  async #udpLink(links: SessionLinks, connectToken: Uint8Array | null): Promise<Link> {
    const { highPerformance } = this.#settings;
    if (highPerformance === null) {
      throw new GameDialError('udp-not-opted-in', 'the client was made without the UDP option');
    }
    if (connectToken === null) {
      throw new GameDialError('server-has-no-udp', 'no UDP path to the game server');
    }
    const { UdpLink } = await loadUdpLink();
    return new UdpLink(links, connectToken, highPerformance.nx);
  }

  #wireAfter(lost: Wire): Wire {
    const { highPerformance, logger } = this.#settings;
    if (lost !== 'udp') return 'json-ws';
    if (highPerformance?.fallback === 'error') return 'udp';
    const fields = { event: 'transport.fallback', reason: 'udp-lost', wire: 'json-ws' };
    logger.warn(fields, 'transport.fallback');
    return 'json-ws';
  }

  #waitMs(attempt: number, error: unknown): number {
    const jitterMs = Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
    return Math.max(jitterMs, error instanceof GGScaleError ? error.retryAfter * 1000 : 0);
  }
}

function timeout(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.ceil(ms)));
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof GameDialError && error.code === code;
}

function isFinal(error: unknown): boolean {
  if (error instanceof GGScaleError) return FINAL_STATUS.has(error.status);
  return isCode(error, REASON_RESUME_REFUSED);
}

/** 410 tells how the session ended; who is not verified any more has no right to it. */
function endOf(error: unknown): CloseInfo | null {
  if (!(error instanceof GGScaleError)) return null;
  if (error.status === 401 || error.status === 403) {
    return { code: CLOSE_POLICY_VIOLATION, reason: error.code, wasClean: true };
  }
  if (error.status !== 410) return null;
  const { code, reason } = (error.details ?? {}) as { code?: unknown; reason?: unknown };
  return {
    code: typeof code === 'number' ? code : CLOSE_NORMAL,
    reason: typeof reason === 'string' ? reason : '',
    wasClean: true,
  };
}
