import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { namePart } from './path-parts.js';
import { listOf } from './wire.js';

export interface FleetServer {
  name: string;
  address: string;
  region: string;
  currentPlayers: number;
  maxPlayers: number;
  gameMode: string;
  level: string;
  version: string;
}

export class FleetsService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The fleet's servers that live: what `server.fleetHeartbeat` told. */
  async listServers(fleet: string, options?: CallOptions): Promise<FleetServer[]> {
    const path = `/v1/fleets/${namePart('fleet', fleet)}/servers`;
    const request = { operationId: 'fleetServersList', method: 'GET', path };
    return listOf(await this.#api.callAsPlayer(request, options), 'servers');
  }
}
