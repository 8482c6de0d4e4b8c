import type { SendOptions } from '../session/types.js';
import type { Broadcaster } from './broadcast.js';
import { PlayerEntry } from './player-entry.js';
import type { Player, Room } from './types.js';

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

  constructor(name: string, rooms: RoomMembers, broadcaster: Broadcaster) {
    this.name = name;
    this.#rooms = rooms;
    this.#broadcaster = broadcaster;
  }

  get size(): number {
    return this.#members.length;
  }

  players(): IterableIterator<PlayerEntry> {
    return this.#members.slice().values();
  }

  join(player: Player<Record<string, unknown>>): void {
    if (!(player instanceof PlayerEntry))
      throw new TypeError('ggscale: not a player of this server');
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

  get #members(): readonly PlayerEntry[] {
    return this.#rooms.get(this.name) ?? NOBODY;
  }
}
