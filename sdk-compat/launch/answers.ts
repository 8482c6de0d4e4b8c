/**
 * How the launch server answers: every form of body it has, as the fake writes them to a request or to a
 * rejected WebSocket upgrade.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

export interface HttpAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Strings and bytes as they are, everything else as JSON. Left out: an empty body. */
  body?: unknown;
  /** Instead of `body`: one write for each, without Content-Length. */
  chunks?: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>;
}

/** `drop`: the connection is cut without an answer. `hang`: nothing comes until the fake is closed. */
export type FakeAnswer = HttpAnswer | 'drop' | 'hang';

/** Thrown by a handler: this is the answer. */
export class Refusal extends Error {
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** Returned by a handler that has more to say than a body. */
export class Given {
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    this.answer = answer;
  }
}

export interface FieldProblem {
  message: string;
  location: string;
  value?: unknown;
}

export function json(status: number, body: unknown): HttpAnswer {
  return { status, body };
}

/** What the gates in front of the handlers write: key, session, scope, realtime caps. */
export function plainText(status: number, text: string, headers = {}): HttpAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: `${text}\n`,
  };
}

/** RFC 9457, of the handlers. `extra` holds the members that are none of the standard's. */
export function problem(
  status: number,
  detail: string,
  { errors, headers = {}, ...extra }: ProblemExtra = {},
): HttpAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
    body: { title: STATUS_CODES[status], status, detail, ...(errors && { errors }), ...extra },
  };
}

export interface ProblemExtra {
  errors?: FieldProblem[];
  headers?: Record<string, string>;
  [member: string]: unknown;
}

/** The older envelope `{error, message?, retry_after_seconds?}`, of rate limits and timeouts. */
export function legacy(status: number, error: string, retryAfterS?: number): HttpAnswer {
  const isRetryable = retryAfterS !== undefined;
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      ...(isRetryable && { 'Retry-After': String(retryAfterS) }),
    },
    body: { error, ...(isRetryable && { retry_after_seconds: retryAfterS }) },
  };
}

export function rateLimited(retryAfterS: number): HttpAnswer {
  return legacy(429, 'rate_limit_exceeded', retryAfterS);
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
}

/** Given headers win; the type of a JSON body is filled in. */
function headersOf(answer: HttpAnswer, always: Record<string, string>): Record<string, string> {
  const isJson =
    answer.body !== undefined &&
    typeof answer.body !== 'string' &&
    !(answer.body instanceof Uint8Array);
  const type = isJson ? { 'Content-Type': 'application/json' } : {};
  return { ...always, ...type, ...answer.headers };
}

export async function writeAnswer(
  response: ServerResponse,
  answer: FakeAnswer,
  always: Record<string, string>,
): Promise<void> {
  if (answer === 'hang') return;
  if (answer === 'drop') {
    response.destroy();
    return;
  }
  const headers = headersOf(answer, always);
  if (answer.chunks !== undefined) {
    response.writeHead(answer.status, headers);
    for await (const chunk of answer.chunks) {
      if (response.destroyed) return;
      if (!response.write(chunk)) await once(response);
    }
    response.end();
    return;
  }
  const bytes = bytesOf(answer.body);
  const hasBody = answer.status !== 204 && answer.status !== 304;
  const length = hasBody ? { 'Content-Length': String(bytes.length) } : {};
  response.writeHead(answer.status, { ...length, ...headers });
  response.end(hasBody ? bytes : undefined);
}

/** A full pipe: goes on when it drains or breaks. */
function once(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** Instead of 101. */
export function rejectUpgrade(
  socket: Duplex,
  answer: FakeAnswer,
  always: Record<string, string>,
): void {
  if (answer === 'hang') return;
  if (answer === 'drop') {
    socket.destroy();
    return;
  }
  const bytes = bytesOf(answer.body);
  const headers = {
    'Content-Length': String(bytes.length),
    Connection: 'close',
    ...headersOf(answer, always),
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${head.join('')}\r\n`);
  socket.end(bytes);
}
