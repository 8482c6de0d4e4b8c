/**
 * The launch SDK's request seam: one method, JSON over HTTP by default. The high-performance
 * option does not touch it.
 */

/** Values of one name, or several; undefined is left out. */
export type QueryValue = string | number | boolean | readonly (string | number | boolean)[];

export interface TransportRequest {
  /** The API's name for the call (`getProfile`), for logs and errors. */
  operationId?: string;
  method: string;
  /** Absolute path below the base URL; it may carry a query of its own. */
  path: string;
  /** Written after the path, sorted by name, so that equal requests are equal bytes. */
  query?: Readonly<Record<string, QueryValue | undefined>>;
  headers?: Record<string, string>;
  /** Sent as JSON when given; null is JSON's null. */
  body?: unknown;
  /** `Authorization: Bearer`; '' sends none, left out is the transport's own. */
  apiKey?: string;
  /** `X-Session-Token`; '' sends none. */
  sessionToken?: string;
  /** `If-Match`: the version that a write replaces. */
  ifMatch?: string;
  ifNoneMatch?: string;
  /** With `ifNoneMatch`: 304 resolves undefined and is no error. */
  allowNotModified?: boolean;
  /** Repeating the call does no harm, so that it may be retried as a GET is. */
  replaySafe?: boolean;
  /** `X-Request-Id` of every attempt; left out, 32 random hex digits. */
  requestId?: string;
  /** Called with each answer's metadata, before its body is judged. */
  onResponse?: (metadata: ResponseMetadata) => void;
}

export interface ResponseMetadata {
  status: number;
  requestId: string;
  /** '' when there was none. */
  etag: string;
  cacheControl: string;
}

export interface CallOptions {
  /**
   * Cancels the call. A signal does not tell when it will abort, so it counts as a deadline of the
   * caller's own: the default of 30 s does not apply beside it.
   */
  signal?: AbortSignal;
  /** The caller's deadline for the whole call, milliseconds, all attempts and waits included. */
  timeoutMs?: number;
}

/** Safe for concurrent use. */
export interface Transport {
  /** Resolves the decoded body. @throws GGScaleError, RequestError */
  call(request: TransportRequest, options?: CallOptions): Promise<unknown>;
}
