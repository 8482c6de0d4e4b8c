/**
 * What one end has delivered of the other end's reliable messages, per lane.
 *
 * Every reliable message of a session has a number: u32, per lane and direction, from 0. A
 * lane is a channel and a reliable mode (`laneOf`). On UDP the number is RL1's message id widened to 32 bits, on WebSocket the count of frames; so it costs no byte
 * on either wire. A resumed session continues from `next(lane)`: nothing lost, nothing doubled.
 *
 *        next            next+1 … next+511
 *   ─────┬───────────────┬──────────────────▶ number
 *   all  │ first missing │ bitmap of those delivered ahead of it (reliable-unordered only)
 *
 * Invariant: the bit of `next` itself is never set.
 */
import { SESSION_LANES, SESSION_WINDOW } from './limits.js';

const BITMAP_WORDS = SESSION_WINDOW >>> 5;
const SLOT_MASK = SESSION_WINDOW - 1;

export class ReceiveNumbers {
  readonly #next = new Uint32Array(SESSION_LANES);
  readonly #ahead: (Uint32Array | null)[] = new Array(SESSION_LANES).fill(null);

  /** The lowest number of `lane` not delivered yet. */
  next(lane: number): number {
    return this.#next[lane];
  }

  /** Counts one message of a reliable-ordered lane; its number was `next(lane)`. */
  deliverOrdered(lane: number): void {
    this.#next[lane]++;
  }

  /**
   * Counts one message of a reliable-unordered lane.
   *
   * @param id16 the low 16 bits of its number, as RL1 carries them
   */
  deliverUnordered(lane: number, id16: number): void {
    const next = this.#next[lane];
    const distance = (id16 - next) & 0xffff;
    if (distance >= SESSION_WINDOW) return;
    if (distance > 0) {
      this.#bitmap(lane)[((next + distance) & SLOT_MASK) >>> 5] |= 1 << ((next + distance) & 31);
      return;
    }
    this.#advance(lane);
  }

  #advance(lane: number): void {
    let next = (this.#next[lane] + 1) >>> 0;
    const ahead = this.#ahead[lane];
    if (ahead !== null) {
      while ((ahead[(next & SLOT_MASK) >>> 5] & (1 << (next & 31))) !== 0) {
        ahead[(next & SLOT_MASK) >>> 5] &= ~(1 << (next & 31));
        next = (next + 1) >>> 0;
      }
    }
    this.#next[lane] = next;
  }

  #bitmap(lane: number): Uint32Array {
    let bitmap = this.#ahead[lane];
    if (bitmap === null) {
      bitmap = new Uint32Array(BITMAP_WORDS);
      this.#ahead[lane] = bitmap;
    }
    return bitmap;
  }
}
