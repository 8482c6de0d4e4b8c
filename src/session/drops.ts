import { DECODE_STATUS_NAMES } from '../messages/types.js';

/** Refusals of the session layer, counted behind the decode statuses of the registry. */
const FIRST = DECODE_STATUS_NAMES.length;
/** A registered type that did not come in its declared mode and channel. */
export const DROP_WRONG_MODE = FIRST;
/** A message for which the game has no handler. */
export const DROP_UNHANDLED = FIRST + 1;
/** A malformed or unexpected `$` message. */
export const DROP_BAD_CONTROL = FIRST + 2;
/** Unreliable data, or too much data, ahead of $hello. */
export const DROP_BEFORE_HELLO = FIRST + 3;
/** A text frame that is not a message (WebSocket). */
export const DROP_BAD_FRAME = FIRST + 4;

/** Names in the order of the numbers; the statuses `ok` and `runtime` stay 0. */
export const SESSION_DROP_NAMES: readonly string[] = [
  ...DECODE_STATUS_NAMES,
  'message-wrong-mode',
  'message-unhandled',
  'control-malformed',
  'message-before-hello',
  'frame-malformed',
];

/** Counters of one listener or client. */
export class SessionDrops {
  readonly counts = new Float64Array(SESSION_DROP_NAMES.length);

  count(reason: number): void {
    this.counts[reason]++;
  }

  /** Adds the named counts to `into`. */
  addTo(into: Record<string, number>): void {
    for (let i = 2; i < this.counts.length; i++) {
      const name = SESSION_DROP_NAMES[i];
      into[name] = (into[name] ?? 0) + this.counts[i];
    }
  }
}
