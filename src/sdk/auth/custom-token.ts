import { type AuthContext, type Authenticator, askSession } from './authenticator.js';
import type { Session } from './session.js';

/**
 * A player whom the game's own backend vouches for: `POST /v1/auth/custom-token` with a JWT that it
 * signed (HS256, claim `external_id`).
 */
export class CustomTokenAuth implements Authenticator {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  authenticate(context: AuthContext): Promise<Session> {
    const body = { token: this.#token };
    return askSession(context, 'authCustomToken', '/v1/auth/custom-token', body);
  }
}
