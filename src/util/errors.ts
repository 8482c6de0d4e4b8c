/** One error class for the whole package: programs look at `code`, people read `message`. */

/**
 * A refused call or a failed connection. `code` is kebab-case and stable, for example
 * `address-in-use`, `bad-token`, `addon-missing`; `cause` is the error underneath, if any.
 */
export class TransportError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}

/** The refusal of an option: its name, the value, and what is accepted. Never for secrets. */
export function badOption(name: string, value: unknown, accepted: string): TransportError {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const shown = isNumber ? String(value) : JSON.stringify(value);
  return new TransportError('bad-option', `ggscale: ${name} is ${shown}, accepted: ${accepted}`);
}
