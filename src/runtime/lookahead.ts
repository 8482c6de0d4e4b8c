/**
 * Fetches the memory of flows whose packets come next, several at a time.
 *
 * A flow that was silent for some milliseconds is in no cache, and what its packet needs lies in some
 * ten places: the processor waits for each of them in turn, unless reads that do not depend on one
 * another come close together. The native side does the same for its part (`touch_flows`).
 */
import type { Protocol } from '../protocol/index.js';
import type { RuntimeHandler } from './handler.js';
import type { RuntimeEndpoint } from './runtime-endpoint.js';

/** Twice as many gain nothing more. */
const FLOWS_AT_ONCE = 16;

export class Lookahead {
  /** Means nothing; it keeps the engine from leaving out reads that nobody uses. */
  sum = 0;
  readonly #endpoint: RuntimeEndpoint;
  readonly #protocol: Protocol;
  readonly #handler: RuntimeHandler;
  #left = 0;

  constructor(endpoint: RuntimeEndpoint, protocol: Protocol, handler: RuntimeHandler) {
    this.#endpoint = endpoint;
    this.#protocol = protocol;
    this.#handler = handler;
  }

  /** Call before each rxPoll. */
  next(): void {
    if (this.#left > 0) this.#left--;
    else this.#fetch();
  }

  #fetch(): void {
    const endpoint = this.#endpoint;
    const count = Math.min(endpoint.rxAhead, FLOWS_AT_ONCE);
    if (count < 2) return;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = endpoint.rxSlotAhead(i);
      sum += this.#protocol.touch(slot) + (this.#handler.touch?.(slot) ?? 0);
    }
    this.sum = sum | 0;
    this.#left = count - 1;
  }
}
