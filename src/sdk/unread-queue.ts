/**
 * Messages that no `on` handler took, waiting for `readMessage`.
 *
 * Bounded. While nobody has ever read, the oldest gives way: a program that handles some types and
 * ignores others must not die of the rest. Once somebody reads, an overflow is the reader's: the
 * connection ends instead of losing a message silently.
 */
import type { Received } from '../session/types.js';

const MESSAGES_MAX = 4096;

interface Waiter<R> {
  resolve: (message: Received<R>) => void;
  reject: (error: unknown) => void;
  cleanup: () => void;
}

interface Unread {
  type: string;
  value: unknown;
}

export class UnreadQueue<R> {
  readonly #onOverflow: () => void;
  #messages: Unread[] = [];
  #waiters: Waiter<R>[] = [];
  #hasReader = false;
  #end: unknown = null;

  constructor(onOverflow: () => void) {
    this.#onOverflow = onOverflow;
  }

  /** False when an older message had to give way. */
  push(type: string, value: unknown): boolean {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.cleanup();
      waiter.resolve({ type, value } as Received<R>);
      return true;
    }
    this.#messages.push({ type, value });
    if (this.#messages.length <= MESSAGES_MAX) return true;
    if (this.#hasReader) {
      this.#messages.pop();
      this.#onOverflow();
    } else {
      this.#messages.shift();
    }
    return false;
  }

  /** Takes out every waiting message of a type, in order. */
  takeType(type: string): unknown[] {
    const taken = this.#messages.filter((message) => message.type === type);
    if (taken.length > 0) {
      this.#messages = this.#messages.filter((message) => message.type !== type);
    }
    return taken.map((message) => message.value);
  }

  next(signal: AbortSignal | undefined, onAbort: () => unknown): Promise<Received<R>> {
    this.#hasReader = true;
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message as Received<R>);
    if (this.#end !== null) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        waiter.cleanup();
        reject(onAbort());
      };
      const cleanup = () => signal?.removeEventListener('abort', abort);
      const waiter: Waiter<R> = { resolve, reject, cleanup };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', abort);
    });
  }

  /** What is queued can still be read; after it every read rejects with `error`. */
  end(error: unknown): void {
    this.#end = error;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.cleanup();
      waiter.reject(error);
    }
  }
}
