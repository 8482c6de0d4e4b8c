import type { Runtime } from '../runtime/runtime.js';
import { CLOSE_NORMAL } from '../session/close-codes.js';
import type { RawFlow } from './types.js';

/** A foreign netcode client: authenticated and encrypted, but its payloads are its own. */
export class RawFlowEntry implements RawFlow {
  readonly clientId: bigint;
  address: string;
  readonly #slot: number;
  readonly #generation: number;
  readonly #runtime: Runtime;

  constructor(clientId: bigint, address: string, slot: number, runtime: Runtime) {
    this.clientId = clientId;
    this.address = address;
    this.#slot = slot;
    this.#runtime = runtime;
    this.#generation = runtime.generationOf(slot);
  }

  send(bytes: Uint8Array): boolean {
    return this.#isLive && this.#runtime.sendRaw(this.#slot, bytes, 0, bytes.length);
  }

  close(): void {
    if (this.#isLive) this.#runtime.closeFlow(this.#slot, CLOSE_NORMAL, '');
  }

  get #isLive(): boolean {
    return this.#runtime.generationOf(this.#slot) === this.#generation;
  }
}
