/** What game servers ask: with the secret key, without a player's session. */
import { badOption, TransportError } from '../../util/errors.js';
import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { idPart, readId } from './path-parts.js';
import { objectOf, toWire } from './wire.js';

export interface VerifiedPlayer {
  playerId: number;
  externalId: string;
  /** Players without an account have none. */
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
    return objectOf(await this.#api.call(request, options), 'player');
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
}
