/** What pages of other origins are let do (https://fetch.spec.whatwg.org/#http-cors-protocol), as the server does it. */
import type { HttpAnswer } from './answers.js';
import { CORS } from './contract.js';
import type { RecordedRequest } from './fake-server.js';

/** Null: every origin, as in development; in production there is a list. */
export type AllowedOrigins = ReadonlySet<string> | null;

/** Headers of every answer but those to preflights. */
export function corsHeaders(
  allowed: AllowedOrigins,
  request: RecordedRequest,
): Record<string, string> {
  const origin = allowedOriginOf(allowed, request);
  if (origin === null) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': CORS.exposedHeaders.join(', '),
  };
}

/** Comes before everything else, routes too. Null: the request is no preflight. */
export function answerPreflight(
  allowed: AllowedOrigins,
  request: RecordedRequest,
): HttpAnswer | null {
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || method === undefined) return null;
  const asked = request.headers['access-control-request-headers'];
  const headers = (asked ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const origin = allowedOriginOf(allowed, request);
  const isAllowed =
    origin !== null &&
    includes(CORS.methods, method) &&
    headers.every((name) => includes(CORS.requestHeaders, name));
  const granted = {
    'Access-Control-Allow-Origin': origin ?? '',
    'Access-Control-Allow-Methods': method,
    ...(headers.length > 0 && { 'Access-Control-Allow-Headers': headers.join(', ') }),
    'Access-Control-Max-Age': String(CORS.maxAgeS),
  };
  const names = ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'];
  // What is not allowed is not told why: it is 200 all the same.
  return { status: 200, headers: { Vary: names.join(', '), ...(isAllowed && granted) } };
}

/** Whatever the list says: a realtime socket is opened by pages of the server's own host, or by no page. */
export function isOfOwnHost({ headers: { origin, host } }: RecordedRequest): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

function allowedOriginOf(allowed: AllowedOrigins, { headers }: RecordedRequest): string | null {
  const { origin } = headers;
  if (origin === undefined) return null;
  if (allowed === null) return '*';
  return allowed.has(origin) ? origin : null;
}

function includes(list: readonly string[], name: string): boolean {
  return list.some((one) => one.toLowerCase() === name.toLowerCase());
}
