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

/** A failure that the reader can do something about: `message` is `what`, a colon and the way out. */
export class AdvisedError extends TransportError {
  readonly what: string;

  constructor(code: string, what: string, wayOut: string, options?: { cause?: unknown }) {
    super(code, `${what}: ${wayOut}`, options);
    this.what = what;
  }
}

/** The refusal of an option: its name, the value, and what is accepted. Never for secrets. */
export function badOption(name: string, value: unknown, accepted: string): TransportError {
  return new TransportError(
    'bad-option',
    `ggscale: ${name} is ${shownValue(value)}, accepted: ${accepted}`,
  );
}

const SHOWN_CHARS_MAX = 120;

/** A value as an error message shows it: JSON where there is any, cut when it is long. */
function shownValue(value: unknown): string {
  let text: string | undefined;
  try {
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    text = isNumber ? String(value) : JSON.stringify(value);
  } catch {
    // a cycle, or a bigint inside
  }
  text ??= typeof value;
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}
