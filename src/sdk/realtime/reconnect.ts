/** When a realtime connection is opened again, and after how long. */
import { badOption } from '../../util/errors.js';
import { flag, integer, number, refuseUnknown } from '../../util/option-checks.js';
import { ErrNoSession, RealtimeDialError } from '../errors.js';
import { backoffMs, fullJitter } from '../http/retry.js';

export interface ReconnectPolicy {
  /** True: a connection that is lost stays lost. Default false. */
  disabled?: boolean;
  /** For one outage, which is over when the connection has held for 30 s. Default 5. */
  maxAttempts?: number;
  /** The first attempt waits 0 … this: not all clients of a server that went down at once. Default 5,000. */
  firstDelayMaxMs?: number;
  /** The second waits 0 … this, the next up to twice that, and so on. Default 1,000. */
  baseDelayMs?: number;
  /** No wait of our own is longer. Default 30,000. */
  maxDelayMs?: number;
  /** Picks the wait out of 0 … capMs, for tests that must know it. Default: uniformly at random. */
  jitter?: (capMs: number) => number;
}

export type ReconnectSettings = Required<ReconnectPolicy>;

const KNOWN = new Set(
  ['disabled', 'maxAttempts', 'firstDelayMaxMs'].concat(['baseDelayMs', 'maxDelayMs', 'jitter']),
);
const DELAY_MS_MAX = 2 ** 31 - 1;
const ATTEMPTS_MAX = 1_000_000;

/**
 * Going away, no close frame, server error, restart, try again later (RFC 6455 §7.4.1 and IANA). 1000 is
 * none of them: with it a newer socket of the same player throws this one out, and the two would go on
 * throwing each other out.
 */
const PASSING_CODES: ReadonlySet<number> = new Set([1001, 1006, 1011, 1012, 1013]);

/** @throws TransportError bad-option */
export function readReconnectPolicy(policy: ReconnectPolicy = {}): ReconnectSettings {
  const prefix = 'reconnectPolicy.';
  refuseUnknown(prefix, policy, KNOWN);
  const { maxAttempts = 5, firstDelayMaxMs = 5000, baseDelayMs = 1000 } = policy;
  const { maxDelayMs = 30_000, jitter = fullJitter } = policy;
  if (typeof jitter !== 'function') throw badOption(`${prefix}jitter`, jitter, 'a function');
  const delay = (name: string, value: number) => number(prefix + name, value, 0, DELAY_MS_MAX);
  return {
    disabled: flag(`${prefix}disabled`, policy.disabled),
    maxAttempts: integer(`${prefix}maxAttempts`, maxAttempts, 1, ATTEMPTS_MAX),
    firstDelayMaxMs: delay('firstDelayMaxMs', firstDelayMaxMs),
    baseDelayMs: delay('baseDelayMs', baseDelayMs),
    maxDelayMs: delay('maxDelayMs', maxDelayMs),
    jitter,
  };
}

export function isPassingClose(code: number): boolean {
  return PASSING_CODES.has(code);
}

/** A refusal of who we are or what we ask for stays one; a busy server and a dead network do not. */
export function isPassingDial(error: unknown): boolean {
  if (error instanceof ErrNoSession) return false;
  if (!(error instanceof RealtimeDialError)) {
    const { status } = error as { status?: unknown };
    return typeof status !== 'number' || isPassingStatus(status);
  }
  return error.status === 0 || isPassingStatus(error.status);
}

function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Before the `attempt`th dial of an outage, from 1; never sooner than the server asked for. */
export function reconnectDelayMs(
  attempt: number,
  settings: ReconnectSettings,
  lastError: unknown,
): number {
  const { firstDelayMaxMs, jitter } = settings;
  const isFirst = attempt === 1;
  const first = { baseDelayMs: firstDelayMaxMs, maxDelayMs: firstDelayMaxMs, jitter };
  const ownMs = isFirst ? backoffMs(1, first) : backoffMs(attempt - 1, settings);
  const { retryAfter } = (lastError ?? {}) as { retryAfter?: unknown };
  const askedMs = typeof retryAfter === 'number' ? retryAfter * 1000 : 0;
  return Math.min(DELAY_MS_MAX, Math.max(ownMs, askedMs));
}
