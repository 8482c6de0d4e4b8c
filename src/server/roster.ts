/** Everybody who is in, the rooms they are in, and what those who left have sent and received. */
import type { LinkStats } from '../session/connection-stats.js';
import type { Broadcaster } from './broadcast.js';
import type { Life } from './life.js';
import type { PlayerEntry } from './player-entry.js';
import { RoomEntry, type RoomsHost } from './room-entry.js';
import type { RoomTicks } from './room-ticks.js';
import { addConnection, collectStats, emptyStats } from './server-stats.js';
import type { ServerStats } from './types.js';

/** Invariant: `all` holds each player once, and `byId` the newest of each id. */
export class Roster {
  readonly byId = new Map<string, PlayerEntry>();
  /** In an array, because a broadcast walks it once per tick. */
  readonly all: PlayerEntry[] = [];
  readonly #departed = emptyStats();
  /** Everybody who is or was here. */
  readonly #known = new WeakSet<PlayerEntry>();
  readonly #rooms: RoomsHost;

  constructor(broadcaster: Broadcaster, roomTicks: RoomTicks, life: Life) {
    const knows = (player: PlayerEntry) => this.#known.has(player);
    this.#rooms = { rooms: new Map(), broadcaster, roomTicks, life, knows };
  }

  /** Rooms with members. */
  get rooms(): number {
    return this.#rooms.rooms.size;
  }

  room(name: string): RoomEntry {
    return new RoomEntry(name, this.#rooms);
  }

  add(player: PlayerEntry): void {
    this.byId.set(player.id, player);
    this.all.push(player);
    this.#known.add(player);
  }

  /** Out of every list and room. */
  remove(player: PlayerEntry): void {
    for (const name of player.rooms) this.room(name).leave(player);
    const at = this.all.indexOf(player);
    if (at >= 0) this.all.splice(at, 1);
    if (this.byId.get(player.id) === player) this.byId.delete(player.id);
  }

  /** The player's session leaves its link, whose figures are to count on. */
  countLink(player: PlayerEntry): void {
    addConnection(this.#departed, player.linkStats());
  }

  /** Figures of the links that are open. */
  links(): LinkStats[] {
    return this.all.map((player) => player.linkStats());
  }

  /** Of those who left and of these. Drops and who is suspended are the caller's to add. */
  stats(links: readonly LinkStats[]): ServerStats {
    return collectStats(this.#departed, links);
  }
}
