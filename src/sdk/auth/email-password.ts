import { type AuthContext, type Authenticator, askSession } from './authenticator.js';
import type { Session } from './session.js';

/** A player with an e-mail address that is verified: `POST /v1/auth/login`. */
export class EmailPasswordAuth implements Authenticator {
  readonly #credentials: { email: string; password: string };

  constructor(email: string, password: string) {
    this.#credentials = { email, password };
  }

  authenticate(context: AuthContext): Promise<Session> {
    return askSession(context, 'authLogin', '/v1/auth/login', this.#credentials);
  }
}
