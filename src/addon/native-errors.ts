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

/** N-API's own codes (`InvalidArg`…) mean that an option has the wrong type. */
export function toTransportError(cause: unknown): TransportError {
  if (cause instanceof TransportError) return cause;
  const error = cause as { code?: unknown; message?: unknown };
  const code = typeof error?.code === 'string' && CODE.test(error.code) ? error.code : 'bad-option';
  return new TransportError(code, String(error?.message ?? cause), { cause });
}
