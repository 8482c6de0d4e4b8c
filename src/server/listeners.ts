/** A list of handlers. Each is called even when an earlier one throws. */
export class Listeners<A extends unknown[]> {
  #handlers: ((...args: A) => void)[] = [];

  get size(): number {
    return this.#handlers.length;
  }

  /** Returns the function that removes the handler. */
  add(handler: (...args: A) => void): () => void {
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
        handlers[i](...args);
      } catch (error) {
        onError(error);
      }
    }
  }
}
