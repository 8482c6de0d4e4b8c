import { assert } from './assert.js';

const TICK_LOG2 = 10;
const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
const TICK_MASK = (1 << (32 - TICK_LOG2)) - 1;
const NOT_LISTED = -1;
const DUE = SLOTS;

/**
 * One hashed timer wheel for all flows: 1024 slots of 1024 µs, intrusive lists in typed arrays.
 *
 *   slot:   … c   c+1   c+2 … c+1023          c = cursor, the last tick that was served
 *             │    ├─ id ─ id    └─ id
 *
 * An id stands in one slot. A deadline beyond the wheel (1.05 s) waits in the last slot and its
 * owner schedules it again when it fires, so firing is a hint: the owner checks its own deadlines.
 * That also makes it cheap to move a deadline back: leave the id where it is.
 *
 * Invariant: an id is in exactly the list that slotOf names; a slot's bit is set iff its list is
 * not empty; a timer never fires before its deadline and at most one tick after it.
 */
export class TimerWheel {
  /** The tick of the earliest occupied slot; a later removal may leave it early. */
  private nextTick = 0;
  private count = 0;
  private cursor: number;
  private readonly heads = new Int32Array(SLOTS + 1).fill(NOT_LISTED);
  private readonly bits = new Int32Array(SLOTS >> 5);
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly slotOf: Int16Array;
  private readonly ticks: Int32Array;

  constructor(ids: number, nowUs: number) {
    this.next = new Int32Array(ids);
    this.previous = new Int32Array(ids);
    this.slotOf = new Int16Array(ids).fill(NOT_LISTED);
    this.ticks = new Int32Array(ids);
    this.cursor = nowUs >>> TICK_LOG2;
  }

  get hasDeadline(): boolean {
    return this.count > 0 || this.heads[DUE] !== NOT_LISTED;
  }

  /** When the earliest slot comes due, int32 µs. Meaningful while hasDeadline. */
  get deadlineUs(): number {
    return (this.heads[DUE] === NOT_LISTED ? this.nextTick : this.cursor) << TICK_LOG2;
  }

  /** An empty wheel follows the clock wherever it is. */
  follow(nowUs: number): void {
    if (this.count === 0) {
      this.cursor = nowUs >>> TICK_LOG2;
    }
  }

  /** Makes `id` fire at `deadlineUs` or, if it already stands at an earlier time, at that. */
  scheduleNotLater(id: number, deadlineUs: number): void {
    let tick = ((deadlineUs + (1 << TICK_LOG2) - 1) | 0) >>> TICK_LOG2;
    const ahead = tickDistance(tick, this.cursor);
    if (ahead <= 0) {
      tick = (this.cursor + 1) & TICK_MASK;
    } else if (ahead > SLOT_MASK) {
      tick = (this.cursor + SLOT_MASK) & TICK_MASK;
    }
    if (this.slotOf[id] !== NOT_LISTED) {
      if (this.slotOf[id] === DUE || tickDistance(tick, this.ticks[id]) >= 0) {
        return;
      }
      this.unlink(id);
    }
    this.link(id, tick & SLOT_MASK);
    this.ticks[id] = tick;
    if (this.count === 1 || tickDistance(tick, this.nextTick) < 0) {
      this.nextTick = tick;
    }
  }

  cancel(id: number): void {
    if (this.slotOf[id] !== NOT_LISTED) {
      this.unlink(id);
    }
  }

  /** Moves every slot up to `nowUs` into the due list; popDue then yields their ids. */
  advance(nowUs: number): void {
    const nowTick = nowUs >>> TICK_LOG2;
    const distance = tickDistance(nowTick, this.cursor);
    if (distance <= 0) {
      return;
    }
    if (this.count > 0 && tickDistance(this.nextTick, nowTick) > 0) {
      this.cursor = nowTick;
      return;
    }
    const steps = distance > SLOTS ? SLOTS : distance;
    for (let step = 1; step <= steps && this.count > 0; step += 1) {
      const slot = (this.cursor + step) & SLOT_MASK;
      if ((this.bits[slot >> 5] & (1 << (slot & 31))) !== 0) {
        this.moveToDue(slot);
      }
    }
    this.cursor = nowTick;
    this.findNext();
  }

  /** An id that is due, taken out of the wheel; −1 when there is none. */
  popDue(): number {
    const id = this.heads[DUE];
    if (id !== NOT_LISTED) {
      this.unlink(id);
    }
    return id;
  }

  private link(id: number, slot: number): void {
    const head = this.heads[slot];
    this.next[id] = head;
    this.previous[id] = NOT_LISTED;
    if (head !== NOT_LISTED) {
      this.previous[head] = id;
    }
    this.heads[slot] = id;
    this.slotOf[id] = slot;
    if (slot !== DUE) {
      this.bits[slot >> 5] |= 1 << (slot & 31);
      this.count += 1;
    }
  }

  private unlink(id: number): void {
    const slot = this.slotOf[id];
    const next = this.next[id];
    const previous = this.previous[id];
    if (next !== NOT_LISTED) {
      this.previous[next] = previous;
    }
    if (previous !== NOT_LISTED) {
      this.next[previous] = next;
    } else {
      this.heads[slot] = next;
      if (next === NOT_LISTED && slot !== DUE) {
        this.bits[slot >> 5] &= ~(1 << (slot & 31));
      }
    }
    this.slotOf[id] = NOT_LISTED;
    this.count -= slot === DUE ? 0 : 1;
  }

  private moveToDue(slot: number): void {
    for (let id = this.heads[slot]; id !== NOT_LISTED; id = this.heads[slot]) {
      this.unlink(id);
      this.link(id, DUE);
    }
  }

  /** The first occupied slot after the cursor, word by word. */
  private findNext(): void {
    if (this.count === 0) {
      return;
    }
    const from = (this.cursor + 1) & SLOT_MASK;
    const words = this.bits.length;
    let word = from >> 5;
    let masked = this.bits[word] & (-1 << (from & 31));
    for (let step = 0; step <= words; step += 1) {
      if (masked !== 0) {
        const slot = (word << 5) | (31 - Math.clz32(masked & -masked));
        this.nextTick = (this.cursor + 1 + ((slot - from) & SLOT_MASK)) & TICK_MASK;
        return;
      }
      word = (word + 1) % words;
      masked = this.bits[word];
    }
  }

  checkInvariants(): void {
    let listed = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      const bit = (this.bits[slot >> 5] & (1 << (slot & 31))) !== 0;
      assert(bit === (this.heads[slot] !== NOT_LISTED), 'timer wheel: bit and list agree');
      for (let id = this.heads[slot]; id !== NOT_LISTED; id = this.next[id]) {
        assert(this.slotOf[id] === slot, 'timer wheel: an id is where slotOf says');
        listed += 1;
      }
    }
    assert(listed === this.count, 'timer wheel: the count is the listed ids');
  }
}

/** Signed distance of two 22-bit ticks. */
function tickDistance(a: number, b: number): number {
  return ((a - b) << TICK_LOG2) >> TICK_LOG2;
}
