/** What a fetch that got no answer failed at. */
import { RequestError } from '../errors.js';

const TRANSIENT_DNS: ReadonlySet<string> = new Set(['EAI_AGAIN']);
const DNS: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const TLS = /CERT|TLS|SSL|UNABLE_TO_|SELF_SIGNED|EPROTO/;
/** undici's limits on connecting and on the answer's headers. */
const TIMEOUT = /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$|^ETIMEDOUT$/;

/**
 * fetch throws a TypeError whose cause has the code; browsers have no cause, and tell nothing. TLS and
 * a name that does not exist stay as they are, the rest may pass.
 */
export function networkErrorOf(error: unknown): RequestError {
  const code = codeOf(error);
  const options = { cause: error };
  if (DNS.has(code)) {
    const isPassing = TRANSIENT_DNS.has(code);
    return new RequestError('dns', 'the host name does not resolve', { ...options, isPassing });
  }
  if (TLS.test(code)) return new RequestError('tls', `TLS failed: ${code}`, options);
  if (TIMEOUT.test(code)) {
    return new RequestError('timeout', `the server did not answer: ${code}`, {
      ...options,
      isPassing: true,
    });
  }
  return new RequestError('connect', `the request failed: ${code || String(error)}`, {
    ...options,
    isPassing: true,
  });
}

/** Several addresses tried make an AggregateError: the code of the last is as good as any. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const { code, errors } = (cause ?? {}) as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  const last = Array.isArray(errors)
    ? (errors.at(-1) as { code?: unknown } | undefined)
    : undefined;
  return typeof last?.code === 'string' ? last.code : '';
}
