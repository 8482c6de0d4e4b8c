/**
 * Players whose link died: they wait for their session to be resumed until the window is over
 * (docs/wire/session.md). Also which sessions we ended, so that clients that did not hear it learn it
 * when they come back.
 */
import {
  CLOSE_ABNORMAL,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
} from '../session/close-codes.js';
import { parseResume, REASON_RESUME_REFUSED } from '../session/control.js';
import type { CloseInfo } from '../session/types.js';
import type { AnyPeer, PlayerEntry, PlayerLink } from './player-entry.js';
import { Problem } from './problem.js';
import { ResumeCounts, type SuspensionEnd } from './resume-counts.js';
import type { Admitted } from './tickets.js';

/** Sessions that we ended are remembered for a window, this many at most. */
const ENDED_MAX = 4096;

/** For a link that another one replaced, or that was given up before it was adopted. */
const LOST: CloseInfo = { code: CLOSE_ABNORMAL, reason: 'link-lost', wasClean: false };

export interface SuspensionsHost {
  /** 0: a dead link ends its session. */
  readonly resumeWindowMs: number;
  nowMs(): number;
  playerById(playerId: string): PlayerEntry | undefined;
  /** The player leaves. */
  release(player: PlayerEntry, info: CloseInfo): void;
  /** The player showed another ticket. */
  verified(player: PlayerEntry, admitted: Admitted): void;
  handleSuspended(player: PlayerEntry, info: CloseInfo): void;
  handleResumed(player: PlayerEntry): void;
  /** The player's session leaves a link; `player.linkStats()` are its figures. */
  countLink(player: PlayerEntry): void;
}

interface Suspended {
  /** How the link died. */
  readonly info: CloseInfo;
  readonly timer: NodeJS.Timeout;
}

interface Ended {
  readonly playerId: string;
  readonly info: CloseInfo;
  readonly expiresAtMs: number;
}

/** What a link that awaits `$resume` brings. */
export interface ResumingLink {
  readonly admitted: Admitted;
  readonly address: string;
  readonly link: PlayerLink;
  /** Fields of `$resumed` that the wire adds. */
  clock(): object;
}

export class Suspensions {
  readonly counts = new ResumeCounts();
  readonly #host: SuspensionsHost;
  readonly #suspended = new Map<PlayerEntry, Suspended>();
  /** By session, in order of expiry. */
  readonly #ended = new Map<string, Ended>();

  constructor(host: SuspensionsHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#suspended.size;
  }

  /** A link that carries, or carried, the player's session is gone. */
  handleLinkDown(player: PlayerEntry, peer: AnyPeer, info: CloseInfo, isGoodbye: boolean): void {
    if (player.hasLeft || peer !== player.peer || this.#suspended.has(player)) return;
    player.keepLinkStats();
    const { resumeWindowMs } = this.#host;
    const survives = resumeWindowMs > 0 && player.isResumable;
    if (!survives || player.serverSession.handleLinkDown(peer, isGoodbye) === 'ended') {
      this.#host.release(player, info);
      return;
    }
    const lost = info.wasClean ? LOST : info;
    const timer = setTimeout(() => {
      this.#take(player, 'expired');
      this.#host.release(player, lost);
    }, resumeWindowMs);
    this.#suspended.set(player, { info: lost, timer });
    this.counts.suspensions[peer.wire]++;
    this.#host.handleSuspended(player, lost);
  }

  /** The player has left, for whatever reason. */
  handleLeft(player: PlayerEntry): void {
    this.#take(player, 'ended');
  }

  /** We end the player's session; its client may not hear it on its link. */
  remember(player: PlayerEntry, info: CloseInfo): void {
    const { resumeWindowMs } = this.#host;
    if (player.hasLeft || !player.isResumable || resumeWindowMs === 0) return;
    const nowMs = this.#host.nowMs();
    for (const [session, { expiresAtMs }] of this.#ended) {
      if (expiresAtMs > nowMs && this.#ended.size < ENDED_MAX) break;
      this.#ended.delete(session);
    }
    const expiresAtMs = nowMs + resumeWindowMs;
    this.#ended.set(player.serverSession.id, { playerId: player.id, info, expiresAtMs });
  }

  /** @throws Problem 409, 410: the player has no such session to resume */
  checkMayResume(playerId: string, session: string): void {
    const player = this.#host.playerById(playerId);
    if (player?.serverSession.id === session && player.serverSession.canResume) return;
    const end = this.#endOf(session, playerId);
    this.counts.refused[end === null ? 'unknown' : 'over']++;
    if (end === null) throw new Problem(409, 'session-unknown', 'no such session of this player');
    const { code, reason } = end;
    throw new Problem(410, 'session-ended', 'the session is over', 0, { code, reason });
  }

  /** How we ended a session of the player; null when we did not. */
  #endOf(session: string, playerId: string): CloseInfo | null {
    const ended = this.#ended.get(session);
    return ended !== undefined && ended.playerId === playerId ? ended.info : null;
  }

  /** `$resume` came on a link that awaited it. */
  resume(peer: AnyPeer, from: ResumingLink, payload: unknown): void {
    const request = parseResume(payload);
    if (request === null) {
      this.counts.refused.malformed++;
      peer.close(CLOSE_PROTOCOL_ERROR, 'malformed $resume');
      return;
    }
    const { playerId } = from.admitted.session;
    const player = this.#host.playerById(playerId);
    if (player === undefined || player.serverSession.id !== request.session) {
      const end = this.#endOf(request.session, playerId);
      this.counts.refused[end === null ? 'unknown' : 'over']++;
      peer.close(end?.code ?? CLOSE_POLICY_VIOLATION, end?.reason ?? REASON_RESUME_REFUSED);
      return;
    }
    const { serverSession: session, peer: old } = player;
    const outcome = session.resume(peer, request, from.clock());
    if (outcome.kind === 'resumed') {
      this.#handleResumed(player, peer, old, from);
      return;
    }
    this.counts.refused[outcome.cause]++;
    peer.close(outcome.code, outcome.reason);
    if (outcome.kind === 'broken') player.end(outcome.code, outcome.reason);
    const suspended = this.#suspended.get(player);
    if (suspended !== undefined && !session.canResume) this.#host.release(player, suspended.info);
  }

  #handleResumed(player: PlayerEntry, peer: AnyPeer, old: AnyPeer, from: ResumingLink): void {
    const suspended = this.#take(player, 'resumed');
    this.counts.resumes[peer.wire]++;
    player.keepLinkStats(); // of an old link that still worked
    this.#host.countLink(player);
    player.attach(from.link, from.address);
    this.#host.verified(player, from.admitted);
    peer.owner = player;
    peer.open(false);
    old.close(CLOSE_NORMAL, 'resumed');
    player.watchDrained();
    if (suspended !== null && !player.hasLeft) this.#host.handleResumed(player);
  }

  /** The player is not waited for any more; null when it was not. */
  #take(player: PlayerEntry, end: SuspensionEnd): Suspended | null {
    const suspended = this.#suspended.get(player);
    if (suspended === undefined) return null;
    clearTimeout(suspended.timer);
    this.#suspended.delete(player);
    this.counts.suspensionsEnded[end]++;
    return suspended;
  }
}
