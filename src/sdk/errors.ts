/** The launch contract's error classes, and the game channel's own. */

/** What a problem body says beside code and message (RFC 9457); '' where it says nothing. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly instance: string;
}

const NO_PROBLEM: Problem = { type: '', title: '', detail: '', instance: '' };

/** Any answer of an HTTP API outside 2xx. What kind it is: `isUnauthorized(error)` and its siblings. */
export class GGScaleError extends Error {
  readonly status: number;
  /** The problem's `code`, or the legacy envelope's `error`; empty for plain text. */
  readonly code: string;
  readonly requestId: string;
  /** Seconds, from Retry-After; 0 when there was none. */
  readonly retryAfter: number;
  /** The problem's `errors`: what is wrong field by field, mostly. */
  readonly details: unknown;
  readonly problem: Problem;
  /** The version that stands, of a write that was refused for its `If-Match`; 0: not told. */
  readonly conflictVersion: number;

  constructor(fields: {
    status: number;
    code: string;
    message: string;
    requestId: string;
    retryAfter: number;
    details?: unknown;
    problem?: Problem;
    conflictVersion?: number;
  }) {
    super(`ggscale: HTTP ${fields.status}: ${fields.message}`);
    this.name = 'GGScaleError';
    this.status = fields.status;
    this.code = fields.code;
    this.requestId = fields.requestId;
    this.retryAfter = fields.retryAfter;
    this.details = fields.details;
    this.problem = fields.problem ?? NO_PROBLEM;
    this.conflictVersion = fields.conflictVersion ?? 0;
  }
}

export type RequestErrorKind =
  | 'canceled'
  | 'timeout'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'encode'
  | 'decode'
  | 'protocol';

/** A request that got no usable answer. */
export class RequestError extends Error {
  readonly kind: RequestErrorKind;
  /** The kind again: every error of this package has a `code`. */
  readonly code: RequestErrorKind;
  /** Whether the same request may do better, as far as the network's error tells. */
  readonly isPassing: boolean;
  /** The API's name for the call, and its `X-Request-Id`; '' outside of calls. */
  operationId = '';
  requestId = '';

  constructor(
    kind: RequestErrorKind,
    message: string,
    options: { cause?: unknown; isPassing?: boolean } = {},
  ) {
    super(`ggscale: ${message}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'RequestError';
    this.kind = kind;
    this.code = kind;
    this.isPassing = options.isPassing ?? false;
  }

  /** Names the call it befell. */
  of({ operationId = '' }: { operationId?: string }, requestId: string): this {
    this.operationId = operationId;
    this.requestId = requestId;
    return this;
  }
}

/** The game connection could not be opened on any allowed wire. */
export class GameDialError extends Error {
  /**
   * `handshake-timeout`, `denied`, `addon-missing`, `ws-refused`, `hello-timeout` …; `replaced`: a newer
   * connection of the player came before this one was open.
   */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(`ggscale: ${message}`, options);
    this.name = 'GameDialError';
    this.code = code;
  }
}

/** The connection has ended; `closeCode` and `reason` say how. */
export class ErrConnectionClosed extends Error {
  readonly code = 'connection-closed';
  readonly closeCode: number;
  readonly reason: string;

  constructor(closeCode: number, reason: string) {
    super(`ggscale: connection closed (${closeCode}${reason === '' ? '' : ` ${reason}`})`);
    this.name = 'ErrConnectionClosed';
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/** The realtime WebSocket did not open. */
export class RealtimeDialError extends Error {
  readonly code = 'realtime-dial-failed';
  /** What the server answered instead of the upgrade; 0: nothing, and always 0 in browsers. */
  readonly status: number;
  /** Seconds, from Retry-After; 0 when there was none. */
  readonly retryAfter: number;

  constructor(
    fields: { status: number; retryAfter: number; message: string },
    options?: { cause?: unknown },
  ) {
    const answer = fields.status === 0 ? '' : `HTTP ${fields.status}: `;
    super(`ggscale: realtime handshake failed: ${answer}${fields.message}`, options);
    this.name = 'RealtimeDialError';
    this.status = fields.status;
    this.retryAfter = fields.retryAfter;
  }
}

/**
 * The realtime connection ended other than by a normal close, and is not coming back. It is an
 * ErrConnectionClosed, too: `instanceof` either finds it. `cause` is what reconnecting failed at.
 */
export class RealtimeError extends ErrConnectionClosed {
  constructor(closeCode: number, reason: string, options?: { cause?: unknown }) {
    super(closeCode, reason);
    this.name = 'RealtimeError';
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}

/** The call is a player's, and nobody has logged in. */
export class ErrNoSession extends Error {
  readonly code = 'no-session';

  constructor() {
    super('ggscale: no session: call login or setSession first');
    this.name = 'ErrNoSession';
  }
}

/** A matchmaking ticket ended without a match. */
export class MatchFailedError extends Error {
  readonly code = 'match-failed';
  /** The server's word for it: `expired`, `attempts_exhausted` … An open set; may be empty. */
  readonly reason: string;

  constructor(reason: string) {
    super(`ggscale: matchmaking failed${reason === '' ? '' : `: ${reason}`}`);
    this.name = 'MatchFailedError';
    this.reason = reason;
  }
}

/** A matchmaking ticket was cancelled, for example from another device, before there was a match. */
export class ErrMatchCancelled extends Error {
  readonly code = 'match-cancelled';

  constructor() {
    super('ggscale: the matchmaking ticket was cancelled');
    this.name = 'ErrMatchCancelled';
  }
}
