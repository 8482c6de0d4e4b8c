/**
 * The client's end of a game connection, whatever the wire: dispatch, the queue behind
 * `readMessage`, and the life cycle. Its links are SessionLinks'.
 *
 *   opening ──$hello──▶ open ◀──▶ reconnecting ──window over──▶ closed
 *                         └──close()──▶ closing ──────────────▶ closed
 */
import type { Registry } from '../messages/types.js';
import {
  assertApplicationCloseCode,
  CLOSE_ABNORMAL,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  cutReason,
} from '../session/close-codes.js';
import type { Hello } from '../session/control.js';
import { Dispatcher } from '../session/dispatcher.js';
import { DROP_UNHANDLED, SessionDrops } from '../session/drops.js';
import { settledWithin } from '../session/settled-within.js';
import { spending } from '../session/spent-view.js';
import type {
  CloseInfo,
  ConnectionStats,
  Meta,
  ReceiptOutcome,
  Received,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import { InputLead } from '../time/input-lead.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { badOption } from '../util/errors.js';
import { checkHandler, watchResult } from '../util/handlers.js';
import { ErrConnectionClosed, GameDialError, RequestError } from './errors.js';
import type { Link, LinkHost } from './link.js';
import { readSignal } from './options.js';
import type { Resumer } from './resumer.js';
import { type LinksOwner, SessionLinks } from './session-links.js';
import type { ClientLogger, ConnectionState, GameConnection } from './types.js';
import { UnreadQueue } from './unread-queue.js';

/** How long `close()` waits for what is queued to be acknowledged. */
const CLOSE_DRAIN_MS = 2000;

export interface ChannelSettings {
  registry: Registry<object>;
  logger: ClientLogger;
  /** By channel, the runtime's own too. */
  channels: readonly (ChannelOptions | undefined)[];
}

export class GameChannel<R extends object> implements GameConnection<R> {
  readonly closed: Promise<CloseInfo>;
  readonly #registry: Registry<object>;
  readonly #logger: ClientLogger;
  readonly #channels: readonly (ChannelOptions | undefined)[];
  #receiptHandlers: ((receipt: number, outcome: ReceiptOutcome) => void)[] = [];
  readonly #resumer: Resumer;
  readonly #drops = new SessionDrops();
  readonly #dispatcher: Dispatcher<unknown>;
  readonly #unread: UnreadQueue<R>;
  readonly #links: SessionLinks;
  #hello: Hello | null = null;
  #lead: InputLead | null = null;
  #serverTimeMs = Number.NEGATIVE_INFINITY;
  /** Taken from `#unread` for handlers, not handed over yet. */
  readonly #late = new Map<string, unknown[]>();
  #state: ConnectionState | 'opening' = 'opening';
  #closeInfo: CloseInfo = { code: CLOSE_ABNORMAL, reason: '', wasClean: false };
  #isResuming = false;
  /** Ends what goes on in the background. */
  readonly #ending = new AbortController();
  #drainWatchers: (() => void)[] = [];
  #resolveOpened!: () => void;
  #rejectOpened!: (error: unknown) => void;
  #resolveClosed!: (info: CloseInfo) => void;

  constructor({ registry, logger, channels }: ChannelSettings, resumer: Resumer) {
    this.#registry = registry;
    this.#logger = logger;
    this.#channels = channels;
    this.#resumer = resumer;
    this.#dispatcher = new Dispatcher((error, type) => this.#report(error, type));
    this.#unread = new UnreadQueue<R>(() => this.#handleUnreadOverflow());
    this.#links = new SessionLinks(this.#asOwner());
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Opens the first link; resolves with `$hello`. @throws whatever ended it before */
  async open(createLink: (host: LinkHost) => Link): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    opened.catch(() => {}); // when opening fails first
    await Promise.all([this.#links.openFirst(createLink(this.#links)), opened]);
  }

  get state(): ConnectionState {
    return this.#state === 'opening' ? 'closed' : this.#state;
  }

  get wire(): Wire {
    return this.#requireLink().wire;
  }

  get playerId(): string {
    return this.#hello?.player ?? '';
  }

  send<T extends keyof R & string>(type: T, value: R[T], options?: SendOptions): SendResult {
    const { peer } = this.#links;
    if ((this.#state !== 'open' && this.#state !== 'reconnecting') || peer === null) {
      throw new ErrConnectionClosed(this.#closeInfo.code, this.#closeInfo.reason);
    }
    return peer.send(type, value, options);
  }

  on<T extends keyof R & string>(type: T, handler: (value: R[T], meta: Meta) => void): () => void {
    checkHandler(handler);
    return this.#listen(
      type,
      // What an async handler returns is the dispatcher's.
      this.#dispatcher.on(type, (_, value, meta) => handler(value as R[T], meta)),
    );
  }

  onView(type: string, handler: (view: never, meta: Meta) => void): () => void {
    if (this.#registry.typeByName(type) === undefined) {
      throw new RangeError(`ggscale: onView needs a registered type, ${type} is none`);
    }
    checkHandler(handler);
    const call = (_: unknown, view: never, meta: Meta) => handler(view, meta);
    const guarded = this.#registry.strict ? spending(call) : call;
    return this.#listen(type, this.#dispatcher.onView(type, guarded as never));
  }

  readMessage(options?: { signal?: AbortSignal }): Promise<Received<R>> {
    if (options === undefined) return this.#unread.next(undefined, canceled);
    return this.#readUntil(options);
  }

  async #readUntil(options: { signal?: AbortSignal }): Promise<Received<R>> {
    const signal = readSignal(options);
    if (signal?.aborted) throw canceled();
    return this.#unread.next(signal, canceled);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Received<R>> {
    for (;;) {
      try {
        yield await this.readMessage();
      } catch (error) {
        if (error instanceof ErrConnectionClosed) return;
        throw error;
      }
    }
  }

  drained(): Promise<void> {
    if (this.#state !== 'open' && this.#state !== 'reconnecting') return Promise.resolve();
    return this.#drained();
  }

  writable(): Promise<void> {
    const { peer } = this.#links;
    const isLive = this.#state === 'open' || this.#state === 'reconnecting';
    if (!isLive || peer === null) return Promise.resolve();
    return new Promise((resolve) => peer.watchWritable(resolve));
  }

  budget(): number {
    return this.#links.peer?.budget() ?? 0;
  }

  onReceipt(handler: (receipt: number, outcome: ReceiptOutcome) => void): () => void {
    checkHandler(handler);
    this.#receiptHandlers = [...this.#receiptHandlers, handler];
    return () => {
      this.#receiptHandlers = this.#receiptHandlers.filter((other) => other !== handler);
    };
  }

  stats(): ConnectionStats {
    this.#requireLink();
    return this.#links.stats(this.#isLive) as ConnectionStats;
  }

  serverTime(): number {
    // Each link has a clock of its own; the connection's does not go back when it changes.
    this.#serverTimeMs = Math.max(this.#serverTimeMs, this.#requireLink().serverTimeMs());
    return this.#serverTimeMs;
  }

  serverTimeError(): number {
    return this.#requireLink().serverTimeErrorMs();
  }

  inputLead(): number {
    const { rttMs, rttVarMs } = this.#requireLink().stats();
    return this.#lead?.leadMs(this.serverTime(), rttMs, rttVarMs) ?? Number.NaN;
  }

  tickToSend(): number {
    const { rttMs, rttVarMs } = this.#requireLink().stats();
    return this.#lead?.tickToSend(this.serverTime(), rttMs, rttVarMs) ?? Number.NaN;
  }

  async switchTo(wire: Wire): Promise<void> {
    if (wire !== 'udp' && wire !== 'json-ws') throw badOption('wire', wire, "'udp' or 'json-ws'");
    if (this.#state === 'reconnecting') {
      throw new GameDialError('reconnecting', 'the connection has no link to leave now');
    }
    if (this.#state !== 'open') {
      throw new ErrConnectionClosed(this.#closeInfo.code, this.#closeInfo.reason);
    }
    if (wire !== this.wire) await this.#resumer.move(this.#links, wire, this.#ending.signal);
  }

  async close(code: number = CLOSE_NORMAL, reason = ''): Promise<void> {
    assertApplicationCloseCode(code, reason);
    if (this.#state === 'open' || this.#state === 'reconnecting') {
      this.#state = 'closing';
      await settledWithin(CLOSE_DRAIN_MS, this.#drained());
      if (this.#isLive) {
        const cut = cutReason(reason);
        this.#handleEnded({ code, reason: cut, wasClean: true });
        await this.#links.close(code, cut);
      }
    }
    await this.closed;
  }

  /** Takes down a link whose dial was given up. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#handleEnded({ code: CLOSE_ABNORMAL, reason: 'dial given up', wasClean: false });
    void this.#links.close(CLOSE_NORMAL, '');
  }

  #asOwner(): LinksOwner {
    return {
      registry: this.#registry,
      channels: this.#channels,
      dispatcher: this.#dispatcher,
      drops: this.#drops,
      handleHello: (hello) => this.#handleHello(hello),
      handleReceipt: (receipt, outcome) => this.#handleReceipt(receipt, outcome),
      handleLead: ({ tick, marginMs, inputs, late }) => {
        this.#lead?.feedback(tick, marginMs, inputs, late, this.serverTime());
      },
      handleUnhandled: (type, value) => this.#handleUnhandled(type, value),
      handleDrained: () => this.#releaseDrained(),
      handleLost: (info) => void this.#handleLost(info),
      handleMoved: () => this.#handleMoved(),
      handleEnded: (info) => this.#handleEnded(info),
    };
  }

  get #isLive(): boolean {
    return this.#state !== 'closed';
  }

  #listen(type: string, remove: () => void): () => void {
    // What came before the first handler (often with $hello itself) goes to it now, in order.
    const late = this.#unread.takeType(type);
    if (late.length > 0) {
      this.#late.set(type, late);
      const handOver = () => this.#handOverLate(type);
      this.#dispatcher.setBefore(type, handOver); // a newer one may come before the microtask
      queueMicrotask(handOver);
    }
    return remove;
  }

  #handOverLate(type: string): void {
    const late = this.#late.get(type);
    if (late === undefined) return;
    this.#late.delete(type);
    for (const value of late) this.#redispatch(type, value);
  }

  #redispatch(type: string, value: unknown): void {
    const known = this.#registry.typeByName(type);
    const meta: Meta = {
      wire: this.wire,
      mode: known?.mode ?? 3,
      channel: known?.channel ?? 0,
      ageMs: 0,
    };
    const isHandled = this.#dispatcher.dispatchValue(this, type, known, value, meta);
    if (!isHandled) this.#handleUnhandled(type, value); // its handler has gone again
  }

  #handleHello(hello: Hello): void {
    this.#hello = hello;
    if (hello.ticks !== null) this.#lead = new InputLead(hello.ticks);
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#resolveOpened();
  }

  /** Goes on trying to resume while there is time; the first attempt is made at once. */
  async #handleLost(info: CloseInfo): Promise<void> {
    const windowMs = this.#hello?.resumeWindowMs ?? 0;
    if (!this.#isLive || this.#isResuming) return;
    if (this.#state === 'open') this.#state = 'reconnecting';
    this.#isResuming = true;
    const end =
      windowMs > 0 ? await this.#resumer.resume(this.#links, windowMs, this.#ending.signal) : null;
    this.#isResuming = false;
    if (end === 'resumed' || !this.#isLive) return;
    this.#handleEnded(end ?? info);
    await this.#links.close(CLOSE_NORMAL, '');
  }

  #handleMoved(): void {
    if (this.#state === 'reconnecting') this.#state = 'open';
    if (this.#drainWatchers.length > 0) this.#links.watchDrained();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drainWatchers.push(resolve);
      this.#links.watchDrained();
    });
  }

  #releaseDrained(): void {
    for (const resolve of this.#drainWatchers.splice(0)) resolve();
  }

  #handleReceipt(receipt: number, outcome: ReceiptOutcome): void {
    for (const handler of this.#receiptHandlers) {
      try {
        const result: unknown = handler(receipt, outcome);
        watchResult(result, (error) => this.#report(error, 'receipt'));
      } catch (error) {
        this.#report(error, 'receipt');
      }
    }
  }

  #handleUnhandled(type: string, value: unknown): void {
    if (!this.#unread.push(type, value)) this.#drops.count(DROP_UNHANDLED);
  }

  #handleUnreadOverflow(): void {
    this.#fail(CLOSE_POLICY_VIOLATION, 'unread messages overflow');
  }

  #fail(code: number, reason: string): void {
    this.#handleEnded({ code, reason, wasClean: true });
    void this.#links.close(code, reason);
  }

  #handleEnded(info: CloseInfo): void {
    if (!this.#isLive) return;
    const wasOpening = this.#state === 'opening';
    this.#state = 'closed';
    this.#closeInfo = info;
    if (wasOpening) this.#rejectOpened(dialErrorOf(info));
    this.#ending.abort();
    this.#releaseDrained();
    this.#unread.end(new ErrConnectionClosed(info.code, info.reason));
    this.#resolveClosed(info);
  }

  #report(error: unknown, type: string): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger.warn({ event: 'handler.failed', type, error: detail }, 'handler failed');
  }

  #requireLink(): Link {
    const { link } = this.#links;
    if (link === null) throw new ErrConnectionClosed(CLOSE_ABNORMAL, 'never opened');
    return link;
  }
}

function dialErrorOf({ code, reason, wasClean }: CloseInfo): GameDialError {
  if (wasClean && code === CLOSE_NORMAL && reason === '') {
    return new GameDialError('replaced', 'a newer connection of the player took its place');
  }
  const detail = reason === '' ? `closed with ${code}` : reason;
  return new GameDialError(reason || 'closed', `the dial failed: ${detail}`);
}

function canceled(): RequestError {
  return new RequestError('canceled', 'the read was canceled');
}
