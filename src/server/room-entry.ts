import type { SendOptions } from '../session/types.js';
import type { Broadcaster } from './broadcast.js';
import { PlayerEntry } from './player-entry.js';
import type { Player, Room } from './types.js';

/**
 * A room. Members lie in an array, because a broadcast walks it once per tick and a leave is rare.
 *
 * Invariant: `members` holds each player once, and every member's `rooms` holds this room.
 */
export class RoomEntry implements Room<Record<string, unknown>> {
  readonly name: string;
  readonly #members: PlayerEntry[] = [];
  readonly #broadcaster: Broadcaster;
  readonly #onEmpty: (room: RoomEntry) => void;

  constructor(name: string, broadcaster: Broadcaster, onEmpty: (room: RoomEntry) => void) {
    this.name = name;
    this.#broadcaster = broadcaster;
    this.#onEmpty = onEmpty;
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
    if (player.hasLeft || player.rooms.has(this)) return;
    player.rooms.add(this);
    this.#members.push(player);
  }

  leave(player: Player<Record<string, unknown>>): void {
    const entry = player as PlayerEntry;
    if (!entry.rooms.delete(this)) return;
    this.#members.splice(this.#members.indexOf(entry), 1);
    if (this.#members.length === 0) this.#onEmpty(this);
  }

  broadcast(type: string, value: unknown, options?: SendOptions): number {
    return this.#broadcaster.send(this.#members, type, value, options);
  }
}
