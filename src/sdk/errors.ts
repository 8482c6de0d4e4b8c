/** The launch contract's error classes that the game channel uses, and its own. */

/** Any answer of an HTTP API outside 2xx. */
export class GGScaleError extends Error {
  readonly status: number;
  /** The problem's `code`, or the legacy envelope's `error`; empty for plain text. */
  readonly code: string;
  readonly requestId: string;
  /** Seconds, from Retry-After; 0 when there was none. */
  readonly retryAfter: number;
  readonly details: unknown;

  constructor(fields: {
    status: number;
    code: string;
    message: string;
    requestId: string;
    retryAfter: number;
    details?: unknown;
  }) {
    super(`ggscale: HTTP ${fields.status}: ${fields.message}`);
    this.name = 'GGScaleError';
    this.status = fields.status;
    this.code = fields.code;
    this.requestId = fields.requestId;
    this.retryAfter = fields.retryAfter;
    this.details = fields.details;
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

  constructor(kind: RequestErrorKind, message: string, options?: { cause?: unknown }) {
    super(`ggscale: ${message}`, options);
    this.name = 'RequestError';
    this.kind = kind;
    this.code = kind;
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
