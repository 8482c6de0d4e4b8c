/** Tickets for matches, and waiting for what comes of one. */
import { number, refuseUnknown } from '../../util/option-checks.js';
import type { Api } from '../api.js';
import { isForbidden, isNotFound, isUnauthorized } from '../error-predicates.js';
import { ErrConnectionClosed, ErrNoSession, RequestError } from '../errors.js';
import { abortErrorOf, startDeadline, unlessAborted } from '../http/deadline.js';
import type { CallOptions } from '../http/transport.js';
import { EVENT_MATCHMAKER_MATCHED } from '../realtime/frames.js';
import type { RealtimeClient } from '../realtime/realtime-client.js';
import {
  type Match,
  type MatchRequest,
  type MatchTicket,
  matchOfPush,
  matchOfTicket,
} from './match.js';
import { idPart } from './path-parts.js';
import { objectOf, toWire } from './wire.js';

export interface WaitOptions extends CallOptions {
  /** How often the ticket is read beside listening for the push. Default 2,000. */
  pollIntervalMs?: number;
}

const KNOWN_WAIT = new Set(['signal', 'timeoutMs', 'pollIntervalMs']);
const POLL_INTERVAL_MS = 2000;
const POLL_INTERVAL_MS_MAX = 600_000;
/** Who has given up waits no longer than this for the ticket to be gone. */
const ABANDON_MS = 5000;

export interface MatchmakerHost {
  api: Api;
  dialRealtime(options: { signal: AbortSignal }): Promise<RealtimeClient>;
}

/** What a wait listens for. */
interface Listening {
  ticketId: number;
  pushed: Match | null;
  wake: () => void;
}

export class MatchmakerService {
  readonly #host: MatchmakerHost;

  constructor(host: MatchmakerHost) {
    this.#host = host;
  }

