import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';

export class PresenceService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Tells friends who are connected: a status of 1 to 32 characters, and the game session the player is
   * in, null: none.
   */
  async set(status: string, sessionId: string | null = null, options?: CallOptions): Promise<void> {
    const body = { status, session_id: sessionId };
    const request = { operationId: 'updatePresence', method: 'PUT', path: '/v1/presence', body };
    await this.#api.callAsPlayer(request, options);
  }
}
