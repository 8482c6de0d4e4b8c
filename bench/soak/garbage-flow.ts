/** A player with a good connect token who speaks netcode well and says nothing but noise in it. */
import { Endpoint } from '../../src/addon/index.js';
import { RX_OPENED, TX_PAYLOAD } from '../../src/addon/layout.js';
import { PAYLOAD_BYTES } from '../../src/util/limits.js';
import type { Prng } from '../../src/util/prng.js';
import { randomBytes } from './garbage.js';

const PAYLOADS = 40;

export class GarbageFlow {
  readonly #endpoint: Endpoint;
  readonly #random: Prng;
  readonly #onSent: () => void;

  /** `onSent` is called for each payload. */
  constructor(connectToken: Uint8Array, random: Prng, onSent: () => void) {
    this.#random = random;
    this.#onSent = onSent;
    this.#endpoint = Endpoint.openClient({ host: '0.0.0.0', maxFlows: 1 }, () => this.#turn());
    this.#endpoint.connect(connectToken);
    this.#endpoint.flush();
  }

  close(): void {
    this.#endpoint.close();
  }

  #turn(): void {
    const endpoint = this.#endpoint;
    endpoint.drain();
    while (endpoint.rxPoll()) {
      if (endpoint.kind === RX_OPENED) this.#speak(endpoint.slot, endpoint.generation);
    }
    endpoint.rxRelease();
    endpoint.flush();
  }

  #speak(slot: number, generation: number): void {
    const endpoint = this.#endpoint;
    for (let sent = 0; sent < PAYLOADS; sent++) {
      const noise = randomBytes(this.#random, 1 + this.#random.below(PAYLOAD_BYTES));
      const at = endpoint.txReserve(noise.length, slot);
      if (at < 0) return;
      endpoint.bytes.set(noise, at);
      endpoint.txCommit(TX_PAYLOAD, slot, generation, noise.length);
      this.#onSent();
    }
  }
}
