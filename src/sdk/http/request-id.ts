/** 16 random bytes in lower-case hex: one for each logical call, the same in all its attempts. */
export function createRequestId(): string {
  return randomHex(16);
}

/** Of the platform's cryptographic source. */
export function randomHex(bytes: number): string {
  let text = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) {
    text += byte.toString(16).padStart(2, '0');
  }
  return text;
}
