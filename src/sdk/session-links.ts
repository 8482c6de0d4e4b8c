/**
 * The links of a client's session: the adopted one, and the one it is about to move to
 * (docs/wire/session.md). What the session means to the program is its owner's.
 */
import type { Registry } from '../messages/types.js';
import { ClientSession } from '../session/client-session.js';
import {
  CLOSE_ABNORMAL,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
} from '../session/close-codes.js';
import { addLinkStats, type LinkStats, StatsWindow } from '../session/connection-stats.js';
import { type Hello, type LeadReport, numberField, parseHello } from '../session/control.js';
import type { Dispatcher } from '../session/dispatcher.js';
import type { SessionDrops } from '../session/drops.js';
import type { CloseInfo, ConnectionStats, ReceiptOutcome } from '../session/types.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { GameDialError } from './errors.js';
import type { Link, LinkHost, LinkPeer } from './link.js';
import { within } from './within.js';

export interface LinksOwner {
  readonly registry: Registry<object>;
  /** By channel, the runtime's own too. */
  readonly channels: readonly (ChannelOptions | undefined)[];
  readonly dispatcher: Dispatcher<unknown>;
  readonly drops: SessionDrops;
  handleHello(hello: Hello): void;
  handleUnhandled(type: string, value: unknown): void;
  handleReceipt(receipt: number, outcome: ReceiptOutcome): void;
  handleLead(report: LeadReport): void;
  handleDrained(): void;
  /** The adopted link died; the session may be carried on with `move`. */
  handleLost(info: CloseInfo): void;
  /** The session is on another link. */
  handleMoved(): void;
  /** The session is over. */
  handleEnded(info: CloseInfo): void;
}

interface Attempt {
  readonly link: Link;
  /** `$resume` has been sent: the adopted link is frozen. */
  hasBegun: boolean;
  resolve(): void;
  reject(error: GameDialError): void;
}

/** How netcode's timeout is told; everything else that ends a flow has a sender. */
const REASON_TIMEOUT = 'timeout';
const LOST: CloseInfo = { code: CLOSE_ABNORMAL, reason: 'link-lost', wasClean: false };

export class SessionLinks implements LinkHost {
  readonly registry: Registry<object>;
  readonly channels: readonly (ChannelOptions | undefined)[];
  readonly dispatcher: Dispatcher<unknown>;
  readonly drops: SessionDrops;
  readonly #owner: LinksOwner;
  #link: Link | null = null;
  #session: ClientSession<LinkPeer> | null = null;
  #attempt: Attempt | null = null;
  /** The adopted link carries nothing any more. */
  #isFrozen = false;
  /** Figures of the links before this one. */
  #past: LinkStats | null = null;
  readonly #window = new StatsWindow(performance.now());

  constructor(owner: LinksOwner) {
    this.registry = owner.registry;
    this.channels = owner.channels;
    this.dispatcher = owner.dispatcher;
    this.drops = owner.drops;
    this.#owner = owner;
  }

  /** The adopted link, or the last one that was. */
  get link(): Link | null {
    return this.#link;
  }

  /** Whether the adopted link carries the session. */
  get isLinked(): boolean {
    return !this.#isFrozen;
  }

  /** The session's id; empty before `$hello`. */
  get sessionId(): string {
    return this.#session?.id ?? '';
  }

  /** Where messages go, into the log while no link works. */
  get peer(): LinkPeer | null {
    return this.#session?.peer ?? null;
  }

