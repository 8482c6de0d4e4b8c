import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { addrsOf, type RemoteAddr } from './account.js';
import { allPages, type Page, type PageOptions, pageOf } from './pages.js';
import { idPart } from './path-parts.js';
import { objectOf } from './wire.js';

export interface Friend {
  id: number;
  accountId: string;
  /** Left out when the account has no player in this project. */
  playerId?: number;
  status: string;
  email?: string;
  displayName?: string;
  presence?: { status: string; sessionId: string | null };
  createdAt: Date;
  updatedAt: Date;
}

export interface FriendsListOptions extends PageOptions {
  /** `pending`, `accepted` (the server's default), `rejected`, `blocked`. */
  status?: string;
}

/** Friends are accounts: anonymous players are refused with 403. */
export class FriendsService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(
    { status, limit, cursor }: FriendsListOptions = {},
    options?: CallOptions,
  ): Promise<Page<Friend>> {
    const query = { status: status || undefined, limit, cursor: cursor || undefined };
    const request = { operationId: 'listFriends', method: 'GET', path: FRIENDS, query };
    return pageOf(await this.#api.callAsPlayer(request, options));
  }

  all(list: FriendsListOptions = {}, options?: CallOptions): AsyncGenerator<Friend> {
    return allPages(list.cursor, (cursor) =>
      this.list(cursor === undefined ? list : { ...list, cursor }, options),
    );
  }

  /** What the friendship is now: `pending`, or what it was already. */
  async request(playerId: number, options?: CallOptions): Promise<string> {
    const answer = await this.#post('requestFriend', playerId, 'request', options);
    return objectOf<{ status: string }>(answer, 'friendship').status;
  }

  async accept(playerId: number, options?: CallOptions): Promise<void> {
    await this.#post('acceptFriend', playerId, 'accept', options);
  }

  async reject(playerId: number, options?: CallOptions): Promise<void> {
    await this.#post('rejectFriend', playerId, 'reject', options);
  }

  async block(playerId: number, options?: CallOptions): Promise<void> {
    await this.#post('blockFriend', playerId, 'block', options);
  }

  async unblock(playerId: number, options?: CallOptions): Promise<void> {
    await this.#post('unblockFriend', playerId, 'unblock', options);
  }

  async remove(playerId: number, options?: CallOptions): Promise<void> {
    const path = `${FRIENDS}/${idPart('playerId', playerId)}`;
    const request = { operationId: 'deleteFriend', method: 'DELETE', path };
    await this.#api.callAsPlayer(request, options);
  }

  /** Where an accepted friend can be reached; `isForbidden` for anybody else. */
  async remoteAddrs(playerId: number, options?: CallOptions): Promise<RemoteAddr[]> {
    const path = `${FRIENDS}/${idPart('playerId', playerId)}/remote-addrs`;
    const request = { operationId: 'getFriendRemoteAddrs', method: 'GET', path };
    return addrsOf(await this.#api.callAsPlayer(request, options));
  }

  #post(
    operationId: string,
    playerId: number,
    verb: string,
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const path = `${FRIENDS}/${idPart('playerId', playerId)}/${verb}`;
    return this.#api.callAsPlayer({ operationId, method: 'POST', path }, options);
  }
}

const FRIENDS = '/v1/friends';
