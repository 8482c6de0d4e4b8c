/**
 * Peers that owe an acknowledgement. The host keeps one timer for all: the first one to be added
 * starts it (`onFirst`), and when it fires `flush` serves everybody. So an acknowledgement waits
 * between 0 and SESSION_ACK_DELAY_MS and no peer has a timer of its own.
 */
export class AckBatch<P extends { flushAck(): void }> {
  readonly #onFirst: () => void;
  #peers: P[] = [];
  #spare: P[] = [];

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  get isEmpty(): boolean {
    return this.#peers.length === 0;
  }

  add(peer: P): void {
    this.#peers.push(peer);
    if (this.#peers.length === 1) this.#onFirst();
  }

  flush(): void {
    const due = this.#peers;
    this.#peers = this.#spare;
    this.#spare = due;
    for (let i = 0; i < due.length; i++) due[i].flushAck();
    due.length = 0;
  }
}
