/**
 * The launch SDK's request seam: one method, JSON over HTTP by default. The high-performance
 * option does not touch it.
 */
import { GGScaleError, RequestError } from './errors.js';

export interface TransportRequest {
  method: string;
  /** Absolute path with query, below the base URL. */
  path: string;
  headers?: Record<string, string>;
  /** Sent as JSON when given. */
  body?: unknown;
}

/** Safe for concurrent use. */
export interface Transport {
  /** Resolves the decoded body. @throws GGScaleError, RequestError */
  call(request: TransportRequest, options?: { signal?: AbortSignal }): Promise<unknown>;
}

const MAX_RESPONSE_BODY_BYTES = 64 * 1024 * 1024;

export interface StdNetOptions {
  baseUrl: string;
  /** `Authorization: Bearer`; empty: none (a game server is not the ggscale API). */
  apiKey: string;
  maxResponseBodyBytes?: number;
}

/** JSON over HTTP with the platform's fetch. */
export class StdNetTransport implements Transport {
  readonly #options: StdNetOptions;

  constructor(options: StdNetOptions) {
    this.#options = options;
  }

  async call(request: TransportRequest, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    const requestId = randomHex(16);
    let init: RequestInit;
    try {
      init = this.#encode(request, requestId);
    } catch (cause) {
      throw new RequestError('encode', 'a header or the body cannot be encoded', { cause });
    }
    init.signal = options.signal ?? null;
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#options.baseUrl + request.path, init);
      text = await readText(
        response,
        this.#options.maxResponseBodyBytes ?? MAX_RESPONSE_BODY_BYTES,
      );
    } catch (error) {
      throw error instanceof RequestError ? error : requestErrorOf(error, options.signal);
    }
    if (!response.ok) throw errorOf(response, text, requestId);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new RequestError('decode', 'the answer is not JSON', { cause });
    }
  }

  #encode(request: TransportRequest, requestId: string): RequestInit {
    const headers = new Headers(request.headers);
    headers.set('X-Request-Id', requestId);
    if (this.#options.apiKey !== '') headers.set('Authorization', `Bearer ${this.#options.apiKey}`);
    const init: RequestInit = { method: request.method, headers };
    if (request.body !== undefined) {
      headers.set('Content-Type', 'application/json');
      init.body = JSON.stringify(request.body);
    }
    return init;
  }
}

async function readText(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel();
      throw new RequestError('protocol', `the answer is larger than ${bytesMax} B`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Problem JSON (RFC 9457), the legacy envelope, or plain text. */
function errorOf(response: Response, text: string, requestId: string): GGScaleError {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    // plain text: the whole of it is the message
  }
  const message = [body.detail, body.message, body.title].find((part) => typeof part === 'string');
  const code = [body.code, body.error].find((part) => typeof part === 'string');
  const retryAfter = Number(response.headers.get('Retry-After') ?? body.retry_after_seconds ?? 0);
  return new GGScaleError({
    status: response.status,
    code: (code as string | undefined) ?? '',
    message: (message as string | undefined) ?? (text.trim() || response.statusText),
    requestId: response.headers.get('X-Request-Id') ?? requestId,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : 0,
    details: body.details,
  });
}

/** What an aborted signal means for `what`. */
export function abortErrorOf(signal: AbortSignal, what: string, cause?: unknown): RequestError {
  const isTimeout = (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  return isTimeout
    ? new RequestError('timeout', `${what} took too long`, { cause })
    : new RequestError('canceled', `${what} was canceled`, { cause });
}

function requestErrorOf(error: unknown, signal: AbortSignal | undefined): RequestError {
  if (signal?.aborted) {
    return abortErrorOf(signal, 'the request', error);
  }
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  const code = cause?.code ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new RequestError('dns', 'the host name does not resolve', { cause: error });
  }
  if (/CERT|TLS|SSL/.test(code)) {
    return new RequestError('tls', `TLS failed: ${code}`, { cause: error });
  }
  return new RequestError('connect', `the request failed: ${code || String(error)}`, {
    cause: error,
  });
}

function randomHex(bytes: number): string {
  let text = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) {
    text += byte.toString(16).padStart(2, '0');
  }
  return text;
}
