/**
 * The secrets that prove the right to resume one session; the server's side.
 *
 * One is good once. The answer that brings its successor may be lost, so both are good until the
 * client has shown that it got the answer.
 */
import { RESUME_TRIES_MAX } from './limits.js';

export class ResumeSecrets {
  readonly #create: () => string;
  #confirmed: string;
  #offered: string | null = null;
  #wrong = 0;

  /** @param create fresh secrets of RESUME_SECRET_BYTES random bytes as base64url */
  constructor(create: () => string) {
    this.#create = create;
    this.#confirmed = create();
  }

  /** For `$hello`. */
  get first(): string {
    return this.#confirmed;
  }

  /** No more tries: nobody resumes this session. */
  get isExhausted(): boolean {
    return this.#wrong >= RESUME_TRIES_MAX;
  }

  /** Whether `secret` is good; a wrong one counts. */
  check(secret: string): boolean {
    if (this.isExhausted) return false;
    const isConfirmed = isEqual(secret, this.#confirmed);
    const isOffered = this.#offered !== null && isEqual(secret, this.#offered);
    if (!isConfirmed && !isOffered) this.#wrong++;
    return isConfirmed || isOffered;
  }

  /** `secret` was used and is right; returns the next one to offer. */
  use(secret: string): string {
    this.#confirmed = secret;
    this.#offered = this.#create();
    return this.#offered;
  }

  /** The client has the offered one; the one before is spent. */
  confirm(): void {
    if (this.#offered === null) return;
    this.#confirmed = this.#offered;
    this.#offered = null;
  }
}

/** Takes as long for a wrong secret of the right length as for the right one. */
function isEqual(given: string, expected: string): boolean {
  if (given.length !== expected.length) return false;
  let difference = 0;
  for (let i = 0; i < expected.length; i++)
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i);
  return difference === 0;
}
