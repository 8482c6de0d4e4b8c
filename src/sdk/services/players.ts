import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { idPart, namePart, readId } from './path-parts.js';
import { listOf, objectOf } from './wire.js';

/** What anybody in the project may know of a player. */
export interface PublicPlayer {
  id: number;
  displayName?: string;
  createdAt: Date;
}

export class PlayersService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async get(playerId: number, options?: CallOptions): Promise<PublicPlayer> {
    const path = `${ROOT}/${idPart('playerId', playerId)}`;
    const request = { operationId: 'getPlayer', method: 'GET', path };
    return objectOf(await this.#api.callAsPlayer(request, options), 'player');
  }

  /** Up to 100 at once; who is not known is left out. */
  async resolve(playerIds: readonly number[], options?: CallOptions): Promise<PublicPlayer[]> {
    const query = { ids: playerIds.map((id) => readId('playerIds', id)).join(',') };
    const request = { operationId: 'resolvePlayers', method: 'GET', path: ROOT, query };
    return listOf(await this.#api.callAsPlayer(request, options), 'players');
  }

  /** Whose friend code it is (`profile.regenerateFriendCode`). */
  async resolveFriendCode(code: string, options?: CallOptions): Promise<PublicPlayer> {
    const path = `${ROOT}/by-code/${namePart('code', code)}`;
    const request = { operationId: 'resolveFriendCode', method: 'GET', path };
    return objectOf(await this.#api.callAsPlayer(request, options), 'player');
  }
}

const ROOT = '/v1/players';
