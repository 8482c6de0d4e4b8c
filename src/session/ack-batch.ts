/**
 * Peers to be looked at again: WebSockets that owe an acknowledgement, flows that had no room for what
 * waits. The host keeps one timer for all: it is started by the first one to be added (`onFirst`) and
 * flushes SESSION_ACK_ROUND_MS later; who still owes then is added again. So no peer has a timer of its
 * own. Flushes are counted, which tells how old a debt is without a clock: after two it is paid.
 */
export class AckBatch<P extends { flushAck(): void }> {
  /** Flushes so far, int32. */
  round = 0;
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

  /** Whether a debt that began in `round` must be paid now: it would be too old at the next flush. */
  isDue(round: number): boolean {
    return ((this.round - round) | 0) >= 2;
  }

  flush(): void {
    this.round = (this.round + 1) | 0;
    const due = this.#peers;
    this.#peers = this.#spare;
    this.#spare = due;
    for (let i = 0; i < due.length; i++) due[i].flushAck();
    due.length = 0;
  }
}
