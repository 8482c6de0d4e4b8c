/** Asks the game's `verifySession` hook; whatever it does, there is an answer in time. */
import { errorText } from '../ops/index.js';
import { Problem } from './problem.js';
import type { VerifiedSession, VerifySession } from './types.js';

/** A client waits for 30 s at most, and a revocation is remembered that long. */
const VERIFY_MS = 10_000;
const RETRY_AFTER_S = 5;
/** What a hook throws that cannot find out now: nobody is refused for it. */
const UNVERIFIABLE = 'unverifiable';

/** 503: the hook is late, or says that it cannot tell. */
export class Unverifiable extends Problem {
  /** For the log, without the token. */
  readonly why: string;

  constructor(why: string) {
    super(503, UNVERIFIABLE, 'sessions cannot be verified now', RETRY_AFTER_S);
    this.why = why;
  }
}

/**
 * Null: refused.
 *
 * @throws Unverifiable; Error what the hook threw, without the token that it may repeat
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
    const why = errorText(error, token);
    if ((error as { code?: unknown } | null)?.code === UNVERIFIABLE) throw new Unverifiable(why);
    throw new Error(`verifySession failed: ${why}`);
  }
  if (session === 'late') throw new Unverifiable(`no answer within ${limitMs} ms`);
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
