/** A player's objects: JSON by key, each with a version. */
import type { Api } from '../api.js';
import type { CallOptions, TransportRequest } from '../http/transport.js';
import { allPages, type Page, type PageOptions, pageOf } from './pages.js';
import { namePart } from './path-parts.js';
import { objectOf } from './wire.js';

export interface StorageObject {
  key: string;
  /** The game's own JSON. */
  value: unknown;
  version: number;
  updatedAt: Date;
}

export interface StorageObjectMetadata {
  key: string;
  version: number;
  updatedAt: Date;
  sizeBytes: number;
}

export interface PutOptions extends CallOptions {
  /** Written only over this version; else `isConflict` (412). */
  ifMatch?: number;
}

export interface StorageListOptions extends PageOptions {
  keyPrefix?: string;
}

export class StorageService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async get(key: string, options?: CallOptions): Promise<StorageObject> {
    const request = { operationId: 'getStorageObject', ...getRequest(ROOT, key) };
    return objectOf(await this.#api.callAsPlayer(request, options), 'object');
  }

  /** `value` is written as JSON; undefined is null. */
  async put(
    key: string,
    value: unknown,
    { ifMatch, ...options }: PutOptions = {},
  ): Promise<StorageObject> {
    const request = { operationId: 'putStorageObject', ...putRequest(ROOT, key, value, ifMatch) };
    return objectOf(await this.#api.callAsPlayer(request, options), 'object');
  }

  async delete(key: string, options?: CallOptions): Promise<void> {
    const { path } = getRequest(ROOT, key);
    const request = { operationId: 'deleteStorageObject', method: 'DELETE', path };
    await this.#api.callAsPlayer(request, options);
  }

  /** Oldest first, without values. */
  async list(
    list: StorageListOptions = {},
    options?: CallOptions,
  ): Promise<Page<StorageObjectMetadata>> {
    const request = { operationId: 'listStorageObjects', ...listRequest(ROOT, list) };
    return pageOf(await this.#api.callAsPlayer(request, options));
  }

  all(list: StorageListOptions = {}, options?: CallOptions): AsyncGenerator<StorageObjectMetadata> {
    return allPages(list.cursor, (cursor) =>
      this.list(cursor === undefined ? list : { ...list, cursor }, options),
    );
  }
}

const ROOT = '/v1/storage/objects';

/** A player's objects are below `root`; servers reach them below another. */
export function getRequest(root: string, key: string): TransportRequest {
  return { method: 'GET', path: `${root}/${namePart('key', key)}` };
}

export function putRequest(
  root: string,
  key: string,
  value: unknown,
  ifMatch: number | undefined,
): TransportRequest {
  const { path } = getRequest(root, key);
  const version = ifMatch === undefined ? '' : String(ifMatch);
  return { method: 'PUT', path, body: value ?? null, ifMatch: version };
}

export function listRequest(
  root: string,
  { keyPrefix, limit, cursor }: StorageListOptions,
): TransportRequest {
  const query = { key_prefix: keyPrefix || undefined, limit, cursor: cursor || undefined };
  return { method: 'GET', path: root, query };
}
