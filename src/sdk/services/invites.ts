/** Invitations of friends to a game session; `game_invite` tells those who are connected. */
import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { idPart } from './path-parts.js';
import { listOf, objectOf } from './wire.js';

export interface GameInvite {
  inviteId: number;
  fromEmail?: string;
  fromXuid?: string;
  sessionId: string;
  joinCode: string;
  expiresAt: Date;
}

export class InvitesService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * The invitation's id. The caller has to be in the session; `isForbidden`: not a friend, `isConflict`:
   * the session is over.
   */
  async create(sessionId: string, toEmail: string, options?: CallOptions): Promise<number> {
    const body = { to_email: toEmail, session_id: sessionId };
    const request = { operationId: 'createGameInvite', method: 'POST', path: ROOT, body };
    const answer = await this.#api.callAsPlayer(request, options);
    return objectOf<{ inviteId: number }>(answer, 'invite').inviteId;
  }

  /** Those to the caller that still stand. */
  async list(options?: CallOptions): Promise<GameInvite[]> {
    const request = { operationId: 'listGameInvites', method: 'GET', path: ROOT };
    return listOf(await this.#api.callAsPlayer(request, options), 'invites');
  }

  /** By who sent it or who got it. */
  async delete(inviteId: number, options?: CallOptions): Promise<void> {
    const path = `${ROOT}/${idPart('inviteId', inviteId)}`;
    const request = { operationId: 'deleteGameInvite', method: 'DELETE', path };
    await this.#api.callAsPlayer(request, options);
  }
}

const ROOT = '/v1/invite';
