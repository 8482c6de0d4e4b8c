/** One player as the load sees it: a session over one link after the other, and what it waits for. */
import type { BinaryPeer } from '../../src/session/binary-peer.js';
import { ClientSession } from '../../src/session/client-session.js';
import { CLOSE_ABNORMAL } from '../../src/session/close-codes.js';
import { parseHello } from '../../src/session/control.js';
import type { JsonPeer } from '../../src/session/json-peer.js';
import type { CloseInfo } from '../../src/session/types.js';

export type VisitPeer = BinaryPeer<Visitor> | JsonPeer<Visitor>;

const WAIT_MS = 15_000;

export class VisitFailure extends Error {}

export class Visitor {
  readonly playerId: string;
  session: ClientSession<VisitPeer> | null = null;
  /** Links on which `$hello` or `$resumed` came. */
  links = 0;
  welcomes = 0;
  echoes = 0;
  /** How the newest link ended, when it did without us. */
  closed: CloseInfo | null = null;
  /** The newest link. */
  peer: VisitPeer | null = null;
  #waiter: { condition: () => boolean; resolve(): void; reject(error: Error): void } | null = null;

  constructor(playerId: string) {
    this.playerId = playerId;
  }

  /** The link is open: a session that goes on says so first. */
  handleReady(peer: VisitPeer): void {
    this.session?.begin(peer);
  }

  handleHello(peer: VisitPeer, payload: unknown): void {
    const hello = parseHello(payload);
    if (hello === null || this.session !== null) {
      this.handleClosed(peer, { code: CLOSE_ABNORMAL, reason: 'bad-hello', wasClean: false });
      return;
    }
    this.session = new ClientSession<VisitPeer>(hello, peer);
    this.#adopt(peer);
  }

  handleResumed(peer: VisitPeer, payload: unknown): void {
    const outcome = this.session?.handleResumed(peer, payload);
    if (outcome?.kind === 'adopted') this.#adopt(peer);
    else this.handleClosed(peer, { code: CLOSE_ABNORMAL, reason: 'bad-resumed', wasClean: false });
  }

  handleMessage(type: string): void {
    if (type === 'welcome') this.welcomes++;
    else this.echoes++;
    this.#look();
  }

  handleClosed(peer: VisitPeer | null, info: CloseInfo): void {
    if (peer !== this.peer) return; // of a link that was left
    this.closed = info;
    this.#look();
  }

  /** @throws VisitFailure the link ended, or the time is over */
  until(what: string, condition: () => boolean, waitMs = WAIT_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new VisitFailure(`${what}: timeout`)), waitMs);
      this.#waiter = {
        condition,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(new VisitFailure(`${what}: ${error.message}`));
        },
      };
      this.#look();
    });
  }

  #adopt(peer: VisitPeer): void {
    this.links++;
    peer.open(true);
    this.#look();
  }

  #look(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    if (waiter.condition()) waiter.resolve();
    else if (this.closed === null) return;
    else waiter.reject(new Error(`closed with ${this.closed.code} ${this.closed.reason}`));
    this.#waiter = null;
  }
}
