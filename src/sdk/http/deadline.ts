/**
 * Signals that know when they abort. An AbortSignal does not tell its deadline; those made here do, so
 * that a wait which cannot fit is not begun.
 */
import { RequestError } from '../errors.js';

/** What a timer can wait; a longer one would fire at once. */
export const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** By performance.now(). */
const deadlines = new WeakMap<AbortSignal, number>();

export interface Deadline {
  readonly signal: AbortSignal;
  /** Lets go of the timer and of the parent. */
  end(): void;
}

/** Aborts with the parent, and after `timeoutMs` (null, or more than a timer can wait: no limit of its own). */
export function startDeadline(timeoutMs: number | null, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = () => controller.abort(parent?.reason);
  parent?.addEventListener('abort', onAbort);
  if (parent?.aborted) onAbort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  if (timeoutMs !== null && !(timeoutMs > TIMEOUT_MS_MAX)) {
    const late = () => controller.abort(new DOMException('the time is over', 'TimeoutError'));
    timer = setTimeout(late, timeoutMs);
  }
  const inheritedMs = parent === undefined ? Infinity : deadlineMsOf(parent);
  const ownMs = timeoutMs === null ? Infinity : performance.now() + timeoutMs;
  deadlines.set(signal, Math.min(inheritedMs, ownMs));
  return {
    signal,
    end() {
      clearTimeout(timer);
      parent?.removeEventListener('abort', onAbort);
    },
  };
}

/** Infinity: none, or one that is not known. */
export function remainingMs(signal: AbortSignal): number {
  return deadlineMsOf(signal) - performance.now();
}

function deadlineMsOf(signal: AbortSignal): number {
  return deadlines.get(signal) ?? Infinity;
}

/** @throws RequestError canceled, timeout */
export function pause(ms: number, signal: AbortSignal | null, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, Math.min(ms, TIMEOUT_MS_MAX));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    function done(): void {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }
    function onAbort(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(abortErrorOf(signal as AbortSignal, what));
    }
  });
}

/** `work`, unless the signal aborts first; the work goes on. @throws RequestError canceled, timeout */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortErrorOf(signal, what));
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** What an aborted signal means for `what`. */
export function abortErrorOf(signal: AbortSignal, what: string, cause?: unknown): RequestError {
  return isTimeout(signal)
    ? new RequestError('timeout', `${what} took too long`, { cause })
    : new RequestError('canceled', `${what} was canceled`, { cause });
}

/** AbortSignal.timeout's reason, and ours. */
export function isTimeout(signal: AbortSignal): boolean {
  return (
    signal.aborted && (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
  );
}
