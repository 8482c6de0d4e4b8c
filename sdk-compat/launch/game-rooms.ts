/** Game sessions: rooms with a join code that players meet in before they connect to each other. */
import { randomBytes } from 'node:crypto';
import type { Player } from './accounts.js';
import { problem, Refusal } from './answers.js';
import { LIMITS } from './contract.js';

export interface PeerAddress {
  ip: string;
  port: number;
}

interface Room {
  id: string;
  joinCode: string;
  titleId: string;
  props: unknown;
  hostId: number;
  maxPlayers: number;
  isPrivate: boolean;
  hasEnded: boolean;
  createdAtMs: number;
  peers: Map<number, PeerAddress>;
}

export interface RoomRequest {
  title_id?: string;
  public_addr?: PeerAddress;
  props?: unknown;
  max_players?: number;
  private?: boolean;
}

const ROOM_TTL_MS = 5 * 60_000;
const PLAYERS_DEFAULT = 2;
const CODE_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const NOWHERE: PeerAddress = { ip: '', port: 0 };

export class GameRooms {
  readonly #rooms = new Map<string, Room>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  create(host: Player, request: RoomRequest): object {
    const address = readAddress(request.public_addr);
    if ((request.max_players ?? 0) < 0) {
      throw new Refusal(problem(400, 'max_players must not be negative'));
    }
    if ((request.max_players ?? 0) > LIMITS.roomPlayersMax) {
      throw new Refusal(problem(400, 'max_players exceeds limit'));
    }
    const room = this.#open(host.id, request);
    room.peers.set(host.id, address);
    return this.#bodyOf(room);
  }

  /** Of a `game_session` match: everybody has a place, and announces the address by joining. */
  openFor(hostId: number, playerIds: number[]): { sessionId: string; joinCode: string } {
    const room = this.#open(hostId, { max_players: playerIds.length, private: true });
    for (const id of playerIds) room.peers.set(id, NOWHERE);
    return { sessionId: room.id, joinCode: room.joinCode };
  }

  resolve(joinCode: string): object {
    if (joinCode === '') throw new Refusal(problem(400, 'joinCode required'));
    for (const room of this.#rooms.values()) {
      if (room.joinCode === joinCode && !room.hasEnded) return { session_id: room.id };
    }
    throw new Refusal(problem(404, 'not found'));
  }

  list(titleId: string): object {
    const items: object[] = [];
    for (const room of this.#rooms.values()) {
      if (room.isPrivate || room.hasEnded) continue;
      if (titleId !== '' && room.titleId !== titleId) continue;
      items.push({
        session_id: room.id,
        ...(room.titleId !== '' && { title_id: room.titleId }),
        props: room.props ?? {},
        player_count: room.peers.size,
        max_players: room.maxPlayers,
        host_player_id: room.hostId,
        created_at: new Date(room.createdAtMs).toISOString(),
      });
    }
    return { items, next_cursor: '' };
  }

  read(player: Player, id: string): object {
    return this.#bodyOf(this.#visible(player, id));
  }

  join(player: Player, id: string, request: { public_addr?: PeerAddress }): object {
    const address = readAddress(request.public_addr);
    const room = this.#visible(player, id);
    if (room.hasEnded) throw new Refusal(problem(410, 'session no longer joinable'));
    if (!room.peers.has(player.id) && room.peers.size >= room.maxPlayers) {
      throw new Refusal(problem(409, 'session is full'));
    }
    room.peers.set(player.id, address);
    return this.#bodyOf(room);
  }

  heartbeat(player: Player, id: string): object {
    const room = this.#rooms.get(id);
    if (room === undefined || !room.peers.has(player.id)) {
      throw new Refusal(problem(404, 'not a member of this session'));
    }
    return { ok: true, peers: peersOf(room) };
  }

  /** With the host the session ends. */
  leave(player: Player, id: string): void {
    const room = this.#visible(player, id);
    room.peers.delete(player.id);
    if (room.hostId === player.id) room.hasEnded = true;
  }

  #open(hostId: number, request: RoomRequest): Room {
    const code = Array.from(randomBytes(6), (byte) => CODE_LETTERS[byte % CODE_LETTERS.length]);
    const room: Room = {
      id: `gs_${randomBytes(16).toString('hex')}`,
      joinCode: code.join(''),
      titleId: request.title_id ?? '',
      props: request.props,
      hostId,
      maxPlayers: request.max_players || PLAYERS_DEFAULT,
      isPrivate: request.private ?? false,
      hasEnded: false,
      createdAtMs: this.#now(),
      peers: new Map(),
    };
    this.#rooms.set(room.id, room);
    return room;
  }

  /** A private room of others looks like none. */
  #visible(player: Player, id: string): Room {
    const room = this.#rooms.get(id);
    const isMine = room?.hostId === player.id || room?.peers.has(player.id);
    if (room === undefined || (room.isPrivate && !isMine)) {
      throw new Refusal(problem(404, 'not found'));
    }
    return room;
  }

  #bodyOf(room: Room): object {
    return {
      session_id: room.id,
      join_code: room.joinCode,
      state: room.hasEnded ? 'ended' : 'open',
      expires_at: new Date(this.#now() + ROOM_TTL_MS).toISOString(),
      peers: peersOf(room),
    };
  }
}

function peersOf(room: Room): object[] {
  return [...room.peers].map(([player_id, addr]) => ({ player_id, addr }));
}

/** @throws Refusal */
function readAddress(address: PeerAddress = NOWHERE): PeerAddress {
  const { ip, port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Refusal(problem(400, 'public_addr.port out of range'));
  }
  return { ip, port };
}
