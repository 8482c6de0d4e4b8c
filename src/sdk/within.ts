import { GameDialError } from './errors.js';
import { startDeadline, unlessAborted } from './http/deadline.js';

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
  const deadline = startDeadline(timeoutMs, signal ?? undefined);
  try {
    return await unlessAborted(deadline.signal, work, 'the dial');
  } catch (error) {
    if (!deadline.signal.aborted || signal?.aborted) throw error;
    throw new GameDialError('handshake-timeout', `no answer within ${timeoutMs} ms`);
  } finally {
    deadline.end();
  }
}
