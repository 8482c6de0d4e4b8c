/**
 * The client's end of a game connection, whatever the wire: dispatch, the queue behind
 * `readMessage`, and the life cycle. The wire is behind a Link.
 *
 *   opening ──$hello──▶ open ──close()──▶ closing ──▶ closed
 *                         └──── peer or wire ends ──────┘
 */
import type { Registry } from '../messages/types.js';
import {
  assertApplicationCloseCode,
  CLOSE_ABNORMAL,
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  cutReason,
} from '../session/close-codes.js';
import { type Hello, parseHello } from '../session/control.js';
import { Dispatcher } from '../session/dispatcher.js';
import { DROP_UNHANDLED, SessionDrops } from '../session/drops.js';
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
import { checkHandler, watchResult } from '../util/handlers.js';
import { ErrConnectionClosed, GameDialError, RequestError } from './errors.js';
import type { Link, LinkHost } from './link.js';
import type { ClientLogger, ConnectionState, GameConnection } from './types.js';
import { UnreadQueue } from './unread-queue.js';

/** How long `close()` waits for what is queued to be acknowledged. */
const CLOSE_DRAIN_MS = 2000;

export class GameChannel<R extends object> implements GameConnection<R> {
  /** Resolves with $hello, rejects when the link ends before it. */
  readonly opened: Promise<void>;
  readonly closed: Promise<CloseInfo>;
  readonly #registry: Registry<object>;
  readonly #logger: ClientLogger;
  readonly #channels: readonly (ChannelOptions | undefined)[];
  #receiptHandlers: ((receipt: number, outcome: ReceiptOutcome) => void)[] = [];
  readonly #drops = new SessionDrops();
  readonly #dispatcher: Dispatcher<unknown>;
  readonly #unread: UnreadQueue<R>;
  #link: Link | null = null;
  #hello: Hello | null = null;
  #lead: InputLead | null = null;
  /** Taken from `#unread` for handlers, not handed over yet. */
  readonly #late = new Map<string, unknown[]>();
  #state: ConnectionState | 'opening' = 'opening';
  #closeInfo: CloseInfo = { code: CLOSE_ABNORMAL, reason: '', wasClean: false };
  #resolveOpened!: () => void;
  #rejectOpened!: (error: unknown) => void;
  #resolveClosed!: (info: CloseInfo) => void;

  constructor(
    registry: Registry<object>,
    logger: ClientLogger,
    channels: readonly (ChannelOptions | undefined)[],
  ) {
    this.#registry = registry;
    this.#channels = channels;
    this.#logger = logger;
    this.#dispatcher = new Dispatcher((error, type) => this.#report(error, type));
    this.#unread = new UnreadQueue<R>(() => this.#handleUnreadOverflow());
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => {}); // whoever dials looks at it; an abandoned dial does not
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** What a link may call. */
  asHost(): LinkHost {
    return {
      registry: this.#registry,
      channels: this.#channels,
      dispatcher: this.#dispatcher,
      drops: this.#drops,
      attach: (link) => {
        this.#link = link;
      },
      handleHello: (payload) => this.#handleHello(payload),
      handleReceipt: (receipt, outcome) => this.#handleReceipt(receipt, outcome),
      handleLead: ({ tick, marginMs, inputs, late }) => {
        this.#lead?.feedback(tick, marginMs, inputs, late, this.serverTime());
      },
      handleUnhandled: (type, value) => this.#handleUnhandled(type, value),
      fail: (code, reason) => this.#fail(code, reason),
      handleClosed: (info) => this.#handleClosed(info),
    };
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
    if (this.#state !== 'open') {
      throw new ErrConnectionClosed(this.#closeInfo.code, this.#closeInfo.reason);
    }
    return this.#requireLink().send(type, value, options);
  }

  on<T extends keyof R & string>(type: T, handler: (value: R[T], meta: Meta) => void): () => void {
    checkHandler(handler);
    return this.#listen(
      type,
      // What an async handler returns is the dispatcher's.
      this.#dispatcher.on(type, (_, value, meta) => handler(value as R[T], meta)),
    );
  }

