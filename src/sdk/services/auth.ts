/** What of `/v1/auth/…` is not a way to log in. */
import type { Api } from '../api.js';
import { askSession } from '../auth/authenticator.js';
import type { Session } from '../auth/session.js';
import type { CallOptions } from '../http/transport.js';
import { objectOf } from './wire.js';

/** A player whose data will be deleted. */
export interface PendingDelete {
  deleteRequestedAt: Date;
  scheduledPurgeAt: Date;
}

export class AuthService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The server mails a code, which `verify` takes; before that the player cannot log in. */
  async signup(email: string, password: string, options?: CallOptions): Promise<void> {
    await this.#post('authSignup', 'signup', { email, password }, options);
  }

  async verify(
    email: string,
    code: string,
    options?: CallOptions,
  ): Promise<{ playerId: number; verified: boolean }> {
    const answer = await this.#post('authVerify', 'verify', { email, code }, options);
    return objectOf(answer, 'verification');
  }

  async resendVerification(email: string, options?: CallOptions): Promise<void> {
    await this.#post('resendVerification', 'verify/resend', { email }, options);
  }

  /**
   * The next session; the server takes the refresh token back. The client does this itself when it is
   * time; this installs nothing.
   */
  refresh(refreshToken: string, options: CallOptions = {}): Promise<Session> {
    const { transport, apiKey } = this.#api;
    const context = { ...options, transport, apiKey };
    const body = { refresh_token: refreshToken };
    return askSession(context, 'authRefresh', '/v1/auth/refresh', body);
  }

  /** Revokes a refresh token. If it is the client's own, the client has no session any more. */
  async logout(refreshToken: string, options?: CallOptions): Promise<void> {
    const { keeper } = this.#api;
    const token = await keeper.latest(refreshToken, options?.signal);
    await this.#post('authLogout', 'logout', { refresh_token: token }, options);
    if (keeper.session?.refreshToken === token) keeper.set(null);
  }

  /** Mails a code. The server does not tell whether it knows the address. */
  async requestPasswordReset(email: string, options?: CallOptions): Promise<void> {
    await this.#post('requestPasswordReset', 'password-reset', { email }, options);
  }

  async confirmPasswordReset(
    email: string,
    code: string,
    newPassword: string,
    options?: CallOptions,
  ): Promise<void> {
    const body = { email, code, new_password: newPassword };
    await this.#post('confirmPasswordReset', 'password-reset/confirm', body, options);
  }

  /** Gives the player an e-mail login; id and data stay. */
  async linkEmail(email: string, password: string, options?: CallOptions): Promise<void> {
    await this.#postAsPlayer('linkEmail', 'link', { email, password }, options);
  }

  /** Gives the player a Steam login; id and data stay. */
  async linkSteam(ticket: string, options?: CallOptions): Promise<void> {
    await this.#postAsPlayer('linkSteam', 'link/steam', { ticket }, options);
  }

  /** Revokes every refresh token of the player; the access token lasts until it ends. */
  async changePassword(
    currentPassword: string,
    newPassword: string,
    options?: CallOptions,
  ): Promise<void> {
    const body = { current_password: currentPassword, new_password: newPassword };
    await this.#postAsPlayer('changePassword', 'password', body, options);
  }

  /** Deactivates the player, and with it the client's session. Anonymous players have no password. */
  async disable(password = '', options?: CallOptions): Promise<void> {
    const body = password === '' ? {} : { password };
    await this.#postAsPlayer('disablePlayer', 'disable', body, options);
    this.#api.keeper.set(null);
  }

  /**
   * Has the player's data in this project deleted for good when a time of grace is over. All sessions
   * end, the client's too.
   */
  async requestDelete(password = '', options?: CallOptions): Promise<PendingDelete> {
    const body = password === '' ? {} : { password };
    const answer = await this.#postAsPlayer('requestPlayerDelete', 'delete', body, options);
    this.#api.keeper.set(null);
    return objectOf(answer, 'deletion');
  }

  /**
   * Takes `requestDelete` back while there is time. `isNotFound`: e-mail, password or the deletion is
   * not there; `isDeleteRequestedByTeam`: it is not the player's to take back.
   */
  async cancelDelete(email: string, password: string, options?: CallOptions): Promise<void> {
    await this.#post('authDeleteCancel', 'delete/cancel', { email, password }, options);
  }

  #post(operationId: string, path: string, body: object, options?: CallOptions): Promise<unknown> {
    const request = { operationId, method: 'POST', path: `/v1/auth/${path}`, body };
    return this.#api.call(request, options);
  }

  #postAsPlayer(
    operationId: string,
    path: string,
    body: object,
    options?: CallOptions,
  ): Promise<unknown> {
    const request = { operationId, method: 'POST', path: `/v1/auth/${path}`, body };
    return this.#api.callAsPlayer(request, options);
  }
}
