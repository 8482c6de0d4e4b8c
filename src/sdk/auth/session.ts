/** A player's session: what logging in yields and what keeps a client logged in. */
import { badOption, TransportError } from '../../util/errors.js';
import { RequestError } from '../errors.js';

export interface Session {
  /** A JWT, sent as `X-Session-Token`. The server makes it last 15 minutes. */
  readonly accessToken: string;
  /** Good for one refresh; empty: this session is not refreshed. */
  readonly refreshToken: string;
  readonly playerId: number;
  /** When the access token ends. */
  readonly expiresAt: Date;
}

/** Sessions outlive the program in one of these. A platform's key store is the best there is. */
export interface SessionStore {
  /** Null: there is none. */
  load(): Session | null | Promise<Session | null>;
  save(session: Session): void | Promise<void>;
  clear(): void | Promise<void>;
}

/**
 * Of an answer or a session file. An id beyond 2^53 − 1 would have been rounded to another player's,
 * so it is refused.
 *
 * @throws RequestError decode
 */
export function sessionOfWire(body: unknown): Session {
  const { access_token, refresh_token, player_id, expires_at } = (body ?? {}) as Record<
    string,
    unknown
  >;
  const expiresAt = new Date(typeof expires_at === 'string' ? expires_at : Number.NaN);
  if (typeof access_token !== 'string' || access_token === '') throw undecodable('access_token');
  if (!Number.isSafeInteger(player_id)) throw undecodable('player_id');
  if (Number.isNaN(expiresAt.getTime())) throw undecodable('expires_at');
  return {
    accessToken: access_token,
    refreshToken: typeof refresh_token === 'string' ? refresh_token : '',
    playerId: player_id as number,
    expiresAt,
  };
}

export function wireOfSession(session: Session): object {
  return {
    access_token: session.accessToken,
    refresh_token: session.refreshToken,
    player_id: session.playerId,
    expires_at: session.expiresAt.toISOString(),
  };
}

/** A copy: what the caller does to its own changes nothing here. @throws TransportError bad-option */
export function readSession(session: Session): Session {
  if (typeof session !== 'object' || session === null) {
    throw badOption('session', typeof session, 'what login yields, or null');
  }
  const { accessToken, refreshToken, playerId, expiresAt } = session;
  // Tokens are secrets: they are not repeated in the message.
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') {
    throw new TransportError('bad-option', 'ggscale: the tokens of session must be strings');
  }
  if (!Number.isSafeInteger(playerId)) {
    throw badOption('session.playerId', playerId, 'an integer up to 2^53 - 1');
  }
  const expiry = new Date(expiresAt);
  if (Number.isNaN(expiry.getTime())) throw badOption('session.expiresAt', expiresAt, 'a Date');
  return { accessToken, refreshToken, playerId, expiresAt: expiry };
}

function undecodable(name: string): RequestError {
  return new RequestError('decode', `the session lacks a usable ${name}`);
}
