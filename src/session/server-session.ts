/**
 * The server's half of a session: which link carries it, and the handshake that moves it
 * (docs/wire/session.md §3). Sans-IO: opening and closing links, windows and handlers are the host's.
 *
 *   linked ──link dies──▶ suspended ──resume──▶ linked        linked ──resume──▶ linked (it moved)
 *
 * Invariant: the client's adopted link is `#current`, or `#base` while `#current` is unconfirmed.
 */
import { MessageError } from '../messages/types.js';
import {
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
} from '../util/close-codes.js';
import { REASON_RESUME_REFUSED, type ResumeRequest } from './control.js';
import type { Report } from './report.js';
import { ResumeSecrets } from './resume-secrets.js';
import type { SessionPeer } from './session-peer.js';

/**
 * Why a session does not go on on a link: a later attempt came before, the secret is wrong, `from` is no
 * link that the client can have; and what ends the session: a report of what was never sent, a message
 * that the new wire cannot carry.
 */
export type ResumeRefusal = 'overtaken' | 'secret' | 'wrong-link' | 'false-report' | 'too-large';

/**
 * What became of `$resume`: `refused` closes the new link and changes nothing else, `broken` ends the
 * session too. The peer is told code and reason, not the cause.
 */
export type ResumeOutcome =
  | { kind: 'resumed' }
  | { kind: 'refused' | 'broken'; cause: ResumeRefusal; code: number; reason: string };

/** `ignored`: of a link that the session has left. */
export type LinkDown = 'ignored' | 'suspended' | 'ended';

const RESUMED: ResumeOutcome = { kind: 'resumed' };
export class ServerSession<P extends SessionPeer> {
  /** 16 hex digits; no secret. */
  readonly id: string;
  readonly #secrets: ResumeSecrets;
  #peer: P;
  #current = 0;
  #base: { link: number; report: Report } | null = null;
  #isSuspended = false;

  /** @param createSecret 128 random bits as base64url */
  constructor(id: string, peer: P, createSecret: () => string) {
    this.id = id;
    this.#peer = peer;
    this.#secrets = new ResumeSecrets(createSecret);
  }

  /** For `$hello`. */
  get firstSecret(): string {
    return this.#secrets.first;
  }

  /** The link that carries the session, or the last one while it is suspended. */
  get peer(): P {
    return this.#peer;
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** False after too many wrong secrets. */
  get canResume(): boolean {
    return !this.#secrets.isExhausted;
  }

  /**
   * `$resume` came on a new link. When it is accepted, the old link is frozen, the answer is on its
   * way, and `peer` is the new link; the host lets what is unacknowledged follow with `peer.open(false)`.
   *
   * @param extra fields of the answer besides link, secret and report
   */
  resume(peer: P, request: ResumeRequest, extra: object): ResumeOutcome {
    if (request.link <= this.#current) return refusedFor('overtaken');
    if (!this.#secrets.check(request.secret)) return refusedFor('secret');
    const old = this.#peer;
    let base = this.#base;
    if (request.from === this.#current) {
      old.freeze();
      if (!old.applyReport(request.received)) {
        return brokenBy('false-report', CLOSE_PROTOCOL_ERROR, 'false report');
      }
      base = { link: request.from, report: old.report() };
    } else if (base === null || request.from !== base.link) {
      return refusedFor('wrong-link');
    }
    old.freeze();
    try {
      old.moveLogTo(peer);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return brokenBy('too-large', CLOSE_TOO_BIG, error.code);
    }
    this.#base = base;
    this.#current = request.link;
    this.#peer = peer;
    this.#isSuspended = false;
    peer.sendControl('$resumed', {
      link: request.link,
      secret: this.#secrets.use(request.secret),
      received: base.report,
      ...extra,
    });
    return RESUMED;
  }

  /** A message came on a link after its `$resume`: the client has adopted it. */
  handleConfirmed(peer: P): void {
    if (peer !== this.#peer) return;
    this.#base = null;
    this.#secrets.confirm();
  }

  /** A link is gone. A goodbye ends the session, unless the client may never have adopted it. */
  handleLinkDown(peer: P, isGoodbye: boolean): LinkDown {
    if (peer !== this.#peer || this.#isSuspended) return 'ignored';
    if (isGoodbye && this.#base === null) return 'ended';
    if (!this.canResume) return 'ended';
    this.#isSuspended = true;
    peer.freeze();
    return 'suspended';
  }
}

function refusedFor(cause: ResumeRefusal): ResumeOutcome {
  return { kind: 'refused', cause, code: CLOSE_POLICY_VIOLATION, reason: REASON_RESUME_REFUSED };
}

function brokenBy(cause: ResumeRefusal, code: number, reason: string): ResumeOutcome {
  return { kind: 'broken', cause, code, reason };
}
