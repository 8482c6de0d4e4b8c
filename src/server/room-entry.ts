import type { SendOptions } from '../session/types.js';
import { badOption, TransportError } from '../util/errors.js';
import { checkHandler } from '../util/handlers.js';
import { number } from '../util/option-checks.js';
import type { Broadcaster } from './broadcast.js';
import type { Life } from './life.js';
import { TICK_HZ_MAX, TICK_HZ_MIN } from './options.js';
import { PlayerEntry } from './player-entry.js';
import type { RoomTicks } from './room-ticks.js';
import type { Player, Room, TickInfo } from './types.js';

/** Members by room name; a room without members has no entry. */
export type RoomMembers = Map<string, PlayerEntry[]>;

/** What rooms need of the server. */
export interface RoomsHost {
  readonly rooms: RoomMembers;
  readonly broadcaster: Broadcaster;
  readonly roomTicks: RoomTicks;
  readonly life: Life;
  /** Whether it is, or was, a player here. */
  knows(player: PlayerEntry): boolean;
}

const NOBODY: readonly PlayerEntry[] = [];

/**
 * A name's view of the table of rooms. It holds nothing itself, so every handle of a name is the
 * same room, however often that room was empty in between, and a name nobody joined costs nothing.
 * Members lie in an array, because a broadcast walks it once per tick and a leave is rare.
 *
 * Invariant: an array holds each player once, and every member's `rooms` holds the room's name.
 */
export class RoomEntry implements Room<Record<string, unknown>> {
  readonly name: string;
  readonly #host: RoomsHost;

  constructor(name: string, host: RoomsHost) {
    if (typeof name !== 'string') throw badOption('room', name, 'a name');
    this.name = name;
    this.#host = host;
  }

  get size(): number {
    return this.#members.length;
  }

  players(): IterableIterator<PlayerEntry> {
    return this.#members.slice().values();
  }

  join(player: Player<Record<string, unknown>>): void {
    const { rooms } = this.#host;
    const entry = this.#requireOurs(player);
    if (entry.hasLeft) {
      throw new TransportError('player-left', `ggscale: the player has left, room ${this.name}`);
    }
    if (entry.rooms.has(this.name)) return;
    entry.enterRoom(this.name);
    const members = rooms.get(this.name);
    if (members === undefined) rooms.set(this.name, [entry]);
    else members.push(entry);
  }

  leave(player: Player<Record<string, unknown>>): void {
    const { rooms } = this.#host;
    const entry = this.#requireOurs(player);
    if (!entry.leaveRoom(this.name)) return;
    const members = rooms.get(this.name) as PlayerEntry[];
    members.splice(members.indexOf(entry), 1);
    if (members.length === 0) rooms.delete(this.name);
  }

  broadcast(type: string, value: unknown, options?: SendOptions): number {
    this.#host.life.requireAlive();
    return this.#host.broadcaster.send(this.#members, type, value, options);
  }

  onTick(hz: number, handler: (tick: TickInfo) => void): () => void {
    number('hz', hz, TICK_HZ_MIN, TICK_HZ_MAX);
    checkHandler(handler);
    this.#host.life.requireAlive();
    return this.#host.roomTicks.add(this.name, hz, handler);
  }

  get #members(): readonly PlayerEntry[] {
    return this.#host.rooms.get(this.name) ?? NOBODY;
  }

  #requireOurs(player: unknown): PlayerEntry {
    if (player instanceof PlayerEntry && this.#host.knows(player)) return player;
    const what = player instanceof PlayerEntry ? 'of another server' : typeof player;
    throw badOption('player', what, 'a player of this server');
  }
}
