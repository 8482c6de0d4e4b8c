import { watchResult } from '../util/handlers.js';
import { Listeners } from './listeners.js';
import type { ServerOps } from './server-ops.js';

/** What handlers of the game throw: counted, and told to the handlers of errors, else to the log. */
export class HandlerErrors {
  readonly #ops: ServerOps;
  readonly #listeners = new Listeners<[unknown, string]>();
  readonly #reporters = new Map<string, (error: unknown) => void>();
  /** What a handler of errors throws is not for itself. */
  readonly #onOwn = (error: unknown): void => this.#ops.handleError(error, 'onError', false);

  constructor(ops: ServerOps) {
    this.#ops = ops;
  }

  add(handler: (error: unknown, where: string) => void): () => void {
    return this.#listeners.add(handler);
  }

  report(error: unknown, where: string): void {
    const isTold = this.#listeners.size > 0;
    this.#ops.handleError(error, where, isTold);
    if (isTold) this.#listeners.emit([error, where], this.#onOwn);
  }

  /** Calls a handler; what it throws, at once or later, is reported. */
  call<A>(where: string, handler: (argument: A) => unknown, argument: A): void {
    try {
      const result = handler(argument);
      if (result !== undefined) watchResult(result, (error) => this.report(error, where));
    } catch (error) {
      this.report(error, where);
    }
  }

  /** Reports what happens at one place; one function for all its calls. */
  at(where: string): (error: unknown) => void {
    let reporter = this.#reporters.get(where);
    if (reporter === undefined) {
      reporter = (error) => this.report(error, where);
      this.#reporters.set(where, reporter);
    }
    return reporter;
  }
}
