/** Redirects, followed by hand: the platform would carry our credentials along to wherever they lead. */
import { RequestError } from '../errors.js';

export interface Outgoing {
  url: string;
  method: string;
  headers: Headers;
  body: string | undefined;
}

export const REDIRECTS_MAX = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = ['Authorization', 'X-Session-Token', 'Cookie', 'Proxy-Authorization'];

/**
 * The first answer that is no redirect. 301, 302 and 303 turn anything but GET and HEAD into GET, 307
 * and 308 repeat the request as it is. What leaves the origin loses its credentials for good; a body
 * that would have to leave it, which may be a password or a refresh token, is not sent at all.
 *
 * @throws RequestError protocol; what `send` throws
 */
export async function followRedirects(
  request: Outgoing,
  send: (request: Outgoing) => Promise<Response>,
): Promise<Response> {
  let current = request;
  for (let redirects = 0; ; redirects++) {
    const response = await send(current);
    if (response.type === 'opaqueredirect') {
      throw new RequestError('protocol', 'the answer is a redirect, and browsers hide where to');
    }
    const location = response.headers.get('Location');
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    if (redirects === REDIRECTS_MAX) {
      throw new RequestError('protocol', `more than ${REDIRECTS_MAX} redirects`);
    }
    current = redirected(current, response.status, location);
  }
}

function redirected(from: Outgoing, status: number, location: string): Outgoing {
  const url = URL.canParse(location, from.url) ? new URL(location, from.url) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new RequestError('protocol', 'a redirect leads to no usable http(s) URL');
  }
  url.hash = '';
  const headers = new Headers(from.headers);
  const repeats = status === 307 || status === 308;
  const becomesGet = !repeats && from.method !== 'GET' && from.method !== 'HEAD';
  const body = becomesGet ? undefined : from.body;
  if (body === undefined) headers.delete('Content-Type');
  if (url.origin !== new URL(from.url).origin) {
    if (body !== undefined) {
      throw new RequestError('protocol', 'a redirect would carry the body to another origin');
    }
    for (const name of CREDENTIALS) headers.delete(name);
  }
  return { url: url.href, method: becomesGet ? 'GET' : from.method, headers, body };
}
