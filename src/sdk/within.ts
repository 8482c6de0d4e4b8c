import { GameDialError } from './errors.js';
import { abortErrorOf } from './http/deadline.js';

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
