import { badOption } from '../../util/errors.js';
import { parseUrl } from './parse-url.js';

/**
 * The base URL without trailing slashes. What stands in user info or a query may be a secret, so such
 * a value is not repeated in the message.
 *
 * @throws TransportError bad-option
 */
export function readBaseUrl(text: unknown): string {
  const url = typeof text === 'string' && /^https?:\/\//i.test(text) ? parseUrl(text) : null;
  if (typeof text === 'string' && url !== null) {
    // A bare `?` or `#` leaves search and hash empty, and would swallow the path that follows.
    if (!url.username && !url.password && !/[?#]/.test(text)) return text.replace(/\/+$/, '');
  }
  const accepted = 'an absolute http(s) URL without user info, query, fragment';
  const isSafe = typeof text !== 'string' || !/[@?#]/.test(text);
  throw badOption('baseUrl', isSafe ? text : '[redacted]', accepted);
}

/** `path` below the base, and the query sorted by name (as Go's url.Values.Encode does). */
export function requestUrl(
  baseUrl: string,
  path: string,
  query: Readonly<Record<string, unknown>> = {},
): string {
  if (!path.startsWith('/')) throw new TypeError('the path must begin with /');
  const pairs: [string, string][] = [];
  for (const name of Object.keys(query).sort()) {
    const value = query[name];
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) pairs.push([name, String(one)]);
    }
  }
  if (pairs.length === 0) return baseUrl + path;
  return `${baseUrl}${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(pairs)}`;
}
