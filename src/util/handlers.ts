/** What programs hand over to be called back. */
import { badOption } from './errors.js';

/** @throws TransportError bad-option */
export function checkHandler(handler: unknown): void {
  if (typeof handler !== 'function') throw badOption('handler', handler, 'a function');
}

/**
 * A handler may be an async function: what it throws later is told like what it throws at once. The
 * process does not end by it.
 */
export function watchResult(result: unknown, onError: (error: unknown) => void): void {
  if (typeof result !== 'object' || result === null) return;
  if (typeof (result as PromiseLike<unknown>).then !== 'function') return;
  Promise.resolve(result).catch(onError);
}