  /** A player has one ticket at a time: `isTicketActive`, `activeTicketIdOf`. */
  async createTicket(request: MatchRequest, options?: CallOptions): Promise<MatchTicket> {
    const answer = await this.#host.api.callAsPlayer(
      {
        operationId: 'createMatchmakerTicket',
        method: 'POST',
        path: TICKETS,
        body: toWire(request),
      },
      options,
    );
    return ticketOf(answer);
  }

  /** Once it is matched, the ticket carries all of the match. */
  async getTicket(ticketId: number, options?: CallOptions): Promise<MatchTicket> {
    const path = `${TICKETS}/${idPart('ticketId', ticketId)}`;
    const request = { operationId: 'getMatchmakerTicket', method: 'GET', path };
    return ticketOf(await this.#host.api.callAsPlayer(request, options));
  }

  /** `isConflict`: it is settled already. */
  async cancelTicket(ticketId: number, options?: CallOptions): Promise<void> {
    const path = `${TICKETS}/${idPart('ticketId', ticketId)}`;
    const request = { operationId: 'cancelMatchmakerTicket', method: 'DELETE', path };
    await this.#host.api.callAsPlayer(request, options);
  }

  /**
   * Queues a ticket and waits for its match: by the push, which can be missed, and by reading the ticket
   * now and then, which cannot. There is no limit but the caller's; when that ends the wait, the ticket
   * is cancelled, for which the rejection waits up to 5 s. It opens a realtime socket of its own: one
   * that the player has open ends with 1000.
   *
   * @throws MatchFailedError, ErrMatchCancelled: the ticket's end; GGScaleError, RequestError
   */
  async waitForMatch(request: MatchRequest, options: WaitOptions = {}): Promise<Match> {
    refuseUnknown('', options, KNOWN_WAIT);
    const { signal: given, timeoutMs, pollIntervalMs = POLL_INTERVAL_MS } = options;
    number('pollIntervalMs', pollIntervalMs, 1, POLL_INTERVAL_MS_MAX);
    const deadline = startDeadline(timeoutMs ?? null, given);
    const { signal } = deadline;
    let realtime: RealtimeClient | null = null;
    let creating: Promise<MatchTicket> | null = null;
    try {
      // The socket first: the push is for those who listen, and it may come at once.
      realtime = await this.#listen(signal);
      // Not with the signal: a ticket that was made and never heard of could not be cancelled.
      creating = this.createTicket(request, { timeoutMs: this.#host.api.callTimeoutMs });
      const ticket = await unlessAborted(signal, creating, 'the wait for a match');
      const settled = matchOfTicket(ticket);
      return settled ?? (await this.#untilSettled(ticket.id, realtime, signal, pollIntervalMs));
    } catch (error) {
      if (!signal.aborted) throw error;
      if (creating !== null) await this.#abandon(creating);
      throw abortErrorOf(signal, 'the wait for a match', error);
    } finally {
      deadline.end();
      realtime?.close().catch(() => {});
    }
  }

  /** Cancels the ticket, as far as that works in the time that nobody minds. */
  async #abandon(creating: Promise<MatchTicket>): Promise<void> {
    const deadline = startDeadline(ABANDON_MS);
    const cancelled = creating.then(({ id }) => this.cancelTicket(id, { timeoutMs: ABANDON_MS }));
    await unlessAborted(deadline.signal, cancelled, 'the cancellation').catch(() => {});
    deadline.end();
  }

  /** Each call of a wait has the usual limit; the wait has none. */
  #limits(signal: AbortSignal): CallOptions {
    return { signal, timeoutMs: this.#host.api.callTimeoutMs };
  }

  /** Null: no socket, then reading has to do. */
  async #listen(signal: AbortSignal): Promise<RealtimeClient | null> {
    try {
      return await this.#host.dialRealtime({ signal });
    } catch (error) {
      if (signal.aborted || error instanceof ErrNoSession) throw error;
      const { message: reason } = error as Error;
      const event = 'matchmaker.polling';
      this.#host.api.logger.warn({ event, reason }, event);
      return null;
    }
  }

  async #untilSettled(
    ticketId: number,
    realtime: RealtimeClient | null,
    signal: AbortSignal,
    pollIntervalMs: number,
  ): Promise<Match> {
    const listening: Listening = { ticketId, pushed: null, wake: () => {} };
    if (realtime !== null) readPushes(realtime, listening).catch(() => {}); // lost: reading has to do
    for (;;) {
      await pushOrPause(listening, pollIntervalMs, signal);
      const { pushed } = listening;
      listening.pushed = null;
      // The push says that there is something to read. What it carries itself is the second choice.
      const ticket = await this.#tryGet(ticketId, signal);
      const match = ticket === null ? null : matchOfTicket(ticket);
      if (match !== null) return match;
      if (pushed !== null && pushed.matchId !== '') return pushed;
    }
  }

  /** Null: it did not work this time. */
  async #tryGet(ticketId: number, signal: AbortSignal): Promise<MatchTicket | null> {
    try {
      return await this.getTicket(ticketId, this.#limits(signal));
    } catch (error) {
      const isFinal = isUnauthorized(error) || isForbidden(error) || isNotFound(error);
      if (signal.aborted || isFinal || error instanceof ErrNoSession) throw error;
      return null;
    }
  }
}

const TICKETS = '/v1/matchmaker/tickets';

/** Without its id a ticket can be neither read nor cancelled. @throws RequestError decode */
function ticketOf(answer: unknown): MatchTicket {
  const ticket = objectOf<MatchTicket>(answer, 'ticket');
  if (Number.isSafeInteger(ticket.id) && ticket.id > 0) return ticket;
  throw new RequestError('decode', 'the ticket lacks a usable id');
}

/** Until the socket is lost for good or closed; a frame that is none is skipped. */
async function readPushes(realtime: RealtimeClient, listening: Listening): Promise<void> {
  for (;;) {
    const message = await realtime.readMessage().catch((error) => {
      if (error instanceof ErrConnectionClosed) throw error;
      return null;
    });
    if (message?.type !== EVENT_MATCHMAKER_MATCHED) continue;
    const match = matchOfPush(message.payload, listening.ticketId);
    if (match === null) continue;
    listening.pushed = match;
    listening.wake();
  }
}

/** @throws RequestError when the signal aborts */
function pushOrPause(listening: Listening, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(settle, ms);
    signal.addEventListener('abort', settle);
    listening.wake = settle;
    if (listening.pushed !== null || signal.aborted) settle();
    function settle(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', settle);
      listening.wake = () => {};
      if (signal.aborted) reject(abortErrorOf(signal, 'the wait for a match'));
      else resolve();
    }
  });
}
