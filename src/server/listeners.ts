import { checkHandler, watchResult } from '../util/handlers.js';

/** A list of handlers. Each is called even when an earlier one throws, at once or later. */
export class Listeners<A extends unknown[]> {
  #handlers: ((...args: A) => void)[] = [];

  get size(): number {
    return this.#handlers.length;
  }

  /** Returns the function that removes the handler. @throws TransportError bad-option */
  add(handler: (...args: A) => void): () => void {
    checkHandler(handler);
    // The array is replaced, never changed: a handler may add or remove handlers.
    this.#handlers = [...this.#handlers, handler];
    return () => {
      this.#handlers = this.#handlers.filter((other) => other !== handler);
    };
  }

  emit(args: A, onError: (error: unknown) => void): void {
    const handlers = this.#handlers;
    for (let i = 0; i < handlers.length; i++) {
      try {
        const result: unknown = handlers[i](...args);
        if (result !== undefined) watchResult(result, onError);
      } catch (error) {
        onError(error);
      }
    }
  }
}