  /** As `on`, with a view that is valid during the call and costs no allocation. */
  onView<V>(type: keyof R & string, handler: (view: V, meta: Meta) => void): () => void {
    if (this.#registry.typeByName(type) === undefined) {
      throw new RangeError(`ggscale: onView needs a registered type, ${type} is none`);
    }
    checkHandler(handler);
    return this.#listen(
      type,
      this.#dispatcher.onView(type, (_, view, meta) => handler(view as V, meta)),
    );
  }

  readMessage(options: { signal?: AbortSignal } = {}): Promise<Received<R>> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(canceled());
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
    if (this.#state !== 'open') return Promise.resolve();
    return new Promise((resolve) => this.#requireLink().watchDrained(resolve));
  }

  writable(): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve();
    return new Promise((resolve) => this.#requireLink().watchWritable(resolve));
  }

  onReceipt(handler: (receipt: number, outcome: ReceiptOutcome) => void): () => void {
    checkHandler(handler);
    this.#receiptHandlers = [...this.#receiptHandlers, handler];
    return () => {
      this.#receiptHandlers = this.#receiptHandlers.filter((other) => other !== handler);
    };
  }

  stats(): ConnectionStats {
    return this.#requireLink().stats();
  }

  serverTime(): number {
    return this.#requireLink().serverTimeMs();
  }

  serverTimeError(): number {
    return this.#requireLink().serverTimeErrorMs();
  }

  inputLead(): number {
    const { rttMs, rttVarMs } = this.stats();
    return this.#lead?.leadMs(this.serverTime(), rttMs, rttVarMs) ?? Number.NaN;
  }

  tickToSend(): number {
    const { rttMs, rttVarMs } = this.stats();
    return this.#lead?.tickToSend(this.serverTime(), rttMs, rttVarMs) ?? Number.NaN;
  }

  async close(code: number = CLOSE_NORMAL, reason = ''): Promise<void> {
    assertApplicationCloseCode(code);
    if (this.#state === 'open') {
      this.#state = 'closing';
      const link = this.#requireLink();
      await settledWithin(CLOSE_DRAIN_MS, new Promise<void>((done) => link.watchDrained(done)));
      if (this.#isLive) {
        const cut = cutReason(reason);
        this.#handleClosed({ code, reason: cut, wasClean: true });
        await link.close(code, cut);
      }
    }
    await this.closed;
  }

  /** Takes down a link whose dial was given up. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#handleClosed({ code: CLOSE_ABNORMAL, reason: 'dial given up', wasClean: false });
    void this.#link?.close(CLOSE_NORMAL, '');
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

  #handleHello(payload: unknown): void {
    const hello = parseHello(payload);
    if (hello === null || this.#hello !== null) {
      this.#fail(CLOSE_PROTOCOL_ERROR, hello === null ? 'malformed $hello' : 'second $hello');
      return;
    }
    this.#hello = hello;
    if (hello.ticks !== null) this.#lead = new InputLead(hello.ticks);
    this.#requireLink().handleHello(hello, payload);
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#resolveOpened();
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
    const link = this.#requireLink();
    this.#handleClosed({ code, reason, wasClean: true });
    void link.close(code, reason);
  }

  #handleClosed(info: CloseInfo): void {
    if (!this.#isLive) return;
    const wasOpening = this.#state === 'opening';
    this.#state = 'closed';
    this.#closeInfo = info;
    if (wasOpening) {
      const detail = info.reason === '' ? `closed with ${info.code}` : info.reason;
      this.#rejectOpened(new GameDialError(info.reason || 'closed', `the dial failed: ${detail}`));
    }
    this.#unread.end(new ErrConnectionClosed(info.code, info.reason));
    this.#resolveClosed(info);
  }

  #report(error: unknown, type: string): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger.warn({ event: 'handler.failed', type, error: detail }, 'handler failed');
  }

  #requireLink(): Link {
    if (this.#link === null) throw new ErrConnectionClosed(CLOSE_ABNORMAL, 'never opened');
    return this.#link;
  }
}

function canceled(): RequestError {
  return new RequestError('canceled', 'the read was canceled');
}

function settledWithin(ms: number, promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
