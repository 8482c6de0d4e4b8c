/** A refusal that becomes an RFC 9457 problem document. */
export class Problem extends Error {
  readonly status: number;
  /** Kebab-case, stable: programs decide by it. */
  readonly code: string;
  /** Seconds for `Retry-After`; 0: none. */
  readonly retryAfterS: number;
  /** What programs may want to know besides the code; none by default. */
  readonly details: object | undefined;

  constructor(status: number, code: string, detail: string, retryAfterS = 0, details?: object) {
    super(detail);
    this.details = details;
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }

  toJson(): object {
    return {
      type: 'about:blank',
      title: this.code,
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
