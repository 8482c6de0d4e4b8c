/** A request and its answer as the HTTP face sees them, whatever serves the port. */
import { Problem } from './problem.js';

/** What a request may bring along: a ticket's is some ten bytes. */
export const BODY_BYTES_MAX = 4096;

export interface HttpRequest {
  /** In capitals. */
  readonly method: string;
  /** As it came: path and query. */
  readonly target: string;
  /** Addresses of the connection, in canonical form. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** `name` in lower case. What came several times is joined by commas (RFC 9110 §5.3). */
  header(name: string): string | undefined;
  /** @throws Problem 413 beyond BODY_BYTES_MAX, 400 when the client left in the middle */
  readBody(): Promise<Buffer>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The connection cannot be used again: a body was not read. */
  readonly isLast: boolean;
}

export function jsonAnswer(value: object, headers: Readonly<Record<string, string>>): HttpAnswer {
  return {
    status: 200,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
    isLast: false,
  };
}

/** The problem document of a refusal (RFC 9457). */
export function problemAnswer(problem: Problem): HttpAnswer {
  const retry = problem.retryAfterS > 0 ? { 'Retry-After': String(problem.retryAfterS) } : {};
  return {
    status: problem.status,
    headers: { ...retry, 'Content-Type': 'application/problem+json' },
    body: JSON.stringify(problem.toJson()),
    isLast: true,
  };
}

export function bodyTooLarge(): Problem {
  return new Problem(413, 'body-too-large', `at most ${BODY_BYTES_MAX} B`);
}

export function bodyAborted(): Problem {
  return new Problem(400, 'body-aborted', 'the client left');
}
