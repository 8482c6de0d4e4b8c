import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { createRealtimeTicket, type RealtimeTicket } from '../realtime/realtime-dial.js';

export class RealtimeService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * A ticket for `/v1/ws?ticket=…`: for sockets that cannot carry headers. `dialRealtime` asks for one
   * itself where it needs it, in browsers.
   */
  createTicket(options?: CallOptions): Promise<RealtimeTicket> {
    return createRealtimeTicket(this.#api, options);
  }
}
