/**
 * What the server pushes to a player, message by message, across outages.
 *
 *     dial ──► open ──(passing close)──► reconnecting ──► open …
 *               │                             │ attempts used up, or refused
 *               └──(1000, close(), other)──► ended ◄┘
 *
 * Invariant: messages wait or readers wait, never both. `ended` is final, and what ended it is what
 * every later read rejects with.
 */
import { ErrConnectionClosed, RealtimeError, type RequestError } from '../errors.js';
import { abortErrorOf, pause } from '../http/deadline.js';
import { readSignal } from '../options.js';
import type { ClientLogger } from '../types.js';
import { parseFrame, type RealtimeMessage } from './frames.js';
import {
  isPassingClose,
  isPassingDial,
  type ReconnectSettings,
  reconnectDelayMs,
} from './reconnect.js';
import { CLOSE_ABNORMAL, CLOSE_NORMAL, type RealtimeSocket } from './socket.js';

export interface RealtimeHost {
  dial(signal: AbortSignal): Promise<RealtimeSocket>;
  policy: ReconnectSettings;
  /** After each reconnection; must not block and not throw. */
  onReconnect(): void;
  logger: ClientLogger;
  /** Monotonic, milliseconds. */
  now(): number;
}

/** Messages that nobody has read; beyond it the socket is not read either, where that can be done. */
const QUEUED_MAX = 256;
/** How long a goodbye is waited for. */
const CLOSE_WAIT_MS = 1000;
/** What falls sooner belongs to the outage before: a server that takes us and drops us is not asked for ever. */
const STABLE_MS = 30_000;

interface Reader {
  resolve(message: RealtimeMessage): void;
  reject(error: Error): void;
}

export class RealtimeClient implements AsyncIterable<RealtimeMessage> {
  readonly #host: RealtimeHost;
  readonly #closing = new AbortController();
  readonly #queue: (RealtimeMessage | RequestError)[] = [];
  readonly #readers: Reader[] = [];
  #socket: RealtimeSocket;
  #openedMs = 0;
  /** Of this outage. */
  #attempts = 0;
  #ended: ErrConnectionClosed | null = null;
  #closed: Promise<void> | null = null;
  #onDown: () => void = () => {};
  #isDown = false;

  /** Of `client.dialRealtime()`. */
  constructor(host: RealtimeHost, socket: RealtimeSocket) {
    this.#host = host;
    this.#socket = socket;
    this.#adopt(socket);
  }

  /**
   * The next message. Several may wait; they are served in order.
   *
   * @throws RequestError decode: a frame that is none, the connection goes on; canceled, timeout: the
   *   signal. ErrConnectionClosed after `close()` and a normal close (a newer socket of the player has
   *   the place); RealtimeError: lost for good. Each of the last two from then on.
   */
  readMessage(options: { signal?: AbortSignal } = {}): Promise<RealtimeMessage> {
    return new Promise((resolve, reject) => {
      const signal = readSignal(options);
      if (signal?.aborted) throw abortErrorOf(signal, 'the read');
      const next = this.#queue.shift();
      if (next !== undefined) {
        if (this.#queue.length === QUEUED_MAX / 2) this.#socket.resume();
        if (next instanceof Error) throw next;
        resolve(next);
      } else if (this.#ended !== null) throw this.#ended;
      else this.#wait({ resolve, reject }, signal);
    });
  }

  /** Ends without an error on a normal close; any other end is thrown. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RealtimeMessage> {
    for (;;) {
      let message: RealtimeMessage;
      try {
        message = await this.readMessage();
      } catch (error) {
        if (error instanceof ErrConnectionClosed && !(error instanceof RealtimeError)) return;
        throw error;
      }
      yield message;
    }
  }

  /** Says goodbye; what was not read is gone. Resolves when the socket is down. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#queue.length = 0;
    this.#end(new ErrConnectionClosed(CLOSE_NORMAL, ''));
    if (this.#isDown) return;
    const timer = setTimeout(() => this.#socket.terminate(), CLOSE_WAIT_MS);
    await new Promise<void>((resolve) => {
      this.#onDown = resolve;
      this.#socket.resume();
      this.#socket.close(CLOSE_NORMAL, '');
    });
    clearTimeout(timer);
  }

  #wait(reader: Reader, signal: AbortSignal | undefined): void {
    const onAbort = () => {
      const index = this.#readers.indexOf(waiting);
      if (index >= 0) this.#readers.splice(index, 1);
      reader.reject(abortErrorOf(signal as AbortSignal, 'the read'));
    };
    const forget = () => signal?.removeEventListener('abort', onAbort);
    const waiting: Reader = {
      resolve(message) {
        forget();
        reader.resolve(message);
      },
      reject(error) {
        forget();
        reader.reject(error);
      },
    };
    signal?.addEventListener('abort', onAbort);
    this.#readers.push(waiting);
  }

  #adopt(socket: RealtimeSocket): void {
    this.#socket = socket;
    this.#openedMs = this.#host.now();
    this.#isDown = false;
    socket.start({
      onText: (text) => this.#handleFrame(parseFrame(text ?? '')),
      onClose: (code, reason) => this.#handleClose(code, reason),
    });
  }

  #handleFrame(frame: RealtimeMessage | RequestError): void {
    if (this.#ended !== null) return;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#queue.push(frame);
      if (this.#queue.length >= QUEUED_MAX) this.#socket.pause(); // a new socket, too
    } else if (frame instanceof Error) reader.reject(frame);
    else reader.resolve(frame);
  }

  #handleClose(code: number, reason: string): void {
    this.#isDown = true;
    this.#onDown();
    if (this.#ended !== null) return;
    if (code === CLOSE_NORMAL) this.#end(new ErrConnectionClosed(code, reason));
    else if (this.#host.policy.disabled || !isPassingClose(code)) {
      this.#end(new RealtimeError(code, reason));
    } else {
      this.#reconnect(code, reason).catch((cause) => {
        this.#end(new RealtimeError(CLOSE_ABNORMAL, '', { cause }));
      });
    }
  }

  async #reconnect(code: number, reason: string): Promise<void> {
    const { policy, logger } = this.#host;
    const { signal } = this.#closing;
    let lastError: unknown;
    if (this.#host.now() - this.#openedMs >= STABLE_MS) this.#attempts = 0;
    while (this.#attempts < policy.maxAttempts) {
      const attempt = ++this.#attempts;
      const delayMs = reconnectDelayMs(attempt, policy, lastError);
      logger.info({ event: 'realtime.reconnect', code, attempt, delayMs }, 'realtime.reconnect');
      try {
        await pause(delayMs, signal, 'the dial');
        const socket = await this.#host.dial(signal);
        if (signal.aborted) socket.terminate();
        else this.#reopened(socket);
        return;
      } catch (error) {
        if (signal.aborted) return;
        lastError = error;
        if (!isPassingDial(error)) break;
      }
    }
    this.#end(new RealtimeError(code, reason, { cause: lastError }));
  }

  /** The hook first: what it reads anew is older than the first message of the new socket. */
  #reopened(socket: RealtimeSocket): void {
    this.#host.onReconnect();
    this.#adopt(socket);
  }

  #end(error: ErrConnectionClosed): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#closing.abort();
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }
}
