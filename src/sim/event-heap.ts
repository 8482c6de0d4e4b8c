import { grownFloat, grownInt } from './grow.js';

/**
 * The agenda of a world: what happens when, earliest first, equal times in the order in which they
 * were scheduled. Three int32 say what: a kind and two operands.
 *
 *   heapTimes, heapEntries:  a heap, four children each (half as deep as with two, and their times lie
 *                            side by side); an entry is a row of kinds, as, bs, orders
 *
 * Invariant: no entry is earlier than its parent; free rows form a list through `as`.
 */
const START_ROWS = 1024;

export class EventHeap {
  /** What `pop` took out. */
  timeUs = 0;
  kind = 0;
  a = 0;
  b = 0;
  size = 0;
  private heapTimes = new Float64Array(START_ROWS);
  private heapEntries = new Int32Array(START_ROWS);
  private kinds = new Int32Array(START_ROWS);
  private as = new Int32Array(START_ROWS);
  private bs = new Int32Array(START_ROWS);
  private orders = new Float64Array(START_ROWS);
  private freeRow = -1;
  private usedRows = 0;
  private nextOrder = 0;

  /** When the next event is due; Infinity without one. */
  get nextUs(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.heapTimes[0];
  }

  push(timeUs: number, kind: number, a: number, b: number): void {
    const row = this.takeRow();
    this.kinds[row] = kind;
    this.as[row] = a;
    this.bs[row] = b;
    this.orders[row] = this.nextOrder;
    this.nextOrder += 1;
    const times = this.heapTimes;
    const entries = this.heapEntries;
    let at = this.size;
    this.size += 1;
    // The newcomer is the last of its equals, so it rises only past later times.
    while (at > 0) {
      const parent = (at - 1) >> 2;
      if (times[parent] <= timeUs) break;
      times[at] = times[parent];
      entries[at] = entries[parent];
      at = parent;
    }
    times[at] = timeUs;
    entries[at] = row;
  }

  /** Takes the earliest event into `timeUs`, `kind`, `a`, `b`; false when there is none. */
  pop(): boolean {
    if (this.size === 0) return false;
    const row = this.heapEntries[0];
    this.timeUs = this.heapTimes[0];
    this.kind = this.kinds[row];
    this.a = this.as[row];
    this.b = this.bs[row];
    this.as[row] = this.freeRow;
    this.freeRow = row;
    this.size -= 1;
    if (this.size > 0) this.sinkLast();
    return true;
  }

  private sinkLast(): void {
    const times = this.heapTimes;
    const entries = this.heapEntries;
    const orders = this.orders;
    const size = this.size;
    const timeUs = times[size];
    const row = entries[size];
    const order = orders[row];
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= size) break;
      const end = first + 4 < size ? first + 4 : size;
      let child = first;
      let least = times[first];
      for (let other = first + 1; other < end; other++) {
        const otherUs = times[other];
        if (
          otherUs < least ||
          (otherUs === least && orders[entries[other]] < orders[entries[child]])
        ) {
          child = other;
          least = otherUs;
        }
      }
      if (least > timeUs || (least === timeUs && orders[entries[child]] > order)) break;
      times[at] = least;
      entries[at] = entries[child];
      at = child;
    }
    times[at] = timeUs;
    entries[at] = row;
  }

  private takeRow(): number {
    const row = this.freeRow;
    if (row >= 0) {
      this.freeRow = this.as[row];
      return row;
    }
    if (this.usedRows === this.kinds.length) this.grow();
    this.usedRows += 1;
    return this.usedRows - 1;
  }

  private grow(): void {
    const rows = this.kinds.length * 2;
    this.heapTimes = grownFloat(this.heapTimes, rows);
    this.orders = grownFloat(this.orders, rows);
    this.heapEntries = grownInt(this.heapEntries, rows);
    this.kinds = grownInt(this.kinds, rows);
    this.as = grownInt(this.as, rows);
    this.bs = grownInt(this.bs, rows);
  }
}
