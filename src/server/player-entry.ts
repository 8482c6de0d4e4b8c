/**
 * The server's record of one player: the public Player over a session, whichever link carries it.
 */
import type { BinaryPeer } from '../session/binary-peer.js';
import { assertApplicationCloseCode, CLOSE_NORMAL, cutReason } from '../session/close-codes.js';
import { addLinkStats, type LinkStats, StatsWindow } from '../session/connection-stats.js';
import type { JsonPeer } from '../session/json-peer.js';
import type { ServerSession } from '../session/server-session.js';
import type {
  CloseInfo,
  ConnectionStats,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import { PlayerInputs } from './player-inputs.js';
import type { TickTimes } from './tick-times.js';
import type { Player, PlayerState, VerifiedSession } from './types.js';

export type AnyPeer = BinaryPeer<PlayerEntry> | JsonPeer<PlayerEntry>;

/** What differs between the wires and is not the peer's business. */
export interface PlayerLink {
  readonly wire: Wire;
  stats(peer: AnyPeer): LinkStats;
  /** `handleDrained` of the peer's owner is called once nothing reliable is unacknowledged. */
  watchDrained(peer: AnyPeer): void;
  /** When ticks are due, and what it is now, ms. */
  readonly ticks: TickTimes | null;
  nowMs(): number;
}

const NO_ROOMS: ReadonlySet<string> = new Set();

export class PlayerEntry implements Player<Record<string, unknown>> {
  readonly id: string;
  /** As it was verified last. */
  session: VerifiedSession;
  /** Changes when the player roams, and when its session moves to another link. */
  address: string;
  data: unknown = undefined;
  /** Set by `begin`, straight after construction. */
  serverSession!: ServerSession<AnyPeer>;
  /** The session's link, or its last one. */
  peer!: AnyPeer;
  #rooms: Set<string> | null = null;
  /** Whether its session survives the death of its link. */
  readonly isResumable: boolean;
  /** Set when the player leaves; figures at that moment. */
  finalStats: ConnectionStats | null = null;
  #inputs: PlayerInputs | null = null;
  #link: PlayerLink;
  readonly #onEnd: (player: PlayerEntry, info: CloseInfo) => void;
  #drainWatchers: (() => void)[] = [];
  /** Figures of the links before this one. */
  #past: LinkStats | null = null;
  /** Figures of this link, once it is gone; without what the peer counts. */
  #gone: LinkStats | null = null;
  readonly #openedMs: number;
  #window: StatsWindow | null = null;

  constructor(
    session: VerifiedSession,
    address: string,
    link: PlayerLink,
    isResumable: boolean,
    onEnd: (player: PlayerEntry, info: CloseInfo) => void,
  ) {
    this.id = session.playerId;
    this.session = session;
    this.address = address;
    this.#link = link;
    this.#openedMs = link.nowMs();
    this.isResumable = isResumable;
    this.#onEnd = onEnd;
  }

  begin(session: ServerSession<AnyPeer>): void {
    this.serverSession = session;
    this.peer = session.peer;
  }

  /** Names of the rooms it is in. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  enterRoom(name: string): void {
    this.#rooms ??= new Set();
    this.#rooms.add(name);
  }

  /** False when it was not in. */
  leaveRoom(name: string): boolean {
    return this.#rooms?.delete(name) ?? false;
  }

  get wire(): Wire {
    return this.#link.wire;
  }

  get hasLeft(): boolean {
    return this.finalStats !== null;
  }

  get state(): PlayerState {
    if (this.hasLeft) return 'left';
    return this.serverSession.isSuspended ? 'suspended' : 'connected';
  }

  get inputs(): PlayerInputs {
    const { ticks } = this.#link;
    this.#inputs ??= new PlayerInputs(
      ticks,
      () => this.#link.nowMs(),
      (report) => this.peer.sendLead(report),
    );
    return this.#inputs;
  }

  send(type: string, value: unknown, options?: SendOptions): SendResult {
    return this.hasLeft ? 'full' : this.peer.send(type, value, options);
  }

  drained(): Promise<void> {
    // Not at once: a loop of `send` and `drained` must not starve the event loop.
    if (this.hasLeft) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      this.#drainWatchers.push(resolve);
      this.watchDrained();
    });
  }

  writable(): Promise<void> {
    if (this.hasLeft) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => this.peer.watchWritable(resolve));
  }

  budget(): number {
    return this.hasLeft ? 0 : this.peer.budget();
  }

  close(code: number = CLOSE_NORMAL, reason = ''): void {
    assertApplicationCloseCode(code, reason);
    this.end(code, reason);
  }

  /** As `close`, with any code: for the runtime's own reasons. */
  end(code: number, reason: string): void {
    if (this.hasLeft) return;
    const { peer } = this;
    const cut = cutReason(reason);
    this.#onEnd(this, { code, reason: cut, wasClean: true });
    peer.close(code, cut);
  }

  stats(): ConnectionStats {
    if (this.finalStats !== null) return this.finalStats;
    const isLinked = this.state === 'connected';
    this.#window ??= new StatsWindow(this.#openedMs);
    return this.#window.read(this.#past, this.linkStats(), this.#link.nowMs(), isLinked);
  }

  /** Figures of the link alone. */
  linkStats(): LinkStats {
    if (this.#gone === null) return this.#link.stats(this.peer);
    const { messagesIn, messagesOut, droppedOut, heldAgeMs } = this.peer;
    const stats = { ...this.#gone, messagesIn, messagesOut, queueAgeMs: heldAgeMs };
    stats.droppedOut += droppedOut;
    return stats;
  }

  /** The link is gone or about to go: its figures cannot be asked for later. */
  keepLinkStats(): void {
    if (this.#gone !== null) return;
    this.#gone = { ...this.#link.stats(this.peer), queuedBytes: 0 };
    this.#gone.droppedOut -= this.peer.droppedOut; // which goes on counting
  }

  /** The session has moved to another link. */
  attach(link: PlayerLink, address: string): void {
    this.#past = addLinkStats(this.#past, this.linkStats());
    this.#gone = null;
    this.#link = link;
    this.address = address;
    this.peer = this.serverSession.peer;
  }

  /** Asks the link, if anybody waits and there is one. */
  watchDrained(): void {
    if (this.#drainWatchers.length === 0) return;
    if (!this.serverSession.isSuspended) this.#link.watchDrained(this.peer);
    else if (this.peer.isDrained) setImmediate(() => this.#release());
  }

  /** Nothing reliable of the link is unacknowledged. */
  handleDrained(peer: AnyPeer): void {
    if (peer !== this.peer || this.serverSession.isSuspended || peer.hasUnsent) return;
    this.#release();
  }

  /** The player has left: nobody waits any more. */
  handleLeft(): void {
    this.finalStats = { ...this.stats(), quality: 0 };
    this.#release();
  }

  #release(): void {
    for (const resolve of this.#drainWatchers.splice(0)) resolve();
  }
}
