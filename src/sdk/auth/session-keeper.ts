/**
 * Keeps a session fresh: one refresh, however many callers wait for it.
 *
 * Invariant: at most one refresh of a session is under way, and its result is kept only if that session
 * is still the one that is kept.
 */
import { ErrNoSession } from '../errors.js';
import { unlessAborted } from '../http/deadline.js';
import { readSession, type Session } from './session.js';

/** A token that ends sooner is refreshed before it is used, so that it does not end on the way. */
const REFRESH_WINDOW_MS = 30_000;

export interface KeeperHost {
  /** Trades a refresh token for the next session; the server takes the token back. */
  refresh(refreshToken: string): Promise<Session>;
  /** Told of every session that is installed, and of null when there is none any more. */
  onUpdate(session: Session | null): void;
}

export class SessionKeeper {
  readonly #host: KeeperHost;
  #session: Session | null = null;
  #refreshing: { of: Session; done: Promise<Session> } | null = null;

  constructor(host: KeeperHost) {
    this.#host = host;
  }

  get session(): Session | null {
    return this.#session === null ? null : readSession(this.#session);
  }

  /** @throws TransportError bad-option */
  set(session: Session | null): void {
    this.#session = session === null ? null : readSession(session);
    this.#host.onUpdate(this.session);
  }

  /**
   * The access token, refreshed when less than 30 s of it remain. The caller's signal ends its waiting,
   * not the refresh that others wait for.
   *
   * @throws ErrNoSession; GGScaleError, RequestError of the refresh, or of the signal
   */
  async token(signal?: AbortSignal): Promise<string> {
    const session = this.#needed();
    const remainingMs = session.expiresAt.getTime() - Date.now();
    if (session.refreshToken !== '' && remainingMs < REFRESH_WINDOW_MS) {
      await this.#refresh(session, signal);
    }
    return this.#needed().accessToken;
  }

  /**
   * Another token of the player than the one that was refused with 401: refreshed, unless somebody has
   * done that. Null when there is no way to get one, also when another player is logged in now: what the
   * one has begun is not the other's.
   */
  async tokenInsteadOf(
    refused: string,
    playerId: number | undefined,
    signal?: AbortSignal,
  ): Promise<string | null> {
    const session = this.#session;
    if (session === null) return null;
    if (session.accessToken === refused) {
      if (session.refreshToken === '') return null;
      await this.#refresh(session, signal);
    }
    return this.#session?.playerId === playerId ? (this.#session?.accessToken ?? null) : null;
  }

  /**
   * What a refresh token has become: while it is being traded for the next one, that one. Whoever
   * revokes the token that was would leave the next one good.
   *
   * @throws RequestError of the signal
   */
  async latest(refreshToken: string, signal?: AbortSignal): Promise<string> {
    const { of } = this.#refreshing ?? {};
    if (of?.refreshToken !== refreshToken) return refreshToken;
    const refreshed = this.#refresh(of, signal).catch((error) => {
      if (signal?.aborted) throw error;
      return of;
    });
    return (await refreshed).refreshToken;
  }

  #needed(): Session {
    if (this.#session === null) throw new ErrNoSession();
    return this.#session;
  }

  #refresh(of: Session, signal: AbortSignal | undefined): Promise<Session> {
    if (this.#refreshing?.of !== of) {
      const done: Promise<Session> = this.#refreshOnce(of).finally(() => {
        if (this.#refreshing?.done === done) this.#refreshing = null;
      });
      this.#refreshing = { of, done };
    }
    const { done } = this.#refreshing;
    return signal === undefined ? done : unlessAborted(signal, done, 'the refresh');
  }

  async #refreshOnce(before: Session): Promise<Session> {
    const after = await this.#host.refresh(before.refreshToken);
    // Else: logged out or in as another meanwhile.
    if (this.#session === before) this.set(after);
    return after;
  }
}
