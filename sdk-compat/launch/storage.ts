/** Cloud saves: JSON by key, with a version for optimistic writes; and the project's remote config. */
import { createHash } from 'node:crypto';
import { Given, type HttpAnswer, problem, Refusal } from './answers.js';

interface Stored {
  id: number;
  value: unknown;
  version: number;
  updatedAtMs: number;
}

const KEY_CHARS_MAX = 128;
const PAGE_DEFAULT = 50;

export class Storage {
  readonly #now: () => number;
  readonly #objects = new Map<number, Map<string, Stored>>();
  #nextId = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  read(playerId: number, key: string): object {
    const stored = this.#of(playerId).get(key);
    if (stored === undefined) throw new Refusal(problem(404, 'not found'));
    const { value, version } = stored;
    return { key, value, version, updated_at: timeOf(stored) };
  }

  /** @param ifMatch the version that is to be replaced; undefined: whatever is there */
  write(playerId: number, key: string, value: unknown, ifMatch: string | undefined): object {
    if (key.length > KEY_CHARS_MAX) {
      throw new Refusal(problem(400, `key must be 1-${KEY_CHARS_MAX} printable characters`));
    }
    const objects = this.#of(playerId);
    const before = objects.get(key);
    if (ifMatch !== undefined && !/^\d+$/.test(ifMatch)) {
      throw new Refusal(problem(400, 'If-Match must be an integer version'));
    }
    if (ifMatch !== undefined && Number(ifMatch) !== before?.version) {
      throw new Refusal(problem(412, 'version mismatch'));
    }
    const stored: Stored = {
      id: before?.id ?? this.#nextId++,
      value,
      version: (before?.version ?? 0) + 1,
      updatedAtMs: this.#now(),
    };
    objects.set(key, stored);
    return this.read(playerId, key);
  }

  /** What is not there is deleted already. */
  delete(playerId: number, key: string): void {
    this.#of(playerId).delete(key);
  }

  list(playerId: number, query: URLSearchParams): object {
    const limit = Number(query.get('limit')) || PAGE_DEFAULT;
    const after = Number(query.get('cursor')) || 0;
    const prefix = query.get('key_prefix') ?? '';
    const found = [...this.#of(playerId)]
      .filter(([key, { id }]) => key.startsWith(prefix) && id > after)
      .sort(([, a], [, b]) => a.id - b.id)
      .slice(0, limit);
    const items = found.map(([key, stored]) => ({
      key,
      version: stored.version,
      updated_at: timeOf(stored),
      size_bytes: Buffer.byteLength(JSON.stringify(stored.value)),
    }));
    const last = found.at(-1)?.[1].id;
    return { items, next_cursor: found.length === limit ? String(last) : '' };
  }

  #of(playerId: number): Map<string, Stored> {
    const objects = this.#objects.get(playerId) ?? new Map<string, Stored>();
    this.#objects.set(playerId, objects);
    return objects;
  }
}

function timeOf({ updatedAtMs }: Stored): string {
  return new Date(updatedAtMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** 304 without a body where the client has it already. */
export function remoteConfig(values: object, ifNoneMatch = ''): Given {
  const hash = createHash('sha256').update(JSON.stringify(values)).digest('hex');
  const etag = `"remote-config-${hash}"`;
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
  const known = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  const isKnown = known.includes(etag) || known.includes('*');
  const answer: HttpAnswer = isKnown
    ? { status: 304, headers }
    : { status: 200, headers, body: values };
  return new Given(answer);
}
