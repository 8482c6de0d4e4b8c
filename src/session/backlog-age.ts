/** Marks lie so far apart at least … */
const MARK_INTERVAL_MS = 4;
/** … and by this share of the age then, so that a minute's wait has some hundred of them. */
const MARK_SHARE = 1 / 16;

/**
 * How long the oldest of what waits in a socket has waited, from what a sender sees anyway: how much
 * waits before each message. While nothing waits it keeps no record and asks no clock.
 *
 * A mark says that what lies behind a position was not handed over before a time; positions count from
 * when something was first seen waiting. What waited then is taken to have come then.
 */
export class BacklogAge {
  #handed = 0;
  #positions: number[] = [];
  #times: number[] = [];

  /** `length` more is about to be handed to a socket in which `backlog` waits. */
  note(backlog: number, length: number, nowMs: () => number): void {
    if (backlog === 0) {
      if (this.#positions.length > 0) this.#clear();
      return;
    }
    const now = nowMs();
    if (this.#positions.length === 0) this.#begin(backlog, now);
    else if (this.#isMarkDue(now)) this.#mark(now);
    this.#handed += length;
    this.#forget(this.#handed - length - backlog);
  }

  /** Milliseconds, right to within the distance of marks and messages; 0 when nothing waits. */
  ageMs(backlog: number, nowMs: number): number {
    if (backlog === 0) return 0;
    if (this.#positions.length === 0) this.#begin(backlog, nowMs);
    this.#forget(this.#handed - backlog);
    return nowMs - this.#times[0];
  }

  #begin(backlog: number, nowMs: number): void {
    this.#handed = backlog;
    this.#mark(nowMs);
  }

  #isMarkDue(nowMs: number): boolean {
    const sinceMs = nowMs - this.#times[this.#times.length - 1];
    return sinceMs >= Math.max(MARK_INTERVAL_MS, (nowMs - this.#times[0]) * MARK_SHARE);
  }

  #mark(nowMs: number): void {
    this.#positions.push(this.#handed);
    this.#times.push(nowMs);
  }

  /** Everything up to a position has left: the last mark at or before it tells when the rest came. */
  #forget(left: number): void {
    let gone = 0;
    while (gone + 1 < this.#positions.length && this.#positions[gone + 1] <= left) gone++;
    if (gone === 0) return;
    this.#positions.splice(0, gone);
    this.#times.splice(0, gone);
  }

  #clear(): void {
    this.#positions = [];
    this.#times = [];
  }
}
