/**
 * Close codes are those of WebSocket (RFC 6455 §7.4.1) on both wires: RL1 CLOSE carries the same
 * u16. 4000–4999 are this runtime's own.
 */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_PROTOCOL_ERROR = 1002;
/** Reported, never sent: the peer vanished. */
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_POLICY_VIOLATION = 1008;
export const CLOSE_TOO_BIG = 1009;
export const CLOSE_INTERNAL_ERROR = 1011;
export const CLOSE_TRY_AGAIN_LATER = 1013;
/** Both ends registered the same type id with another layout. */
export const CLOSE_SCHEMA_MISMATCH = 4001;
/** `verifySession` no longer accepts the player. */
export const CLOSE_REVOKED = 4003;

/** Bytes of UTF-8 in a close reason: what RL1's CLOSE carries; a WebSocket takes 123. */
const REASON_BYTES_MAX = 64;

/**
 * The reason as both wires can carry it: cut at 64 B of UTF-8, between characters, because a peer
 * refuses a goodbye that is not UTF-8.
 */
export function cutReason(reason: string): string {
  if (reason.length * 3 <= REASON_BYTES_MAX) return reason;
  let bytes = 0;
  let end = 0;
  for (const char of reason) {
    const point = char.codePointAt(0) as number;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (bytes > REASON_BYTES_MAX) break;
    end += char.length;
  }
  return reason.slice(0, end);
}

/** A code that a server may close everything with: an application's, or 1001. Else RangeError. */
export function assertServerCloseCode(code: number): void {
  if (code !== CLOSE_GOING_AWAY) assertApplicationCloseCode(code);
}

/**
 * A code that an application may pass to `close`: 1000 or 3000–4999, as in the WebSocket API.
 * Throws RangeError otherwise.
 */
export function assertApplicationCloseCode(code: number): void {
  if (code === CLOSE_NORMAL || (Number.isInteger(code) && code >= 3000 && code <= 4999)) return;
  throw new RangeError(`ggscale: close code ${code} is not 1000 or in 3000…4999`);
}
