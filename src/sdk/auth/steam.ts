import { type AuthContext, type Authenticator, askSession } from './authenticator.js';
import type { Session } from './session.js';

/** A player whom Steam vouches for: `POST /v1/auth/steam` with a Steamworks session ticket. */
export class SteamAuth implements Authenticator {
  readonly #ticket: string;

  constructor(ticket: string) {
    this.#ticket = ticket;
  }

  authenticate(context: AuthContext): Promise<Session> {
    return askSession(context, 'authSteam', '/v1/auth/steam', { ticket: this.#ticket });
  }
}
