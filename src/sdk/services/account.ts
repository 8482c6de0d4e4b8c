import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { listOf, toWire } from './wire.js';

/** Where a player can be reached by others, as the player says. */
export interface RemoteAddr {
  /** `ip_lan`, `ip_public`, `dns`, `iroh`. */
  type: string;
  address: string;
  /** The server's own finding; not taken when it is written. */
  scope?: string;
}

/** Of the account behind the player: anonymous players are refused with 403. */
export class AccountService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async remoteAddrs(options?: CallOptions): Promise<RemoteAddr[]> {
    const request = { operationId: 'getAccountRemoteAddrs', method: 'GET', path: PATH };
    return addrsOf(await this.#api.callAsPlayer(request, options));
  }

  /** In place of all that were told before, at most one of a type. What the server made of them. */
  async setRemoteAddrs(
    addresses: readonly RemoteAddr[],
    options?: CallOptions,
  ): Promise<RemoteAddr[]> {
    const body = { addresses: toWire(addresses) };
    const request = { operationId: 'putAccountRemoteAddrs', method: 'PUT', path: PATH, body };
    return addrsOf(await this.#api.callAsPlayer(request, options));
  }
}

export function addrsOf(answer: unknown): RemoteAddr[] {
  return listOf(answer, 'addresses');
}

const PATH = '/v1/account/remote-addrs';
