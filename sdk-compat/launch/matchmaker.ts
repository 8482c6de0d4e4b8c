/**
 * Tickets that really match: players who ask for the same thing become a match, and each gets the push.
 * A full group (`max_count`) forms at once; a smaller one when `formMatches` says that the waiting is over.
 * Queries and regions are not weighed: the tickets of one pool are all alike.
 */
import { randomBytes } from 'node:crypto';
import type { Player } from './accounts.js';
import { problem, Refusal } from './answers.js';
import { LIMITS } from './contract.js';
import {
  type Allocation,
  bodyOf,
  type Match,
  type MatchMode,
  pushOf,
  rosterEntryOf,
  type Ticket,
  type TicketRequest,
} from './tickets.js';

export interface MatchmakerHooks {
  now: () => number;
  push: (playerId: number, type: string, payload: unknown) => void;
  /** The room of a `game_session` match. */
  openRoom: (host: number, players: number[]) => { sessionId: string; joinCode: string };
}

const MODES: readonly string[] = ['match_only', 'game_session', 'fleet_allocation'];

export class Matchmaker {
  /** False: only `formMatches` matches. */
  isAutomatic = true;
  /** False: matches are made and nobody hears of it; clients have to read their ticket. */
  isPushing = true;
  readonly fleets = new Map<string, Allocation | (() => Allocation)>();
  readonly #hooks: MatchmakerHooks;
  readonly #tickets = new Map<number, Ticket>();
  #nextId = 9001;

  constructor(hooks: MatchmakerHooks) {
    this.#hooks = hooks;
  }

  create(player: Player, request: TicketRequest): object {
    const { mode, minCount, maxCount, countMultiple } = this.#readRequest(request);
    for (const ticket of this.#tickets.values()) {
      if (ticket.player !== player || ticket.status !== 'queued') continue;
      const message = 'player already has an active matchmaking ticket in this project';
      const errors = [{ message, location: 'active_ticket_id', value: ticket.id }];
      throw new Refusal(problem(409, 'ticket_already_active', { errors }));
    }
    const ticket: Ticket = {
      id: this.#nextId++,
      player,
      request,
      mode,
      minCount,
      maxCount,
      countMultiple,
      status: 'queued',
      failureReason: '',
      createdAtMs: this.#hooks.now(),
      matchedAtMs: null,
      match: null,
    };
    this.#tickets.set(ticket.id, ticket);
    const body = bodyOf(ticket);
    // The real matcher is another process: the answer says `queued`, the push comes when it comes.
    if (this.isAutomatic) setImmediate(() => this.#match(false));
    return body;
  }

  read(player: Player, id: number): object {
    return bodyOf(this.#ticketOf(player, id));
  }

  cancel(player: Player, id: number): void {
    const ticket = this.#ticketOf(player, id);
    if (ticket.status !== 'queued') throw new Refusal(problem(409, 'ticket already finalised'));
    ticket.status = 'cancelled';
  }

  /** Whoever has waited long enough is content with `min_count`. */
  formMatches(): void {
    this.#match(true);
  }

  /** As the server settles a ticket that it cannot match: `expired`, `attempts_exhausted` … */
  fail(id: number, reason: string): void {
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) throw new RangeError(`no ticket ${id}`);
    ticket.status = 'failed';
    ticket.failureReason = reason;
  }

  /** As by another device of the player. */
  cancelFor(id: number): void {
    const ticket = this.#tickets.get(id);
    if (ticket === undefined) throw new RangeError(`no ticket ${id}`);
    ticket.status = 'cancelled';
  }

  /** True when the player is in that match. */
  isInMatch(matchId: string, playerId: number): boolean {
    for (const { match } of this.#tickets.values()) {
      if (match?.id === matchId) return match.users.some((user) => user.player_id === playerId);
    }
    return false;
  }

  #ticketOf(player: Player, id: number): Ticket {
    const ticket = this.#tickets.get(id);
    if (ticket?.player !== player) throw new Refusal(problem(404, 'not found'));
    return ticket;
  }

