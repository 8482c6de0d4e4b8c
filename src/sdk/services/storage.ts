/** A player's objects: JSON by key, each with a version. */
import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
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
    const request = { operationId: 'getStorageObject', method: 'GET', path: pathOf(key) };
    return objectOf(await this.#api.callAsPlayer(request, options), 'object');
  }

  /** `value` is written as JSON; undefined is null. */
  async put(
    key: string,
    value: unknown,
    { ifMatch, ...options }: PutOptions = {},
  ): Promise<StorageObject> {
    const request = {
      operationId: 'putStorageObject',
      method: 'PUT',
      path: pathOf(key),
      body: value ?? null,
      ifMatch: ifMatch === undefined ? '' : String(ifMatch),
    };
    return objectOf(await this.#api.callAsPlayer(request, options), 'object');
  }

  async delete(key: string, options?: CallOptions): Promise<void> {
    const request = { operationId: 'deleteStorageObject', method: 'DELETE', path: pathOf(key) };
    await this.#api.callAsPlayer(request, options);
  }

  /** Oldest first, without values. */
  async list(
    { keyPrefix, limit, cursor }: StorageListOptions = {},
    options?: CallOptions,
  ): Promise<Page<StorageObjectMetadata>> {
    const request = {
      operationId: 'listStorageObjects',
      method: 'GET',
      path: OBJECTS,
      query: { key_prefix: keyPrefix || undefined, limit, cursor: cursor || undefined },
    };
    return pageOf(await this.#api.callAsPlayer(request, options));
  }

  all(list: StorageListOptions = {}, options?: CallOptions): AsyncGenerator<StorageObjectMetadata> {
    return allPages(list.cursor, (cursor) =>
      this.list(cursor === undefined ? list : { ...list, cursor }, options),
    );
  }
}

const OBJECTS = '/v1/storage/objects';

function pathOf(key: string): string {
  return `${OBJECTS}/${namePart('key', key)}`;
}
