/**
 * Which pages may come in, by the `Origin` that browsers send (RFC 6454 §7) and nobody else does. The
 * rules and their reasons: docs/ADMISSION.md, Browsers.
 */
import type { HttpAnswer, HttpRequest } from './http-message.js';
import { Problem } from './problem.js';

/** Browsers keep the answer to a preflight so long, those that keep it at all: two hours. */
const PREFLIGHT_S = 7200;

export interface OriginsOptions {
  /** Exact origins; null: no list was given. */
  readonly allowedOrigins: ReadonlySet<string> | null;
  /** Names that pages may have been loaded from, lower case, as `Host` has them; null: not `dev`. */
  readonly allowedHosts: ReadonlySet<string> | null;
}

export class Origins {
  readonly #listed: ReadonlySet<string> | null;
  readonly #hosts: ReadonlySet<string> | null;

  constructor({ allowedOrigins, allowedHosts }: OriginsOptions) {
    this.#listed = allowedOrigins;
    this.#hosts = allowedHosts;
  }

  /**
   * Lets pass who is no browser, listed pages and the server's own. Without a list and without `dev`,
   * everybody: a page that cannot read a ticket cannot use one.
   *
   * @throws Problem 403 origin-not-allowed
   */
  check(request: HttpRequest): void {
    const origin = request.header('origin');
    if (origin === undefined || (this.#listed === null && this.#hosts === null)) return;
    if (this.#listed?.has(origin) || this.#isOwn(origin, request)) return;
    throw new Problem(403, 'origin-not-allowed', 'pages of this origin are not allowed');
  }

  /** The answer to a preflight of the ticket; null when no list was given. @throws Problem 403 */
  preflight(request: HttpRequest): HttpAnswer | null {
    if (this.#listed === null) return null;
    this.check(request);
    const headers = {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'content-type, x-request-id, x-session-token',
      'Access-Control-Max-Age': String(PREFLIGHT_S),
    };
    return { status: 204, headers, body: '', isLast: false };
  }

  /** What lets a listed page read the answer, refusals too. Without a list no header ever. */
  mark(request: HttpRequest, answer: HttpAnswer): HttpAnswer {
    if (this.#listed === null) return answer;
    const headers: Record<string, string> = { ...answer.headers, Vary: 'Origin' };
    const origin = request.header('origin');
    if (origin !== undefined && this.#listed.has(origin)) {
      headers['Access-Control-Allow-Origin'] = origin;
      headers['Access-Control-Expose-Headers'] = 'Retry-After';
    }
    return { ...answer, headers };
  }

  /** A page from where the request went to, or in `dev` from any port of this machine. */
  #isOwn(origin: string, request: HttpRequest): boolean {
    const page = URL.canParse(origin) ? new URL(origin) : null;
    if (page === null) return false;
    if (this.#hosts?.has(page.hostname) === true) return true;
    const target = `${page.protocol}//${request.header('host') ?? ''}`;
    const isSecure = page.protocol === 'https:' || this.#hosts !== null;
    return isSecure && URL.canParse(target) && new URL(target).host === page.host;
  }
}

/** Whether a browser could send it just so: no path, no default port, in lower case. */
export function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s*]+$/.test(text)) return false;
  if (!/^https?:/.test(text)) return true; // of an app, such as capacitor://localhost
  return URL.canParse(text) && new URL(text).origin === text;
}
