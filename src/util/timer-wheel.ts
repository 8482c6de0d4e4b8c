import { assert } from './assert.js';

const TICK_LOG2 = 10;
const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
const TICK_MASK = (1 << (32 - TICK_LOG2)) - 1;
const NOBODY = -1;
const DUE_LIST = SLOTS;

/** One id: its state and its neighbours in the list. A quarter of a cache line, so one miss. */
const RECORD_LOG2 = 2;
const STATE = 0;
const NEXT = 1;
const PREVIOUS = 2;
const STATE_IDLE = 0;
const STATE_DUE = -1;
/** Above 0 the state is the tick plus one. */
const STATE_TICK = 1;

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
 * Invariant: an id is in exactly the list that its state names; a slot's bit is set iff its list is
 * not empty; a timer never fires before its deadline and at most one tick after it.
 */
export class TimerWheel {
  /** The tick of the earliest occupied slot; a later removal may leave it early. */
  private nextTick = 0;
  private count = 0;
  private cursor: number;
  private readonly heads = new Int32Array(SLOTS + 1).fill(NOBODY);
  private readonly bits = new Int32Array(SLOTS >> 5);
  private readonly records: Int32Array;

  constructor(ids: number, nowUs: number) {
    this.records = new Int32Array(ids << RECORD_LOG2);
    this.cursor = nowUs >>> TICK_LOG2;
  }

  get hasDeadline(): boolean {
    return this.count > 0 || this.heads[DUE_LIST] !== NOBODY;
  }

  /** When the earliest slot comes due, int32 µs. Meaningful while hasDeadline. */
  get deadlineUs(): number {
    return (this.heads[DUE_LIST] === NOBODY ? this.nextTick : this.cursor) << TICK_LOG2;
  }

  /** An empty wheel follows the clock wherever it is. */
  follow(nowUs: number): void {
    if (this.count === 0) {
      this.cursor = nowUs >>> TICK_LOG2;
    }
  }

  /** Makes `id` fire at `deadlineUs` or, if it already stands at an earlier time, at that. */
  scheduleNotLater(id: number, deadlineUs: number): void {
    const tick = ((deadlineUs + (1 << TICK_LOG2) - 1) | 0) >>> TICK_LOG2;
    const state = this.records[(id << RECORD_LOG2) + STATE];
    if (state === STATE_IDLE) {
      this.enter(id, tick);
    } else if (state !== STATE_DUE && tickDistance(tick, state - STATE_TICK) < 0) {
      this.unlink(id);
      this.enter(id, tick);
    }
  }

  cancel(id: number): void {
    if (this.records[(id << RECORD_LOG2) + STATE] !== STATE_IDLE) {
      this.unlink(id);
    }
  }

  /** True when `id` will fire at `deadlineUs`, to the tick, or before; for checks. */
  standsBy(id: number, deadlineUs: number): boolean {
    const state = this.records[(id << RECORD_LOG2) + STATE];
    const tick = ((deadlineUs + (1 << TICK_LOG2) - 1) | 0) >>> TICK_LOG2;
    const overdue = tickDistance(tick, this.cursor) <= 0;
    return state !== STATE_IDLE && (overdue || tickDistance(state - STATE_TICK, tick) <= 0);
  }

  /** An id that is due at `nowUs`, taken out of the wheel; −1 when there is none. Earlier slots first. */
  takeDue(nowUs: number): number {
    if (this.heads[DUE_LIST] === NOBODY) {
      this.advance(nowUs);
    }
    const id = this.heads[DUE_LIST];
    if (id !== NOBODY) {
      this.unlink(id);
    }
    return id;
  }

  /** Moves every slot up to `nowUs` into the due list. */
  private advance(nowUs: number): void {
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

  private enter(id: number, wanted: number): void {
    let tick = wanted;
    const ahead = tickDistance(tick, this.cursor);
    if (ahead <= 0) {
      tick = (this.cursor + 1) & TICK_MASK;
    } else if (ahead > SLOT_MASK) {
      tick = (this.cursor + SLOT_MASK) & TICK_MASK;
    }
    const slot = tick & SLOT_MASK;
    this.records[(id << RECORD_LOG2) + STATE] = tick + STATE_TICK;
    this.link(id, slot);
    this.bits[slot >> 5] |= 1 << (slot & 31);
    this.count += 1;
    if (this.count === 1 || tickDistance(tick, this.nextTick) < 0) {
      this.nextTick = tick;
    }
  }

  private link(id: number, list: number): void {
    const { records, heads } = this;
    const at = id << RECORD_LOG2;
    const head = heads[list];
    records[at + NEXT] = head;
    records[at + PREVIOUS] = NOBODY;
    if (head !== NOBODY) {
      records[(head << RECORD_LOG2) + PREVIOUS] = id;
    }
    heads[list] = id;
  }

  private unlink(id: number): void {
    const { records, heads } = this;
    const at = id << RECORD_LOG2;
    const state = records[at + STATE];
    const next = records[at + NEXT];
    const previous = records[at + PREVIOUS];
    records[at + STATE] = STATE_IDLE;
    if (next !== NOBODY) {
      records[(next << RECORD_LOG2) + PREVIOUS] = previous;
    }
    const slot = (state - STATE_TICK) & SLOT_MASK;
    if (previous !== NOBODY) {
      records[(previous << RECORD_LOG2) + NEXT] = next;
    } else if (state === STATE_DUE) {
      heads[DUE_LIST] = next;
    } else {
      heads[slot] = next;
      if (next === NOBODY) {
        this.bits[slot >> 5] &= ~(1 << (slot & 31));
      }
    }
    this.count -= state === STATE_DUE ? 0 : 1;
  }

  private moveToDue(slot: number): void {
    for (let id = this.heads[slot]; id !== NOBODY; id = this.heads[slot]) {
      this.unlink(id);
      this.records[(id << RECORD_LOG2) + STATE] = STATE_DUE;
      this.link(id, DUE_LIST);
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
      assert(bit === (this.heads[slot] !== NOBODY), 'timer wheel: bit and list agree');
      for (let id = this.heads[slot]; id !== NOBODY; ) {
        const at = id << RECORD_LOG2;
        const tick = this.records[at + STATE] - STATE_TICK;
        assert((tick & SLOT_MASK) === slot, 'timer wheel: an id is where its state says');
        listed += 1;
        id = this.records[at + NEXT];
      }
    }
    assert(listed === this.count, 'timer wheel: the count is the listed ids');
  }
}

/** Signed distance of two 22-bit ticks. */
function tickDistance(a: number, b: number): number {
  return ((a - b) << TICK_LOG2) >> TICK_LOG2;
}
