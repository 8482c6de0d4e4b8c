/** JSON over HTTP with the platform's fetch: retries, redirects, deadlines and errors are ours. */
import { integer } from '../../util/option-checks.js';
import { RequestError } from '../errors.js';
import { isNode } from '../platform.js';
import type { ClientLogger } from '../types.js';
import { DEFAULT_USER_AGENT } from '../version.js';
import { requestUrl } from './base-url.js';
import { readText } from './body-cap.js';
import {
  abortErrorOf,
  isTimeout,
  pause,
  remainingMs,
  startDeadline,
  TIMEOUT_MS_MAX,
} from './deadline.js';
import { errorOf } from './error-body.js';
import { networkErrorOf } from './network-error.js';
import { followRedirects, type Outgoing } from './redirects.js';
import { createRequestId } from './request-id.js';
import { backoffMs, isPassing, isReplayable, type RetryPolicy, readRetryPolicy } from './retry.js';
import type { CallOptions, ResponseMetadata, Transport, TransportRequest } from './transport.js';

/** Of one call with all its attempts, when neither caller nor client set a limit. */
export const CALL_TIMEOUT_MS = 30_000;
export const RESPONSE_BODY_BYTES_MAX = 64 * 1024 * 1024;

export interface StdNetOptions {
  baseUrl: string;
  /** `Authorization: Bearer` of requests that name no key; empty: none (a game server's tickets). */
  apiKey: string;
  /** Default `ggscale-ts/<version>`. Browsers send their own, whatever is set. */
  userAgent?: string;
  /** Limit of every call, whatever its signal; left out: 30 s for calls without a deadline. */
  callTimeoutMs?: number;
  /** Of any answer, errors too. Default 64 MiB. */
  maxResponseBodyBytes?: number;
  retryPolicy?: RetryPolicy;
  /** Told of each retry and of each call's end, without URLs, headers and bodies. Default: silent. */
  logger?: ClientLogger;
}

interface Attempted {
  request: TransportRequest;
  requestId: string;
  signal: AbortSignal;
}

export class StdNetTransport implements Transport {
  readonly baseUrl: string;
  readonly #options: StdNetOptions;
  readonly #bodyBytesMax: number;
  readonly #retry: ReturnType<typeof readRetryPolicy>;

