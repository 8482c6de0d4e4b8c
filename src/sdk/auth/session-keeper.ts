/**
 * Keeps a session fresh: one refresh, however many callers wait for it.
 *
 * Invariant: at most one refresh is under way, and its result is kept only if the session it was made
 * of is still the one that is kept.
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
  #refreshing: Promise<void> | null = null;

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
    if (session.refreshToken !== '' && remainingMs < REFRESH_WINDOW_MS) await this.#refresh(signal);
    return this.#needed().accessToken;
  }

  /**
   * Another token than the one that was refused with 401: refreshed, unless somebody has done that.
   * Null when there is no way to get one.
   */
  async tokenInsteadOf(refused: string, signal?: AbortSignal): Promise<string | null> {
    const session = this.#session;
    if (session === null) return null;
    if (session.accessToken === refused) {
      if (session.refreshToken === '') return null;
      await this.#refresh(signal);
    }
    return this.#session?.accessToken ?? null;
  }

  #needed(): Session {
    if (this.#session === null) throw new ErrNoSession();
    return this.#session;
  }

  #refresh(signal: AbortSignal | undefined): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = null;
    });
    return signal === undefined
      ? this.#refreshing
      : unlessAborted(signal, this.#refreshing, 'the refresh');
  }

  async #refreshOnce(): Promise<void> {
    const before = this.#needed();
    const after = await this.#host.refresh(before.refreshToken);
    if (this.#session !== before) return; // logged out or in as another meanwhile
    this.set(after);
  }
}
