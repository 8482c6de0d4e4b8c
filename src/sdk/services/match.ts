/** A matchmaking ticket, and the match that comes of it. */
import { ErrMatchCancelled, MatchFailedError } from '../errors.js';
import type { MatchAddress } from '../types.js';
import { fromWire } from './wire.js';

/** `match_only`: a roster; `game_session`: one that a player hosts; `fleet_allocation`: a game server. */
export type MatchMode = 'match_only' | 'game_session' | 'fleet_allocation';

/** What is left out is the server's default. */
export interface MatchRequest {
  /** Left out: `fleet_allocation` with a fleet, else `match_only`. */
  mode?: MatchMode;
  fleet?: string;
  region?: string;
  allowCrossRegion?: boolean;
  gameMode?: string;
  minCount?: number;
  maxCount?: number;
  countMultiple?: number;
  /** Which other tickets fit, in the matchmaker's language. */
  query?: string;
  /** What the others' queries are held against. */
  stringProperties?: Record<string, string>;
  numericProperties?: Record<string, number>;
  /** The game's own JSON, at most 4 KiB; everybody in the match sees it. */
  attributes?: unknown;
}

export interface RosterEntry {
  playerId: number;
  queueEntryId?: number;
  partyId?: number;
  region?: string;
  stringProperties?: Record<string, string>;
  numericProperties?: Record<string, number>;
  attributes?: unknown;
}

export interface MatchTicket {
  id: number;
  entryId?: number;
  partyId?: number;
  /** `queued`, `matched`, `failed`, `cancelled`; an open set. */
  status: string;
  mode: string;
  region: string;
  allowCrossRegion: boolean;
  gameMode: string;
  minCount: number;
  maxCount: number;
  countMultiple: number;
  query?: string;
  stringProperties?: Record<string, string>;
  numericProperties?: Record<string, number>;
  attributes?: unknown;
  matchId?: string;
  matchAddress?: string;
  protocolHint?: string;
  sessionId?: string;
  joinCode?: string;
  hostPlayerId?: number;
  failureReason?: string;
  users?: RosterEntry[];
  createdAt: Date;
  matchedAt?: Date;
  expiresAt?: Date;
}

/** With mode `fleet_allocation` it is what `client.dialGame` takes. */
export interface Match extends MatchAddress {
  ticketId: number;
  matchId: string;
  mode: string;
  /** Of the game server; '' in the other modes. */
  address: string;
  protocolHint: 'tcp' | 'udp' | 'tcpudp' | '';
  /** With mode `game_session`, else ''. */
  sessionId: string;
  joinCode: string;
  /** Who hosts, with the modes that have a host; else 0. */
  hostPlayerId: number;
  users: RosterEntry[];
}

/** Null: not settled yet. @throws MatchFailedError; ErrMatchCancelled */
export function matchOfTicket(ticket: MatchTicket): Match | null {
  if (ticket.status === 'matched') {
    return matchOf({ ...ticket, ticketId: ticket.id, address: ticket.matchAddress });
  }
  if (ticket.status === 'failed') throw new MatchFailedError(ticket.failureReason ?? '');
  if (ticket.status === 'cancelled') throw new ErrMatchCancelled();
  return null;
}

/** The payload of `matchmaker_matched`; null: it tells no match, or another ticket's. */
export function matchOfPush(payload: unknown, ticketId: number): Match | null {
  if (typeof payload !== 'object' || payload === null) return null;
  const match = matchOf({ ...(fromWire(payload) as object) });
  if (match.ticketId !== 0 && match.ticketId !== ticketId) return null;
  return { ...match, ticketId };
}

function matchOf(fields: Record<string, unknown>): Match {
  const text = (name: string) => (typeof fields[name] === 'string' ? (fields[name] as string) : '');
  const id = (name: string) => (typeof fields[name] === 'number' ? (fields[name] as number) : 0);
  const hint = text('protocolHint');
  return {
    ticketId: id('ticketId'),
    matchId: text('matchId'),
    mode: text('mode'),
    address: text('address'),
    // It is advice: one that is not known is none.
    protocolHint: hint === 'tcp' || hint === 'udp' || hint === 'tcpudp' ? hint : '',
    sessionId: text('sessionId'),
    joinCode: text('joinCode'),
    hostPlayerId: id('hostPlayerId'),
    users: Array.isArray(fields.users) ? (fields.users as RosterEntry[]) : [],
  };
}