  /** @throws TransportError bad-option */
  constructor(options: StdNetOptions) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, '');
    this.#options = options;
    this.#retry = readRetryPolicy(options.retryPolicy);
    const { callTimeoutMs, maxResponseBodyBytes = RESPONSE_BODY_BYTES_MAX } = options;
    if (callTimeoutMs !== undefined) integer('callTimeoutMs', callTimeoutMs, 1, TIMEOUT_MS_MAX);
    this.#bodyBytesMax = integer(
      'maxResponseBodyBytes',
      maxResponseBodyBytes,
      1,
      Number.MAX_SAFE_INTEGER,
    );
  }

  get userAgent(): string {
    return this.#options.userAgent || DEFAULT_USER_AGENT;
  }

  async call(request: TransportRequest, options: CallOptions = {}): Promise<unknown> {
    const requestId = request.requestId || createRequestId();
    const startedMs = performance.now();
    const progress = { attempts: 0, status: 0 };
    const deadline = startDeadline(this.#timeoutMs(options), options.signal);
    const { signal } = deadline;
    let kind = '';
    try {
      return await this.#retrying({ request, requestId, signal }, progress);
    } catch (error) {
      if (error instanceof RequestError) kind = error.kind;
      throw error;
    } finally {
      deadline.end();
      const durationMs = Math.round(performance.now() - startedMs);
      this.#log('http.complete', request, requestId, { ...progress, durationMs, errorKind: kind });
    }
  }

  /** Null: the caller's signal is the limit. */
  #timeoutMs({ signal, timeoutMs }: CallOptions): number | null {
    const { callTimeoutMs } = this.#options;
    if (timeoutMs !== undefined) return Math.min(timeoutMs, callTimeoutMs ?? Infinity);
    if (callTimeoutMs !== undefined) return callTimeoutMs;
    return signal === undefined ? CALL_TIMEOUT_MS : null;
  }

  async #retrying(call: Attempted, progress: { attempts: number; status: number }) {
    const { request, requestId, signal } = call;
    const attemptsMax = isReplayable(request) ? this.#retry.maxAttempts : 1;
    const onStatus = (status: number) => {
      progress.status = status;
    };
    for (;;) {
      progress.attempts++;
      try {
        return await this.#once(call, onStatus);
      } catch (error) {
        if (progress.attempts >= attemptsMax || signal.aborted || !isPassing(error)) throw error;
        const retryAfterMs = 1000 * ((error as { retryAfter?: number }).retryAfter ?? 0);
        // The server's answer is worth more than a timeout after a wait that cannot be enough.
        if (retryAfterMs > 0 && retryAfterMs >= remainingMs(signal)) throw error;
        const delayMs = Math.max(backoffMs(progress.attempts, this.#retry), retryAfterMs);
        const reason = (error as { kind?: string }).kind ?? 'status';
        this.#log('http.retry', request, requestId, { ...progress, reason, delayMs });
        await this.#wait(delayMs, signal, retryAfterMs > 0 ? error : null);
      }
    }
  }

  /** A deadline nobody knew of may end the wait: then too the server's answer is what is thrown. */
  async #wait(delayMs: number, signal: AbortSignal, answer: unknown): Promise<void> {
    try {
      await pause(delayMs, signal, 'the request');
    } catch (error) {
      throw answer !== null && isTimeout(signal) ? answer : error;
    }
  }

  async #once(call: Attempted, onStatus: (status: number) => void): Promise<unknown> {
    const { request, requestId, signal } = call;
    const outgoing = this.#encode(request, requestId);
    const response = await this.#send(outgoing, call);
    onStatus(response.status);
    const answeredId = response.headers.get('X-Request-Id') || requestId;
    request.onResponse?.(metadataOf(response, answeredId));
    let text: string;
    try {
      text = await readText(response, this.#bodyBytesMax);
    } catch (cause) {
      if (signal.aborted) throw abortErrorOf(signal, 'the request', cause).of(request, answeredId);
      if (cause instanceof RequestError) throw cause.of(request, answeredId);
      const cut = new RequestError('protocol', 'the answer broke off', { cause });
      throw cut.of(request, answeredId);
    }
    if (response.status === 304 && request.allowNotModified === true) return undefined;
    if (!response.ok) throw errorOf(response, text, requestId);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      const undecoded = new RequestError('decode', 'the answer is not JSON', { cause });
      throw undecoded.of(request, answeredId);
    }
  }

  async #send(outgoing: Outgoing, { request, requestId, signal }: Attempted): Promise<Response> {
    try {
      return await followRedirects(outgoing, ({ url, method, headers, body }) => {
        const init: RequestInit = { method, headers, redirect: 'manual', signal };
        if (body !== undefined) init.body = body;
        return fetch(url, init);
      });
    } catch (error) {
      if (signal.aborted) throw abortErrorOf(signal, 'the request', error).of(request, requestId);
      throw (error instanceof RequestError ? error : networkErrorOf(error)).of(request, requestId);
    }
  }

  #encode(request: TransportRequest, requestId: string): Outgoing {
    const headers = this.#headersOf(request, requestId);
    try {
      let body: string | undefined;
      if (request.body !== undefined) {
        if (/^(GET|HEAD)$/.test(request.method)) throw new TypeError('reading carries no body');
        headers.set('Content-Type', 'application/json');
        body = JSON.stringify(request.body);
        if (body === undefined) throw new TypeError('the body is nothing that JSON can tell');
      }
      const url = requestUrl(this.baseUrl, request.path, request.query);
      return { url, method: request.method, headers, body };
    } catch (cause) {
      const message = 'the path or the body cannot be encoded';
      throw new RequestError('encode', message, { cause }).of(request, requestId);
    }
  }

  #headersOf(request: TransportRequest, requestId: string): Headers {
    try {
      const headers = new Headers(request.headers);
      if (isNode) headers.set('User-Agent', this.userAgent);
      headers.set('X-Request-Id', requestId);
      setUnlessEmpty(headers, 'X-Session-Token', request.sessionToken);
      setUnlessEmpty(headers, 'If-Match', request.ifMatch);
      setUnlessEmpty(headers, 'If-None-Match', request.ifNoneMatch);
      const apiKey = request.apiKey ?? this.#options.apiKey;
      if (apiKey !== '') headers.set('Authorization', `Bearer ${apiKey}`);
      return headers;
    } catch {
      // Without the cause: it repeats the value, which may be the key or a token.
      throw new RequestError('encode', 'a header cannot be encoded').of(request, requestId);
    }
  }

  #log(event: string, request: TransportRequest, requestId: string, fields: object): void {
    const { operationId = '', method } = request;
    try {
      this.#options.logger?.info({ event, operationId, method, requestId, ...fields }, event);
    } catch {
      // a logger's fault is not the request's
    }
  }
}

function setUnlessEmpty(headers: Headers, name: string, value: string | undefined): void {
  if (value) headers.set(name, value);
}

function metadataOf({ status, headers }: Response, requestId: string): ResponseMetadata {
  return {
    status,
    requestId,
    etag: headers.get('ETag') ?? '',
    cacheControl: headers.get('Cache-Control') ?? '',
  };
}
