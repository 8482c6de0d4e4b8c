import { GameDialError } from './errors.js';
import { abortErrorOf } from './transport.js';

/**
 * `work`, unless it takes longer or `signal` aborts.
 *
 * @throws GameDialError handshake-timeout; RequestError of the signal
 */
export async function within<T>(
  timeoutMs: number,
  signal: AbortSignal | null,
  work: Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort: (() => void) | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new GameDialError('handshake-timeout', `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    onAbort = () => reject(abortErrorOf(signal as AbortSignal, 'the dial'));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}

/** @throws RequestError when the signal aborts */
export function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    function done(): void {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }
    function onAbort(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(abortErrorOf(signal as AbortSignal, 'the dial'));
    }
  });
}
