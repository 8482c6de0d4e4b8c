/** How services reach the API: with the key alone, or as the player who is logged in. */
import type { SessionKeeper } from './auth/session-keeper.js';
import { isUnauthorized } from './error-predicates.js';
import { startDeadline } from './http/deadline.js';
import { createRequestId } from './http/request-id.js';
import { CALL_TIMEOUT_MS } from './http/std-net-transport.js';
import type { CallOptions, Transport, TransportRequest } from './http/transport.js';
import type { ClientLogger } from './types.js';

export interface ApiConfig {
  transport: Transport;
  apiKey: string;
  keeper: SessionKeeper;
  /** Null: 30 s for calls that bring no limit of their own. */
  callTimeoutMs: number | null;
  logger: ClientLogger;
}

export class Api {
  readonly transport: Transport;
  readonly apiKey: string;
  readonly keeper: SessionKeeper;
  readonly logger: ClientLogger;
  readonly #callTimeoutMs: number | null;

  constructor(config: ApiConfig) {
    this.transport = config.transport;
    this.apiKey = config.apiKey;
    this.keeper = config.keeper;
    this.logger = config.logger;
    this.#callTimeoutMs = config.callTimeoutMs;
  }

  /** Of one call, when the caller has no opinion. */
  get callTimeoutMs(): number {
    return this.#callTimeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Without a session. `apiKey: ''` in the request: without the key, too. */
  call(request: TransportRequest, options: CallOptions = {}): Promise<unknown> {
    return this.transport.call({ apiKey: this.apiKey, ...request }, options);
  }

  /**
   * As the player: the session is refreshed when it is about to end, and once after a 401, which is
   * then tried once more; a second 401 is the caller's. All of it is one call with one limit and one
   * request id.
   *
   * @throws ErrNoSession, GGScaleError, RequestError
   */
  async callAsPlayer(request: TransportRequest, options: CallOptions = {}): Promise<unknown> {
    const deadline = startDeadline(this.#limitMs(options), options.signal);
    const { signal } = deadline;
    const requestId = request.requestId || createRequestId();
    const callWith = (sessionToken: string) =>
      this.call({ ...request, requestId, sessionToken }, { signal });
    try {
      const token = await this.keeper.token(signal);
      const playerId = this.keeper.session?.playerId;
      try {
        return await callWith(token);
      } catch (error) {
        if (!isUnauthorized(error)) throw error;
        const other = await this.keeper.tokenInsteadOf(token, playerId, signal).catch(() => null);
        if (other === null) throw error;
        return await callWith(other);
      }
    } finally {
      deadline.end();
    }
  }

  #limitMs({ signal, timeoutMs }: CallOptions): number | null {
    if (timeoutMs !== undefined) return Math.min(timeoutMs, this.#callTimeoutMs ?? Infinity);
    return this.#callTimeoutMs ?? (signal === undefined ? CALL_TIMEOUT_MS : null);
  }
}
