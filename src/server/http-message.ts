/** A request and its answer as the HTTP face sees them, whatever serves the port. */
import type { Problem } from './problem.js';

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
  /** @throws Problem 413 beyond `bytesMax`, 400 when the client left in the middle */
  readBody(bytesMax: number): Promise<Buffer>;
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
