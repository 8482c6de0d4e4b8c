/**
 * What one end has delivered of the other end's reliable messages, per lane.
 *
 * Every reliable message of a link has a number: u32, per lane and direction, from 0. A lane is a
 * channel and a reliable mode (`laneOf`). On UDP the number is RL1's message id widened to 32 bits, on
 * WebSocket the count of frames; so it costs no byte on either wire. When the session moves to another
 * link, `report` tells the peer what it need not send again.
 *
 *        next            next+1 … next+511
 *   ─────┬───────────────┬──────────────────▶ number
 *   all  │ first missing │ bitmap of those delivered ahead of it (reliable-unordered only)
 *
 * Invariant: the bit of `next` itself is never set.
 */
import { SESSION_LANES, SESSION_WINDOW } from './limits.js';
import type { LaneReport } from './report.js';

const BITMAP_WORDS = SESSION_WINDOW >>> 5;
const SLOT_MASK = SESSION_WINDOW - 1;
/** Most players use few lanes, and there may be very many players. */
const FIRST_LANES = 8;

export class ReceiveNumbers {
  /** By lane; what is behind its end is 0. */
  #next = new Uint32Array(FIRST_LANES);
  /** By lane; empty until something came ahead. */
  readonly #ahead: (Uint32Array | undefined)[] = [];

  /** The lowest number of `lane` not delivered yet. */
  next(lane: number): number {
    return lane < this.#next.length ? this.#next[lane] : 0;
  }

  /** Counts one message of a reliable-ordered lane; its number was `next(lane)`. */
  deliverOrdered(lane: number): void {
    this.#reach(lane);
    this.#next[lane]++;
  }

  /**
   * Counts one message of a reliable-unordered lane.
   *
   * @param id16 the low 16 bits of its number, as RL1 carries them
   */
  deliverUnordered(lane: number, id16: number): void {
    const next = this.next(lane);
    const distance = (id16 - next) & 0xffff;
    if (distance >= SESSION_WINDOW) return;
    if (distance > 0) {
      this.#bitmap(lane)[((next + distance) & SLOT_MASK) >>> 5] |= 1 << ((next + distance) & 31);
      return;
    }
    this.#reach(lane);
    this.#advance(lane);
  }

  /** All that was delivered, as the peer is told when the session moves to another link. */
  report(): LaneReport[] {
    const lanes: LaneReport[] = [];
    for (let lane = 0; lane < SESSION_LANES; lane++) {
      const ranges = this.#ranges(lane);
      const next = this.next(lane);
      if (next > 0 || ranges.length > 0) lanes.push([lane, next, ...ranges]);
    }
    return lanes;
  }

  /** What lies ahead of `next`: from, to, from, to … */
  #ranges(lane: number): number[] {
    const ranges: number[] = [];
    const ahead = this.#ahead[lane];
    if (ahead === undefined) return ranges;
    for (let distance = 1; distance <= SESSION_WINDOW; distance++) {
      const number = (this.next(lane) + distance) >>> 0;
      const isSet =
        distance < SESSION_WINDOW &&
        (ahead[(number & SLOT_MASK) >>> 5] & (1 << (number & 31))) !== 0;
      if (isSet !== (ranges.length % 2 === 1)) ranges.push(number);
    }
    return ranges;
  }

  #reach(lane: number): void {
    if (lane < this.#next.length) return;
    const next = new Uint32Array(SESSION_LANES);
    next.set(this.#next);
    this.#next = next;
  }

  #advance(lane: number): void {
    let next = (this.#next[lane] + 1) >>> 0;
    const ahead = this.#ahead[lane];
    if (ahead !== undefined) {
      while ((ahead[(next & SLOT_MASK) >>> 5] & (1 << (next & 31))) !== 0) {
        ahead[(next & SLOT_MASK) >>> 5] &= ~(1 << (next & 31));
        next = (next + 1) >>> 0;
      }
    }
    this.#next[lane] = next;
  }

  #bitmap(lane: number): Uint32Array {
    let bitmap = this.#ahead[lane];
    if (bitmap === undefined) {
      bitmap = new Uint32Array(BITMAP_WORDS);
      this.#ahead[lane] = bitmap;
    }
    return bitmap;
  }
}
