/**
 * Flows that were closed and still owe their peer something:
 *
 *   closeFlow ──▶ waiting ──all acknowledged, or out of patience──▶ CLOSE, disconnect
 *
 * So what was sent before a close arrives, as it does on a stream. Nothing is sent on such a flow any
 * more, and nobody hears what comes on it.
 */
import { timeReached } from '../util/time.js';

/** As long as a client waits in `close`. The peer may be gone. */
export const GOODBYE_PATIENCE_US = 2_000_000;

export interface Goodbye {
  readonly slot: number;
  readonly code: number;
  /** UTF-8, at most 64 B. */
  readonly reason: Uint8Array;
  readonly deadlineUs: number;
}

export class Goodbyes {
  /** By slot, the oldest first: all have the same patience. */
  readonly #waiting = new Map<number, Goodbye>();
  #watchers: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** When the first one runs out of patience; int32 wrapping µs. Only when not empty. */
  get deadlineUs(): number {
    return (this.#waiting.values().next().value as Goodbye).deadlineUs;
  }

  add(slot: number, code: number, reason: Uint8Array, nowUs: number): void {
    const deadlineUs = (nowUs + GOODBYE_PATIENCE_US) | 0;
    this.#waiting.set(slot, { slot, code, reason, deadlineUs });
  }

  /** The flow ended otherwise. */
  remove(slot: number): void {
    this.#waiting.delete(slot);
  }

  /** Takes out what is to be said now. */
  takeDue(nowUs: number, owes: (slot: number) => boolean): Goodbye[] {
    const due = [...this.#waiting.values()].filter(({ slot, deadlineUs }) => {
      return timeReached(nowUs, deadlineUs) || !owes(slot);
    });
    for (const { slot } of due) this.#waiting.delete(slot);
    return due;
  }

  takeAll(): Goodbye[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    return all;
  }

  /** Resolves when none waits. */
  said(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  /** Call at the end of a turn. */
  tellIfSaid(): void {
    if (this.#watchers.length === 0 || !this.isEmpty) return;
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}
