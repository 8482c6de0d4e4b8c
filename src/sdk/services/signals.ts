/** What the members of a game session tell each other while they set up connections of their own. */
import type { Api } from '../api.js';
import type { CallOptions } from '../http/transport.js';
import { namePart } from './path-parts.js';
import { listOf, objectOf, toWire } from './wire.js';

export interface OutgoingSignal {
  toPlayerId: number;
  /** Which attempt it belongs to. */
  negotiationId: string;
  /** `offer`, `answer`, `candidate` …: the game's own word. */
  kind: string;
  payload: string;
}

export interface Signal extends OutgoingSignal {
  id: number;
  fromPlayerId: number;
  createdAt: Date;
}

export class SignalsService {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** The signal's id. */
  async send(sessionId: string, signal: OutgoingSignal, options?: CallOptions): Promise<number> {
    const operationId = 'sendGameSessionSignal';
    const request = { operationId, method: 'POST', path: pathOf(sessionId), body: toWire(signal) };
    const answer = await this.#api.callAsPlayer(request, options);
    return objectOf<{ id: number }>(answer, 'signal').id;
  }

  /** Those to the caller that came after the one with the id `afterId`. */
  async poll(
    sessionId: string,
    { afterId, ...options }: CallOptions & { afterId?: number } = {},
  ): Promise<Signal[]> {
    const operationId = 'pollGameSessionSignals';
    const query = { after_id: afterId || undefined };
    const request = { operationId, method: 'GET', path: pathOf(sessionId), query };
    return listOf(await this.#api.callAsPlayer(request, options), 'signals');
  }
}

function pathOf(sessionId: string): string {
  return `/v1/game-session/${namePart('sessionId', sessionId)}/signals`;
}
