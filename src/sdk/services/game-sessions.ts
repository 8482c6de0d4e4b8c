/** Sessions that a player hosts: create, share the code, join, and stay in by heartbeat. */
import type { Api } from '../api.js';
import type { CallOptions, TransportRequest } from '../http/transport.js';
import { allPages, type Page, type PageOptions, pageOf } from './pages.js';
import { namePart } from './path-parts.js';
import { listOf, objectOf, toWire } from './wire.js';

/** Where a peer is reached from outside. */
export interface GameSessionAddr {
  ip: string;
  port: number;
}

export interface GameSessionPeer {
  playerId: number;
  xuid?: string;
  displayName?: string;
  addr: GameSessionAddr;
}

export interface GameSession {
  sessionId: string;
  /** Short, for people; `resolve` turns it into the id. */
  joinCode: string;
  state: string;
  expiresAt: Date;
  peers: GameSessionPeer[];
}

export interface GameSessionCreate {
  titleId?: string;
  publicAddr: GameSessionAddr;
  /** The game's own JSON. */
  props?: unknown;
  /** The server's default is 2, its maximum 64. */
  maxPlayers?: number;
  /** Only host, members and who is invited can see it. */
  private?: boolean;
}

export interface PublicGameSession {
  sessionId: string;
  titleId?: string;
  props: unknown;
  playerCount: number;
  maxPlayers: number;
  hostPlayerId: number;
  hostDisplayName?: string;
  createdAt: Date;
}

export interface GameSessionListOptions extends PageOptions {
  titleId?: string;
}

export class GameSessionsService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The caller is its first peer. `isRateLimited`: the project has as many as it may. */
  create(session: GameSessionCreate, options?: CallOptions): Promise<GameSession> {
    const body = toWire(session);
    return this.#session('createGameSession', { method: 'POST', path: ROOT, body }, options);
  }

  /** `isNotFound` for everybody but host, members and who is invited. */
  get(sessionId: string, options?: CallOptions): Promise<GameSession> {
    return this.#session('getGameSession', { method: 'GET', path: pathOf(sessionId) }, options);
  }

  /** The id that a join code stands for. */
  async resolve(joinCode: string, options?: CallOptions): Promise<string> {
    const request = { method: 'GET', path: ROOT, query: { joinCode } };
    const answer = await this.#call('resolveGameSession', request, options);
    return objectOf<{ sessionId: string }>(answer, 'game session').sessionId;
  }

  /** `isConflict`: it is full; status 410: it is over. */
  join(sessionId: string, addr: GameSessionAddr, options?: CallOptions): Promise<GameSession> {
    const path = `${pathOf(sessionId)}/join`;
    const body = { public_addr: addr };
    return this.#session('joinGameSession', { method: 'POST', path, body }, options);
  }

  /** About every 30 s. The peers that are left; `qos` is the game's own JSON, kept when left out. */
  async heartbeat(
    sessionId: string,
    { qos, ...options }: CallOptions & { qos?: unknown } = {},
  ): Promise<GameSessionPeer[]> {
    const path = `${pathOf(sessionId)}/heartbeat`;
    const request = { method: 'POST', path, body: { qos } };
    return listOf(await this.#call('heartbeatGameSession', request, options), 'peers');
  }

  /** When the host leaves it is over for all. */
  async leave(sessionId: string, options?: CallOptions): Promise<void> {
    const request = { method: 'DELETE', path: pathOf(sessionId) };
    await this.#call('leaveGameSession', request, options);
  }

  /** Open sessions that are public and have room. */
  async list(
    { titleId, limit, cursor }: GameSessionListOptions = {},
    options?: CallOptions,
  ): Promise<Page<PublicGameSession>> {
    const query = { title_id: titleId || undefined, limit, cursor: cursor || undefined };
    const request = { method: 'GET', path: '/v1/game-sessions', query };
    return pageOf(await this.#call('listGameSessions', request, options));
  }

  all(list: GameSessionListOptions = {}, options?: CallOptions): AsyncGenerator<PublicGameSession> {
    return allPages(list.cursor, (cursor) =>
      this.list(cursor === undefined ? list : { ...list, cursor }, options),
    );
  }

  #call(
    operationId: string,
    request: TransportRequest,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    return this.#api.callAsPlayer({ operationId, ...request }, options);
  }

  async #session(
    operationId: string,
    request: TransportRequest,
    options: CallOptions | undefined,
  ): Promise<GameSession> {
    return objectOf(await this.#call(operationId, request, options), 'game session');
  }
}

const ROOT = '/v1/game-session';

function pathOf(sessionId: string): string {
  return `${ROOT}/${namePart('sessionId', sessionId)}`;
}
