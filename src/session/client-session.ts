/**
 * The client's half of a session: the link it has adopted and the attempt to adopt another one
 * (docs/wire/session.md §3). Sans-IO: opening links, waiting and giving up are the host's.
 *
 * Invariant: a link is frozen from the moment `$resume` names it, for good.
 */
import { MessageError } from '../messages/types.js';
import { CLOSE_PROTOCOL_ERROR, CLOSE_TOO_BIG } from '../util/close-codes.js';
import { type Hello, parseResumed, type ResumeRequest } from './control.js';
import type { SessionPeer } from './session-peer.js';

export type ResumedOutcome =
  | { kind: 'adopted' }
  /** Of an attempt that was given up. */
  | { kind: 'ignored' }
  /** The session ends with this code. */
  | { kind: 'broken'; code: number; reason: string };

export class ClientSession<P extends SessionPeer> {
  /** 16 hex digits; no secret. */
  readonly id: string;
  #secret: string;
  #peer: P;
  #adopted = 0;
  #nextLink = 1;
  #attempt: { peer: P; link: number } | null = null;

  constructor(hello: Hello, peer: P) {
    this.id = hello.session;
    this.#secret = hello.secret;
    this.#peer = peer;
  }

  /** The adopted link; frozen while none works. */
  get peer(): P {
    return this.#peer;
  }

  /** Leaves the adopted link and asks to go on with `peer`, which is open and has said nothing. */
  begin(peer: P): void {
    this.#peer.freeze();
    const link = this.#nextLink++;
    this.#attempt = { peer, link };
    const request: ResumeRequest = {
      session: this.id,
      secret: this.#secret,
      from: this.#adopted,
      link,
      received: this.#peer.report(),
    };
    peer.sendControl('$resume', request);
  }

  /** The attempt will not succeed any more; a late answer to it is ignored. */
  giveUp(peer: P): void {
    if (this.#attempt?.peer === peer) this.#attempt = null;
  }

  /**
   * `$resumed` came. When adopted, `peer` is the new link and the server knows; the host lets what is
   * unacknowledged follow with `peer.open(true)`.
   */
  handleResumed(peer: P, payload: unknown): ResumedOutcome {
    if (this.#attempt?.peer !== peer) return { kind: 'ignored' };
    const { link } = this.#attempt;
    const resumed = parseResumed(payload);
    if (resumed === null || resumed.link !== link) {
      return { kind: 'broken', code: CLOSE_PROTOCOL_ERROR, reason: 'malformed $resumed' };
    }
    const old = this.#peer;
    if (!old.applyReport(resumed.received)) {
      return { kind: 'broken', code: CLOSE_PROTOCOL_ERROR, reason: 'false report' };
    }
    try {
      old.moveLogTo(peer);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      // Else the goodbye that follows would be that of an attempt which was given up.
      peer.confirm();
      return { kind: 'broken', code: CLOSE_TOO_BIG, reason: error.code };
    }
    this.#secret = resumed.secret;
    this.#adopted = link;
    this.#peer = peer;
    this.#attempt = null;
    peer.confirm();
    return { kind: 'adopted' };
  }
}
