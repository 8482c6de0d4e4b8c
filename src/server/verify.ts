/** Asks the game's `verifySession` hook; whatever it does, there is an answer in time. */
import { errorText } from '../ops/index.js';
import { Problem } from './problem.js';
import type { VerifiedSession, VerifySession } from './types.js';

/** A client waits for 30 s at most, and a revocation is remembered that long. */
const VERIFY_MS = 10_000;
const RETRY_AFTER_S = 5;

/**
 * Null: refused.
 *
 * @throws Problem 503 the hook takes too long; Error it threw, without the token that it may repeat
 */
export async function verify(
  hook: VerifySession,
  token: string,
  limitMs = VERIFY_MS,
): Promise<VerifiedSession | null> {
  let session: unknown;
  try {
    const answer: unknown = hook(token);
    session = isPromise(answer) ? await inTime(answer, limitMs) : answer;
    if (typeof session !== 'object' && session !== 'late') {
      throw new TypeError(`it resolved ${typeof session}`);
    }
  } catch (error) {
    throw new Error(`verifySession failed: ${errorText(error, token)}`);
  }
  if (session === 'late') {
    throw new Problem(503, 'unverifiable', 'sessions cannot be verified now', RETRY_AFTER_S);
  }
  return session as VerifiedSession | null;
}

function isPromise(answer: unknown): answer is PromiseLike<unknown> {
  return typeof (answer as { then?: unknown } | null)?.then === 'function';
}

async function inTime(answer: PromiseLike<unknown>, limitMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), limitMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}
