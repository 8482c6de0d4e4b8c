/**
 * The way down that lets players finish: nobody new, until all have left or the time is over.
 *
 *   start ──all have left──▶ close          at `deadline − FLUSH_MS`: each player leaves as soon as what
 *     └─────deadline───────▶ close          is reliable has been acknowledged
 */
import { assertServerCloseCode, CLOSE_GOING_AWAY, cutReason } from '../session/close-codes.js';
import { number, refuseUnknown } from '../util/option-checks.js';
import type { PlayerEntry } from './player-entry.js';
import type { DrainOptions } from './types.js';

/** The end of the time is for what is reliable and under way; half of it where it is short. */
const FLUSH_MS = 1000;
const KNOWN_DRAIN = new Set(['deadlineMs', 'code', 'reason']);
const DEADLINE_MS = 30_000;
const DEADLINE_MS_MAX = 600_000;

export interface DrainHost {
  /** Everybody who is in, suspended ones too. */
  readonly players: readonly PlayerEntry[];
  /** Closes the server. */
  close(): Promise<void>;
}

export class Drain {
  /** Settles when the server is closed. */
  readonly done: Promise<void>;
  readonly #host: DrainHost;
  readonly #code: number;
  readonly #reason: string;
  #settle: (end: Promise<void>) => void = () => {};
  #isOver = false;
  #endMs = Number.POSITIVE_INFINITY;
  #flushTimer: NodeJS.Timeout | undefined;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(host: DrainHost, code: number, reason: string) {
    this.#host = host;
    this.#code = code;
    this.#reason = reason;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** The time is over in `ms`; a deadline is only ever brought nearer. */
  hasUntil(ms: number): void {
    const endMs = performance.now() + ms;
    if (this.#isOver || endMs >= this.#endMs) return;
    this.#endMs = endMs;
    this.#stopTimers();
    this.#flushTimer = setTimeout(() => this.#flush(), ms - Math.min(FLUSH_MS, ms / 2));
    this.#endTimer = setTimeout(() => void this.#host.close(), ms);
    this.handleLeave();
  }

  /** Somebody has left; a newer connection may be about to take the place. */
  handleLeave(): void {
    queueMicrotask(() => {
      if (this.#host.players.length === 0 && !this.#isOver) void this.#host.close();
    });
  }

  /** The server closes, for whatever reason. */
  handleClosing(end: Promise<void>): void {
    this.#isOver = true;
    this.#stopTimers();
    this.#settle(end);
  }

  #stopTimers(): void {
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#endTimer);
  }

  #flush(): void {
    for (const player of [...this.#host.players]) {
      void player.drained().then(() => player.end(this.#code, this.#reason));
    }
  }
}

/** @throws TransportError bad-option; RangeError a code other than 1000, 1001 or 3000…4999 */
export function readDrainOptions(options: DrainOptions): Required<DrainOptions> {
  refuseUnknown('', options, KNOWN_DRAIN);
  const { deadlineMs = DEADLINE_MS, code = CLOSE_GOING_AWAY, reason = '' } = options;
  assertServerCloseCode(code, reason);
  return {
    deadlineMs: number('deadlineMs', deadlineMs, 0, DEADLINE_MS_MAX),
    code,
    reason: cutReason(reason),
  };
}
