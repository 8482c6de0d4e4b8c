/** When a call is repeated, and after how long. */
import { badOption } from '../../util/errors.js';
import { integer, number, refuseUnknown } from '../../util/option-checks.js';
import { isPartyEnqueueDisabled } from '../error-predicates.js';
import { GGScaleError, RequestError } from '../errors.js';
import type { TransportRequest } from './transport.js';

export interface RetryPolicy {
  /** Attempts in all; 1 turns retries off. Default 3. */
  maxAttempts?: number;
  /** The first wait is 0 … this, the next up to twice that, and so on. Default 250. */
  baseDelayMs?: number;
  /** No wait of our own is longer. Default 10,000. */
  maxDelayMs?: number;
  /** Picks the wait out of 0 … capMs, for tests that must know it. Default: uniformly at random. */
  jitter?: (capMs: number) => number;
}

export type RetrySettings = Required<RetryPolicy>;

const KNOWN = new Set(['maxAttempts', 'baseDelayMs', 'maxDelayMs', 'jitter']);
const DELAY_MS_MAX = 2 ** 31 - 1;
const ATTEMPTS_MAX = 100;

/** "Try again later" and the failures of whoever stands in between; never 500, which may have acted. */
const RETRIED: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
/** @throws TransportError bad-option */
export function readRetryPolicy(policy: RetryPolicy = {}): RetrySettings {
  refuseUnknown('retryPolicy.', policy, KNOWN);
  const { maxAttempts = 3, baseDelayMs = 250, maxDelayMs = 10_000, jitter = fullJitter } = policy;
  if (typeof jitter !== 'function') {
    throw badOption('retryPolicy.jitter', jitter, 'a function');
  }
  return {
    maxAttempts: integer('retryPolicy.maxAttempts', maxAttempts, 1, ATTEMPTS_MAX),
    baseDelayMs: number('retryPolicy.baseDelayMs', baseDelayMs, 0, DELAY_MS_MAX),
    maxDelayMs: number('retryPolicy.maxDelayMs', maxDelayMs, 0, DELAY_MS_MAX),
    jitter,
  };
}

/** Reading can be repeated; writing only when the request says so, or carries a key that tells twins. */
export function isReplayable({ method, replaySafe, headers }: TransportRequest): boolean {
  if (method === 'GET' || method === 'HEAD' || replaySafe === true) return true;
  return Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'idempotency-key');
}

/** Whether the same call may do better. What a network failure is, `networkErrorOf` has decided. */
export function isPassing(error: unknown): boolean {
  if (error instanceof GGScaleError) {
    // A setting of the server, not a state that passes.
    return RETRIED.has(error.status) && !isPartyEnqueueDisabled(error);
  }
  return error instanceof RequestError && error.isPassing;
}

/**
 * Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015): uniform in 0 … cap, where the cap
 * doubles. `attempt` counts from 1.
 */
export function backoffMs(
  attempt: number,
  { baseDelayMs, maxDelayMs, jitter }: Pick<RetrySettings, 'baseDelayMs' | 'maxDelayMs' | 'jitter'>,
): number {
  const capMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  return Math.min(capMs, Math.max(0, jitter(capMs)));
}

export function fullJitter(capMs: number): number {
  return Math.random() * capMs;
}
