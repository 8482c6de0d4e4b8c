/** What both ends of a session do with close codes and reasons. */
import {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_LINK_LOST,
  CLOSE_NORMAL,
} from '../util/close-codes.js';
import { badOption } from '../util/errors.js';
import type { CloseInfo } from './types.js';

export * from '../util/close-codes.js';

/** RFC 6455 §7.1.5: the event's code when the peer's close frame had none. */
const CLOSE_NO_STATUS = 1005;

/** What the 'close' event of a WebSocket tells. */
export function closeInfoOf(code: number, reason: string): CloseInfo {
  if (code === CLOSE_LINK_LOST) return { code: CLOSE_ABNORMAL, reason, wasClean: false };
  return {
    code: code === CLOSE_NO_STATUS ? CLOSE_NORMAL : code,
    reason,
    wasClean: code !== CLOSE_ABNORMAL,
  };
}

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

/** As assertApplicationCloseCode, for what a server may close everything with: 1001, too. */
export function assertServerCloseCode(code: number, reason: string): void {
  if (code === CLOSE_GOING_AWAY) assertApplicationCloseCode(CLOSE_NORMAL, reason);
  else assertApplicationCloseCode(code, reason, '1000, 1001');
}

/**
 * A code that an application may pass to `close`: 1000 or 3000–4999, as in the WebSocket API, but
 * not 4006, which ends nothing; and a reason. Before anything has begun to close.
 *
 * @throws RangeError the code; TransportError bad-option the reason
 */
export function assertApplicationCloseCode(code: number, reason: string, named = '1000'): void {
  if (typeof reason !== 'string') throw badOption('reason', reason, 'a string');
  if (code === CLOSE_LINK_LOST) throw new RangeError(`ggscale: close code ${code} is reserved`);
  if (code === CLOSE_NORMAL || (Number.isInteger(code) && code >= 3000 && code <= 4999)) return;
  throw new RangeError(`ggscale: close code ${code} is not ${named} or in 3000…4999`);
}
