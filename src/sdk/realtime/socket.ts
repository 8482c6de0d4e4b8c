/** A WebSocket of the realtime API with one face: `ws` in Node, the global WebSocket in browsers. */

export interface RealtimeSocketEvents {
  /** Null: a binary frame, which the protocol does not have. */
  onText(text: string | null): void;
  /** Once, after everything else. 1006: no close frame came. */
  onClose(code: number, reason: string): void;
}

export interface RealtimeSocket {
  /** Events begin here; what came earlier follows first. */
  start(events: RealtimeSocketEvents): void;
  close(code: number, reason: string): void;
  /** Without waiting for the peer; `onClose` follows. */
  terminate(): void;
  /** Reads no more until `resume`. Browsers cannot: there it does nothing. */
  pause(): void;
  resume(): void;
}

/** RFC 6455 §7.4.1. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_ABNORMAL = 1006;
export const CLOSE_TOO_BIG = 1009;

/** Keeps what comes before `start`. */
export class EventBuffer implements RealtimeSocketEvents {
  #events: RealtimeSocketEvents | null = null;
  #early: ((events: RealtimeSocketEvents) => void)[] = [];
  #isClosed = false;

  start(events: RealtimeSocketEvents): void {
    this.#events = events;
    for (const deliver of this.#early.splice(0)) deliver(events);
  }

  onText(text: string | null): void {
    if (!this.#isClosed) this.#deliver((events) => events.onText(text));
  }

  onClose(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deliver((events) => events.onClose(code, reason));
  }

  #deliver(deliver: (events: RealtimeSocketEvents) => void): void {
    if (this.#events === null) this.#early.push(deliver);
    else deliver(this.#events);
  }
}
