import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { objectOf } from './wire.js';

/** For a TURN client (the TURN REST API's scheme). */
export interface RelayCredentials {
  username: string;
  password: string;
  /** Seconds. */
  ttl: number;
  realm: string;
  urls?: string[];
  stunUrls?: string[];
}

export interface RelayOptions extends CallOptions {
  /** The server issues only if the player is in this match (403 otherwise). */
  matchId?: string;
}

export class RelayService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** `POST /v1/relay/credentials`. */
  async getCredentials({ matchId, ...options }: RelayOptions = {}): Promise<RelayCredentials> {
    const request = {
      operationId: 'issueRelayCredentials',
      method: 'POST',
      path: '/v1/relay/credentials',
      query: { match_id: matchId || undefined },
    };
    return objectOf(await this.#api.callAsPlayer(request, options), 'relay credentials');
  }
}
