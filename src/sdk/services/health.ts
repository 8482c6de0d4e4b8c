import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { objectOf } from './wire.js';

export interface Health {
  /** `ok`. */
  status: string;
  version: string;
  commit: string;
}

export class HealthService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** `GET /v1/healthz`, without any credentials. */
  async get(options?: CallOptions): Promise<Health> {
    const path = '/v1/healthz';
    const request = { operationId: 'healthz', method: 'GET', path, apiKey: '' };
    return objectOf<Health>(await this.#api.call(request, options), 'health');
  }
}
