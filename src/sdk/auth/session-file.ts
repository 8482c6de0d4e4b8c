/** A session in a file that its owner alone can read. Node only: loaded by `import()`. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { badOption } from '../../util/errors.js';
import { type Session, type SessionStore, sessionOfWire, wireOfSession } from './session.js';

export class FileSessionStore implements SessionStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Null without a file. @throws what reading it throws; SyntaxError, RequestError decode */
  async load(): Promise<Session | null> {
    try {
      return sessionOfWire(JSON.parse(await readFile(this.#path, 'utf8')));
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return null;
      throw error;
    }
  }

  /**
   * Writes another file and renames it: whoever reads sees the old session or the new one, and a mode
   * that an older file had is not inherited.
   */
  async save(session: Session): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const written = `${this.#path}.${randomUUID()}`;
    try {
      await writeFile(written, JSON.stringify(wireOfSession(session)), { mode: 0o600, flag: 'wx' });
      await rename(written, this.#path);
    } catch (error) {
      await rm(written, { force: true });
      throw error;
    }
  }

  async clear(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

/** Where the platform keeps settings; a game's id is one name in there. @throws TransportError bad-option */
export function pathOf(gameId: string): string {
  if (!/^(?!\.+$)[\w.-]+$/.test(gameId)) {
    throw badOption('gameId', gameId, 'letters, digits, dot, dash and underscore');
  }
  return join(configFolder(), 'ggscale', gameId, 'session.json');
}

function configFolder(): string {
  const { XDG_CONFIG_HOME, APPDATA } = process.env;
  if (platform() === 'win32') return APPDATA || tmpdir();
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support');
  return XDG_CONFIG_HOME || (homedir() === '' ? tmpdir() : join(homedir(), '.config'));
}
