import type { Api } from '../api.js';
import type { CallOptions, ResponseMetadata } from '../http/transport.js';

export interface RemoteConfig {
  /** The project's own JSON; null when it is what `etag` stands for. */
  values: Record<string, unknown> | null;
  etag: string;
  cacheControl: string;
  notModified: boolean;
}

export class ConfigService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** `GET /v1/config`, before any login. With the `etag` of the last answer, only what is new. */
  async get({
    etag = '',
    ...options
  }: CallOptions & { etag?: string } = {}): Promise<RemoteConfig> {
    const answered: { last: ResponseMetadata | null } = { last: null };
    const values = await this.#api.call(
      {
        operationId: 'getRemoteConfig',
        method: 'GET',
        path: '/v1/config',
        ifNoneMatch: etag,
        allowNotModified: true,
        onResponse: (metadata) => {
          answered.last = metadata;
        },
      },
      options,
    );
    const notModified = answered.last?.status === 304;
    return {
      values: notModified ? null : ((values ?? {}) as Record<string, unknown>),
      etag: answered.last?.etag || (notModified ? etag : ''),
      cacheControl: answered.last?.cacheControl ?? '',
      notModified,
    };
  }
}
