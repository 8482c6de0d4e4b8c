/**
 * Tickets that really match: players who take each other become a match, and each gets the push. A full
 * group (`max_count`) forms at once; a smaller one, or one across regions, when `formMatches` says that the
 * waiting is over. The real matcher knows both waits apart (30 s and 60 s), claims at most 128 tickets at a
 * time, and lets a ticket expire after 10 minutes; here `fail` does that.
 */
import { randomBytes } from 'node:crypto';
import type { Player } from './accounts.js';
import { problem, Refusal } from './answers.js';
import { formGroups, poolOf } from './match-groups.js';
import { readTicketRequest } from './ticket-request.js';
import {
  type Allocation,
  bodyOf,
  type Match,
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
    const terms = readTicketRequest(request, (name) => this.fleets.has(name));
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
      ...terms,
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

  /** Everybody has waited long enough: `min_count` will do, and other regions where the ticket allows. */
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

  #match(isRelaxed: boolean): void {
    const pools = new Map<string, Ticket[]>();
    for (const ticket of this.#tickets.values()) {
      if (ticket.status !== 'queued') continue;
      const pool = poolOf(ticket);
      pools.set(pool, [...(pools.get(pool) ?? []), ticket]);
    }
    for (const tickets of pools.values()) {
      for (const group of formGroups(tickets, isRelaxed)) this.#form(group);
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
