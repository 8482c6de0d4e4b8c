import { badOption } from '../../util/errors.js';
import { refuseUnknown } from '../../util/option-checks.js';
import { loadSessionFile } from '../platform.js';
import { type AuthContext, type Authenticator, askSession } from './authenticator.js';
import type { Session, SessionStore } from './session.js';

export interface AnonymousOptions {
  /**
   * A file (Node only) that keeps the session in plain text, readable by its owner alone (mode 0600);
   * `defaultSessionPath(gameId)` is a good place.
   */
  storePath?: string;
  /** Keeps the session instead of a file. */
  store?: SessionStore;
}

const KNOWN = new Set(['storePath', 'store']);

/**
 * A player without a name: `POST /v1/auth/anonymous`. The server makes a new one at each call, so the
 * session is kept for the next run; without a place to keep it the player is gone with the program.
 *
 * Refreshing changes what is to be kept: hand `saveSession` to the client as `onSessionUpdate`.
 */
export class AnonymousAuth implements Authenticator {
  readonly #store: Promise<SessionStore> | SessionStore | null;
  /** Writes follow one another; the last one stays. */
  #saving: Promise<void> = Promise.resolve();

  /** @throws TransportError bad-option */
  constructor(options: AnonymousOptions = {}) {
    refuseUnknown('', options, KNOWN);
    const { storePath, store } = options;
    if (store !== undefined && storePath !== undefined) {
      throw badOption('storePath', storePath, 'nothing beside `store`');
    }
    if (store !== undefined && typeof store?.load !== 'function') {
      throw badOption('store', typeof store, 'an object with load, save and clear');
    }
    if (storePath !== undefined && (typeof storePath !== 'string' || storePath === '')) {
      throw badOption('storePath', storePath, 'a path');
    }
    this.#store = store ?? (storePath === undefined ? null : openFile(storePath));
  }

  /**
   * The kept session if there is one that can be refreshed, else a new player's.
   *
   * @throws TransportError unsupported-platform: a page has no files
   */
  async authenticate(context: AuthContext): Promise<Session> {
    await this.#saving;
    const kept = await this.#load(await this.#store);
    if (kept !== null && kept.refreshToken !== '') return kept;
    const session = await askSession(context, 'authAnonymous', '/v1/auth/anonymous');
    // A disk that is full costs the next run its player, not this one its game.
    await this.saveSession(session).catch(() => {});
    return session;
  }

  /** Keeps a session, null: forgets it. Rejects with what the store throws. */
  readonly saveSession = (session: Session | null): Promise<void> => {
    const write = async () => {
      const store = await this.#store;
      await (session === null ? store?.clear() : store?.save(session));
    };
    const saved = this.#saving.then(write);
    this.#saving = saved.catch(() => {});
    return saved;
  };

  /** What cannot be read is none: a new player begins. */
  async #load(store: SessionStore | null): Promise<Session | null> {
    try {
      return (await store?.load()) ?? null;
    } catch {
      return null;
    }
  }
}

/** `<config>/ggscale/<gameId>/session.json` of the user. Node only. @throws TransportError */
export async function defaultSessionPath(gameId: string): Promise<string> {
  const { pathOf } = await loadSessionFile();
  return pathOf(gameId);
}

function openFile(path: string): Promise<SessionStore> {
  const opening = loadSessionFile().then(({ FileSessionStore }) => new FileSessionStore(path));
  opening.catch(() => {}); // whoever uses it is told
  return opening;
}
