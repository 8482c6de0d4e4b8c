import { createHash, timingSafeEqual } from 'node:crypto';

/** Admits requests by `Authorization: Bearer`; the time it takes does not tell how much was right. */
export class BearerGate {
  /** Of the bearer; null: everybody is admitted. */
  readonly #digest: Buffer | null;

  constructor(bearer: string | null) {
    this.#digest = bearer === null ? null : digestOf(bearer);
  }

  /** @param authorization the header's value, if there is one */
  admits(authorization: string | undefined): boolean {
    if (this.#digest === null) return true;
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digestOf(given), this.#digest);
  }
}

/** All digests have one length, as timingSafeEqual wants it. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