  /** `isLive`: the connection has not ended. */
  stats(isLive: boolean): ConnectionStats | null {
    if (this.#link === null) return null;
    const isLinked = isLive && this.isLinked;
    return this.#window.read(this.#past, this.#link.stats(), performance.now(), isLinked);
  }

  /** Opens the first link; `$hello` follows. */
  openFirst(link: Link): Promise<void> {
    this.#link = link;
    return link.open();
  }

  /**
   * Opens a link and moves the session to it. The adopted one works until the new one is open; from
   * then on it does not, whatever comes of this.
   *
   * @throws GameDialError, TransportError, RequestError: the session is where it was, or lost
   */
  async move(link: Link, timeoutMs: number, signal: AbortSignal | null): Promise<void> {
    if (this.#attempt !== null) {
      throw new GameDialError('switch-in-progress', 'the session is moving already');
    }
    const done = new Promise<void>((resolve, reject) => {
      this.#attempt = { link, hasBegun: false, resolve, reject };
    });
    done.catch(() => {}); // when opening fails first
    try {
      await within(timeoutMs, signal, Promise.all([link.open(), done]));
    } catch (error) {
      this.#giveUp(link);
      throw error;
    }
  }

  /** Says goodbye on whatever there is. */
  async close(code: number, reason: string): Promise<void> {
    this.#isFrozen = true;
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.reject(new GameDialError('closed', 'the connection was closed'));
    await Promise.all([this.#link?.close(code, reason), attempt?.link.close(code, reason)]);
  }

  watchDrained(): void {
    if (!this.#isFrozen) this.#link?.watchDrained();
    else if (this.peer?.isDrained) this.#owner.handleDrained();
  }

  handleReady(link: Link): void {
    const attempt = this.#attempt;
    if (attempt?.link !== link || link.peer === null) return;
    attempt.hasBegun = true;
    this.#isFrozen = true;
    this.#session?.begin(link.peer);
  }

  handleHello(link: Link, payload: unknown): void {
    if (link !== this.#link || link.peer === null) {
      this.#refuse(link, 'unexpected $hello');
      return;
    }
    const hello = parseHello(payload);
    if (hello === null || this.#session !== null) {
      this.handleBroken(
        link,
        CLOSE_PROTOCOL_ERROR,
        hello === null ? 'malformed $hello' : 'second $hello',
      );
      return;
    }
    this.#session = new ClientSession<LinkPeer>(hello, link.peer);
    link.begin(hello.serverTimeMs, payload);
    this.#owner.handleHello(hello);
    link.peer.open(true);
  }

  handleResumed(link: Link, payload: unknown): void {
    const peer = link.peer as LinkPeer;
    const outcome = this.#session?.handleResumed(peer, payload) ?? { kind: 'ignored' };
    if (outcome.kind === 'adopted') this.#adopt(link, peer, payload);
    if (outcome.kind !== 'broken') return;
    this.#end({ code: outcome.code, reason: outcome.reason, wasClean: true });
  }

  handleUnhandled(type: string, value: unknown): void {
    this.#owner.handleUnhandled(type, value);
  }

  handleReceipt(receipt: number, outcome: ReceiptOutcome): void {
    this.#owner.handleReceipt(receipt, outcome);
  }

  handleLead(report: LeadReport): void {
    this.#owner.handleLead(report);
  }

  handleDrained(link: Link): void {
    if (link === this.#link && !this.#isFrozen) this.#owner.handleDrained();
  }

  handleBroken(link: Link, code: number, reason: string): void {
    if (link === this.#link || link === this.#attempt?.link) {
      this.#end({ code, reason, wasClean: true });
    } else {
      void link.close(code, reason);
    }
  }

  handleClosed(link: Link, info: CloseInfo): void {
    const attempt = this.#attempt;
    if (link === attempt?.link) {
      this.#handleAttemptClosed(attempt, info);
      return;
    }
    // A frozen link says nothing about the session any more.
    if (link !== this.#link || this.#isFrozen) return;
    const isLost = !info.wasClean && (link.wire === 'json-ws' || info.reason === REASON_TIMEOUT);
    if (!isLost || this.#session === null) {
      this.#owner.handleEnded(info);
      return;
    }
    this.#lose(info);
  }

  #handleAttemptClosed(attempt: Attempt, info: CloseInfo): void {
    const { code, reason, wasClean } = info;
    attempt.reject(new GameDialError(reason || 'closed', `the link closed with ${code}`));
    // What a server says on purpose is about the session, but for what is about the ticket.
    if (wasClean && code !== CLOSE_POLICY_VIOLATION) this.#end(info);
  }

  #adopt(link: Link, peer: LinkPeer, payload: unknown): void {
    const attempt = this.#attempt as Attempt;
    const old = this.#link as Link;
    this.#past = addLinkStats(this.#past, old.stats());
    this.#link = link;
    this.#attempt = null;
    this.#isFrozen = false;
    link.begin(numberField(payload, 'serverTimeMs'), payload);
    this.#owner.handleMoved();
    peer.open(true);
    // Nobody listens there any more; but whoever waits for room there looks again.
    old.peer?.close(CLOSE_NORMAL, '');
    void old.close(CLOSE_NORMAL, '');
    attempt.resolve();
  }

  #giveUp(link: Link): void {
    const attempt = this.#attempt;
    void link.close(CLOSE_NORMAL, '');
    if (attempt?.link !== link) return;
    this.#attempt = null;
    if (link.peer !== null) this.#session?.giveUp(link.peer);
    if (attempt.hasBegun) this.#owner.handleLost(LOST);
  }

  #lose(info: CloseInfo): void {
    this.#isFrozen = true;
    this.#session?.peer.freeze();
    this.#owner.handleLost(info);
  }

  #end(info: CloseInfo): void {
    this.#owner.handleEnded(info);
    void this.close(info.code, info.reason);
  }

  #refuse(link: Link, reason: string): void {
    void link.close(CLOSE_PROTOCOL_ERROR, reason);
    if (link === this.#attempt?.link) {
      this.#attempt.reject(new GameDialError('protocol', reason));
    }
  }
}
