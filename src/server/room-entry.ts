import type { SendOptions } from '../session/types.js';
import { badOption } from '../util/errors.js';
import { checkHandler } from '../util/handlers.js';
import { number } from '../util/option-checks.js';
import type { Broadcaster } from './broadcast.js';
import { TICK_HZ_MAX, TICK_HZ_MIN } from './options.js';
import { PlayerEntry } from './player-entry.js';
import type { RoomTicks } from './room-ticks.js';
import type { Player, Room, TickInfo } from './types.js';

/** Members by room name; a room without members has no entry. */
export type RoomMembers = Map<string, PlayerEntry[]>;

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
  readonly #rooms: RoomMembers;
  readonly #broadcaster: Broadcaster;
  readonly #ticks: RoomTicks;

  constructor(name: string, rooms: RoomMembers, broadcaster: Broadcaster, ticks: RoomTicks) {
    if (typeof name !== 'string') throw badOption('room', name, 'a name');
    this.name = name;
    this.#rooms = rooms;
    this.#broadcaster = broadcaster;
    this.#ticks = ticks;
  }

  get size(): number {
    return this.#members.length;
  }

  players(): IterableIterator<PlayerEntry> {
    return this.#members.slice().values();
  }

  join(player: Player<Record<string, unknown>>): void {
    if (!(player instanceof PlayerEntry)) {
      throw badOption('player', typeof player, 'a player of this server');
    }
    if (player.hasLeft || player.rooms.has(this.name)) return;
    player.rooms.add(this.name);
    const members = this.#rooms.get(this.name);
    if (members === undefined) this.#rooms.set(this.name, [player]);
    else members.push(player);
  }

  leave(player: Player<Record<string, unknown>>): void {
    if (!(player instanceof PlayerEntry) || !player.rooms.delete(this.name)) return;
    const members = this.#rooms.get(this.name) as PlayerEntry[];
    members.splice(members.indexOf(player), 1);
    if (members.length === 0) this.#rooms.delete(this.name);
  }

  broadcast(type: string, value: unknown, options?: SendOptions): number {
    return this.#broadcaster.send(this.#members, type, value, options);
  }

  onTick(hz: number, handler: (tick: TickInfo) => void): () => void {
    number('hz', hz, TICK_HZ_MIN, TICK_HZ_MAX);
    checkHandler(handler);
    return this.#ticks.add(this.name, hz, handler);
  }

  get #members(): readonly PlayerEntry[] {
    return this.#rooms.get(this.name) ?? NOBODY;
  }
}
