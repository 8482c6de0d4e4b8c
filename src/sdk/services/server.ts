/** What game servers ask: with the secret key, without a player's session. */
import { badOption, TransportError } from '../../util/errors.js';
import type { Api } from '../api.js';
import { isUnauthorized } from '../error-predicates.js';
import { GGScaleError, RequestError } from '../errors.js';
import type { CallOptions } from '../http/transport.js';
import { addrsOf, type RemoteAddr } from './account.js';
import { allPages, type Page, pageOf } from './pages.js';
import { idPart, readId } from './path-parts.js';
import {
  getRequest,
  listRequest,
  type PutOptions,
  putRequest,
  type StorageListOptions,
  type StorageObject,
  type StorageObjectMetadata,
} from './storage.js';
import { objectOf, toWire } from './wire.js';

export interface VerifiedPlayer {
  playerId: number;
  externalId: string;
  /** Players without an account have none. */
  email?: string;
}

/** What game servers get to know of a player: `player.session` there. */
export interface PlayerSession {
  /** The launch API's number, as text: game servers know players by texts. */
  playerId: string;
  externalId: string;
  email?: string;
}

export interface FleetHeartbeat {
  /** The Agones GameServer's name: what the list is kept by. */
  agonesName: string;
  fleet: string;
  address: string;
  maxPlayers: number;
  currentPlayers?: number;
  region?: string;
  name?: string;
  gameMode?: string;
  level?: string;
  version?: string;
}

/** Sooner than game servers give a `verifySession` up (10 s), so that they hear why. */
const VERIFIER_MS = 8000;

/** All of them are on the wire, always: what is left out is the type's zero. */
const HEARTBEAT_DEFAULTS = {
  region: '',
  name: '',
  currentPlayers: 0,
  gameMode: '',
  level: '',
  version: '',
};

export class ServerService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Who a player's session token belongs to: `POST /v1/server/player-sessions/verify`. Whatever is
   * wrong with the token is the same 401 (`isUnauthorized`).
   */
  async verifySession(sessionToken: string, options?: CallOptions): Promise<VerifiedPlayer> {
    if (typeof sessionToken !== 'string' || sessionToken === '') {
      throw new TransportError('bad-option', 'ggscale: session token is required');
    }
    const request = {
      operationId: 'verifyPlayerSession',
      method: 'POST',
      path: '/v1/server/player-sessions/verify',
      body: { session_token: sessionToken },
    };
    const player = objectOf<VerifiedPlayer>(await this.#api.call(request, options), 'player');
    // Beyond 2^53 − 1 it has been rounded: that is another player's.
    if (Number.isSafeInteger(player.playerId)) return player;
    throw new RequestError('decode', 'the player lacks a usable player_id');
  }

  /**
   * `verifySession` in the form that game servers want:
   *
   *     GameServer.listen({ verifySession: backend.server.sessionVerifier() })
   *
   * The function resolves the player, or null for a session that is not (or no longer) valid. When the
   * API cannot tell now (no answer within 8 s, 408, 429, 5xx) it throws TransportError `unverifiable`,
   * which game servers answer with 503 and a time to come back. Whatever else the API refuses, a key
   * that is wrong or not secret, is thrown as it is: that is no player's fault.
   */
  sessionVerifier(): (sessionToken: string) => Promise<PlayerSession | null> {
    return async (sessionToken) => {
      try {
        const player = await this.verifySession(sessionToken, { timeoutMs: VERIFIER_MS });
        return { ...player, playerId: String(player.playerId) };
      } catch (error) {
        if (isInvalidSession(error)) return null;
        if (!isUnanswered(error)) throw error;
        const message = `ggscale: no verification now: ${(error as Error).message}`;
        throw new TransportError('unverifiable', message, { cause: error });
      }
    };
  }

  /**
   * Says that a game server lives, and how full it is: `POST /v1/fleets/heartbeat`, every 5 s; after
   * about 15 s without one it is off the list.
   */
  async fleetHeartbeat(heartbeat: FleetHeartbeat, options?: CallOptions): Promise<void> {
    for (const name of ['agonesName', 'fleet', 'address'] as const) {
      if (!heartbeat[name]) throw badOption(`heartbeat.${name}`, heartbeat[name], 'a string');
    }
    if (!(heartbeat.maxPlayers > 0)) {
      throw badOption('heartbeat.maxPlayers', heartbeat.maxPlayers, 'more than 0');
    }
    const request = {
      operationId: 'fleetHeartbeat',
      method: 'POST',
      path: '/v1/fleets/heartbeat',
      body: toWire({ ...HEARTBEAT_DEFAULTS, ...heartbeat }),
    };
    await this.#api.call(request, options);
  }

  /** Submits for a player whom `verifySession` has named. `metadata` is the game's own JSON. */
  async submitScore(
    playerId: number,
    leaderboardId: number,
    score: number,
    { metadata, ...options }: CallOptions & { metadata?: unknown } = {},
  ): Promise<void> {
    const request = {
      operationId: 'serverSubmitScore',
      method: 'POST',
      path: `/v1/server/leaderboards/${idPart('leaderboardId', leaderboardId)}/scores`,
      body: { player_id: readId('playerId', playerId), score, metadata },
    };
    await this.#api.call(request, options);
  }

  /** Where a player whom this project knows can be reached (`account.setRemoteAddrs`). */
  async playerRemoteAddrs(playerId: number, options?: CallOptions): Promise<RemoteAddr[]> {
    const path = `${pathOf(playerId)}/remote-addrs`;
    const request = { operationId: 'serverGetPlayerRemoteAddrs', method: 'GET', path };
    return addrsOf(await this.#api.call(request, options));
  }

  async storageGet(playerId: number, key: string, options?: CallOptions): Promise<StorageObject> {
    const operationId = 'serverGetStorageObject';
    const request = { operationId, ...getRequest(objectsOf(playerId), key) };
    return objectOf(await this.#api.call(request, options), 'object');
  }

  /** As `storage.put` of the player. */
  async storagePut(
    playerId: number,
    key: string,
    value: unknown,
    { ifMatch, ...options }: PutOptions = {},
  ): Promise<StorageObject> {
    const operationId = 'serverPutStorageObject';
    const request = { operationId, ...putRequest(objectsOf(playerId), key, value, ifMatch) };
    return objectOf(await this.#api.call(request, options), 'object');
  }

  async storageList(
    playerId: number,
    list: StorageListOptions = {},
    options?: CallOptions,
  ): Promise<Page<StorageObjectMetadata>> {
    const operationId = 'serverListStorageObjects';
    const request = { operationId, ...listRequest(objectsOf(playerId), list) };
    return pageOf(await this.#api.call(request, options));
  }

  storageAll(
    playerId: number,
    list: StorageListOptions = {},
    options?: CallOptions,
  ): AsyncGenerator<StorageObjectMetadata> {
    return allPages(list.cursor, (cursor) =>
      this.storageList(playerId, cursor === undefined ? list : { ...list, cursor }, options),
    );
  }
}

function pathOf(playerId: number): string {
  return `/v1/server/players/${idPart('playerId', playerId)}`;
}

function objectsOf(playerId: number): string {
  return `${pathOf(playerId)}/storage/objects`;
}

/** A key that is refused is a 401 too, in plain text: without a code. */
function isInvalidSession(error: unknown): boolean {
  return isUnauthorized(error) && error.code !== '';
}

function isUnanswered(error: unknown): boolean {
  if (error instanceof RequestError) return true;
  if (!(error instanceof GGScaleError)) return false;
  return error.status === 408 || error.status === 429 || error.status >= 500;
}
