import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { objectOf, toWire } from './wire.js';

export interface Profile {
  id: number;
  projectId: number;
  externalId: string;
  email?: string;
  xuid?: string;
  displayName?: string;
  friendCode?: string;
  /** Left out until the player has confirmed the address. */
  emailVerifiedAt?: Date;
  createdAt: Date;
}

/** What is left out stays as it is; '' empties. */
export interface ProfilePatch {
  email?: string;
  xuid?: string;
  displayName?: string;
}

export class ProfileService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async get(options?: CallOptions): Promise<Profile> {
    const request = { operationId: 'getProfile', method: 'GET', path: PROFILE };
    return objectOf(await this.#api.callAsPlayer(request, options), 'profile');
  }

  /** A new e-mail address has to be verified anew. */
  async update(patch: ProfilePatch, options?: CallOptions): Promise<void> {
    const body = toWire(patch);
    const request = { operationId: 'patchProfile', method: 'PATCH', path: PROFILE, body };
    await this.#api.callAsPlayer(request, options);
  }

  /** The old code is void. */
  async regenerateFriendCode(options?: CallOptions): Promise<string> {
    const path = `${PROFILE}/friend-code`;
    const request = { operationId: 'regenerateFriendCode', method: 'POST', path };
    const answer = await this.#api.callAsPlayer(request, options);
    return objectOf<{ friendCode: string }>(answer, 'friend code').friendCode;
  }
}

const PROFILE = '/v1/profile';
