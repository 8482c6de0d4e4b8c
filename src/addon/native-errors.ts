/** Errors of the native module become `TransportError`s. */
import { TransportError } from '../util/errors.js';

const CODE = /^[a-z]+(-[a-z]+)*$/;

/** Runs a native call of the cold surface. */
export function callNative<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw toTransportError(cause);
  }
}

export function toTransportError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const error = cause as { code?: unknown; message?: unknown };
  return new TransportError(codeOf(error?.code), String(error?.message ?? cause), { cause });
}

/** N-API's own codes: a panic is a `GenericFailure`, the others mean an option of the wrong type. */
function codeOf(code: unknown): string {
  if (code === 'GenericFailure') return 'internal-error';
  return typeof code === 'string' && CODE.test(code) ? code : 'bad-option';
}