  #readRequest(request: TicketRequest) {
    const { fleet = '', allow_cross_region: cross, attributes } = request;
    const mode = request.mode || (fleet === '' ? 'match_only' : 'fleet_allocation');
    const isFleet = mode === 'fleet_allocation';
    const minCount = request.min_count || 1;
    const maxCount = request.max_count || minCount;
    const countMultiple = request.count_multiple || 1;
    const refuse = (detail: string) => new Refusal(problem(400, detail));
    const size = attributes === undefined ? 0 : Buffer.byteLength(JSON.stringify(attributes));
    if (size > LIMITS.attributesBytesMax) {
      throw refuse(`attributes must not exceed ${LIMITS.attributesBytesMax} bytes`);
    }
    if (!MODES.includes(mode)) throw refuse('unknown mode');
    if (isFleet && fleet === '') throw refuse('fleet is required for fleet_allocation');
    if (isFleet && cross !== undefined) {
      throw refuse('allow_cross_region is not supported for fleet_allocation');
    }
    if (!isFleet && fleet !== '') throw refuse('fleet is only valid for fleet_allocation');
    if (minCount < 0 || maxCount < 0 || countMultiple < 0) throw refuse('counts must be positive');
    if (minCount > maxCount) throw refuse('min_count must not exceed max_count');
    if (Math.floor(maxCount / countMultiple) * countMultiple < minCount) {
      throw refuse('no roster size in [min_count, max_count] is a multiple of count_multiple');
    }
    if (isFleet && !this.fleets.has(fleet)) throw refuse('unknown fleet');
    return { mode: mode as MatchMode, minCount, maxCount, countMultiple };
  }

  #match(isRelaxed: boolean): void {
    const pools = new Map<string, Ticket[]>();
    for (const ticket of this.#tickets.values()) {
      if (ticket.status !== 'queued') continue;
      const { mode, request, minCount, maxCount, countMultiple } = ticket;
      const counts = [minCount, maxCount, countMultiple];
      const pool = [mode, request.fleet, request.game_mode, ...counts].join('|');
      pools.set(pool, [...(pools.get(pool) ?? []), ticket]);
    }
    for (const tickets of pools.values()) {
      for (;;) {
        const size = groupSize(tickets, isRelaxed);
        if (size === 0) break;
        this.#form(tickets.splice(0, size));
      }
    }
  }

  #form(tickets: Ticket[]): void {
    const [{ mode, request, player: host }] = tickets;
    const isFleet = mode === 'fleet_allocation';
    const allocation = isFleet ? this.#allocate(request.fleet ?? '') : { address: '' };
    const players = tickets.map(({ player }) => player.id);
    const room = mode === 'game_session' ? this.#hooks.openRoom(host.id, players) : null;
    const match: Match = {
      id: `mm_${randomBytes(8).toString('hex')}`,
      mode,
      users: tickets.map(rosterEntryOf),
      address: allocation.address,
      protocolHint: allocation.protocolHint ?? '',
      sessionId: room?.sessionId ?? '',
      joinCode: room?.joinCode ?? '',
      hostPlayerId: isFleet ? 0 : host.id,
    };
    for (const ticket of tickets) {
      ticket.status = 'matched';
      ticket.match = match;
      ticket.matchedAtMs = this.#hooks.now();
    }
    if (!this.isPushing) return;
    for (const { id, player } of tickets) {
      this.#hooks.push(player.id, 'matchmaker_matched', pushOf(id, match));
    }
  }

  #allocate(fleet: string): Allocation {
    const allocation = this.fleets.get(fleet) as Allocation | (() => Allocation);
    return typeof allocation === 'function' ? allocation() : allocation;
  }
}

/** 0: not enough. A group is a multiple of `count_multiple`. */
function groupSize(tickets: Ticket[], isRelaxed: boolean): number {
  if (tickets.length === 0) return 0;
  const { minCount, maxCount, countMultiple } = tickets[0];
  const floor = (count: number) => Math.floor(count / countMultiple) * countMultiple;
  const full = floor(maxCount);
  if (tickets.length >= full) return full;
  const some = floor(tickets.length);
  return isRelaxed && some >= minCount ? some : 0;
}
