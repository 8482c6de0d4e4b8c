/** Matchmaking tickets, and how they and their matches are written. */
import type { Player } from './accounts.js';
import type { Query } from './match-query.js';

export type MatchMode = 'match_only' | 'game_session' | 'fleet_allocation';

export interface TicketRequest {
  mode?: string;
  fleet?: string;
  region?: string;
  allow_cross_region?: boolean;
  game_mode?: string;
  min_count?: number;
  max_count?: number;
  count_multiple?: number;
  query?: string;
  string_properties?: Record<string, string>;
  numeric_properties?: Record<string, number>;
  attributes?: unknown;
}

export interface RosterEntry {
  player_id: number;
  region?: string;
  string_properties?: Record<string, string>;
  numeric_properties?: Record<string, number>;
  attributes?: unknown;
}

/** What a fleet answers with. */
export interface Allocation {
  address: string;
  protocolHint?: 'tcp' | 'udp' | 'tcpudp' | '';
}

export interface Match {
  id: string;
  mode: MatchMode;
  users: RosterEntry[];
  address: string;
  protocolHint: string;
  sessionId: string;
  joinCode: string;
  hostPlayerId: number;
}

export interface Ticket {
  id: number;
  player: Player;
  request: TicketRequest;
  mode: MatchMode;
  minCount: number;
  maxCount: number;
  countMultiple: number;
  crossesRegions: boolean;
  /** Whom it takes. */
  query: Query;
  status: 'queued' | 'matched' | 'failed' | 'cancelled';
  failureReason: string;
  createdAtMs: number;
  matchedAtMs: number | null;
  match: Match | null;
}

/** Drops what is empty, as the server's encoder does. */
function filled<T extends object>(fields: T): Partial<T> {
  const isFilled = ([, value]: [string, unknown]) =>
    value !== undefined && value !== '' && value !== 0 && value !== null;
  return Object.fromEntries(Object.entries(fields).filter(isFilled)) as Partial<T>;
}

export function rosterEntryOf({ player, request }: Ticket): RosterEntry {
  const { region, string_properties, numeric_properties, attributes } = request;
  return {
    player_id: player.id,
    ...filled({ region, string_properties, numeric_properties, attributes }),
  };
}

export function pushOf(ticketId: number, match: Match): object {
  return {
    ticket_id: ticketId,
    match_id: match.id,
    mode: match.mode,
    ...filled({
      address: match.address,
      protocol_hint: match.protocolHint,
      session_id: match.sessionId,
      join_code: match.joinCode,
      host_player_id: match.hostPlayerId,
    }),
    users: match.users,
  };
}

export function bodyOf(ticket: Ticket): object {
  const { request, match } = ticket;
  const { query, string_properties, numeric_properties, attributes } = request;
  const time = (ms: number | null) => (ms === null ? '' : new Date(ms).toISOString());
  return {
    id: ticket.id,
    status: ticket.status,
    mode: ticket.mode,
    region: request.region ?? '',
    allow_cross_region: ticket.crossesRegions,
    game_mode: request.game_mode ?? '',
    min_count: ticket.minCount,
    max_count: ticket.maxCount,
    count_multiple: ticket.countMultiple,
    ...filled({ query, string_properties, numeric_properties, attributes }),
    ...filled({ match_id: match?.id }),
    match_address: match?.address ?? '',
    ...filled({
      protocol_hint: match?.protocolHint,
      session_id: match?.sessionId,
      join_code: match?.joinCode,
      host_player_id: match?.hostPlayerId,
      users: match?.users,
      failure_reason: ticket.failureReason,
    }),
    created_at: time(ticket.createdAtMs),
    ...filled({ matched_at: time(ticket.matchedAtMs) }),
  };
}
