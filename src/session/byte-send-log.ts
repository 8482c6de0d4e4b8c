/**
 * Reliable messages this end has sent over UDP and the peer's session has not acknowledged, oldest
 * first. They are kept so that a session can move to another connection without losing one.
 *
 *   head                       sent              tail
 *    │ ch0 #7 │ freed │ ch0 #8 │ ch0 #9 │ ch2 #0 │   entries: Int32 × 5 (lane, number, length, offset,
 *    │                         │                     receipt or 0)
 *    │                         └─ not handed to the link yet: it came from another link, or the link
 *    │                            has no room, or there is none
 *    └─ popped once its number is below the peer's cumulative acknowledgement of its lane
 *
 * Bodies (registry-encoded: varint type id ‖ body) lie in one byte ring in the same order.
 *
 * Invariant: bytesHeld is the sum of the live entries; per lane, numbers rise from head to tail;
 * head ≤ sent ≤ tail, and nothing from `sent` on is freed.
 */
import { copyBytes } from '../util/copy-bytes.js';
import { logBytesMax, SESSION_LANES, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';
import type { LaneReport } from './report.js';

const FIELDS = 5;
const LANE = 0;
const NUMBER = 1;
const LENGTH = 2;
const OFFSET = 3;
const RECEIPT = 4;
const FREED = -1;
/** Most players have few messages unacknowledged, on few lanes, and there may be very many players. */
const FIRST_ENTRIES = 4;
const FIRST_BYTES = 256;
const FIRST_LANES = 4;
/** Words of a lane: the number that its next message gets; how many are held. */
const LANE_WORDS = 2;
const NEXT = 0;
const HELD = 1;

export type LogVisitor = (
  lane: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  receipt: number,
  isSent: boolean,
) => void;

export class ByteSendLog {
  /** Bytes of live entries. */
  bytesHeld = 0;
  #entries = new Int32Array(0);
  #mask = -1;
  #head = 0;
  #tail = 0;
  /** The first entry that the link has not got. */
  #sent = 0;
  #bytes = new Uint8Array(0);
  #write = 0;
  #lanes = new Uint32Array(FIRST_LANES * LANE_WORDS);
  /** Set while a report is applied. */
  #onReceipt: ((receipt: number) => void) | null = null;

  /** See RuntimeHandler.touch: where the next message goes. */
  touch(): number {
    const entry = (this.#tail & this.#mask) * FIELDS;
    const byte = this.#write & (this.#bytes.length - 1);
    return this.#lanes[NEXT] + this.#entries[entry] + this.#bytes[byte];
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  /** Bytes of the tables themselves. */
  get capacityBytes(): number {
    return this.#bytes.length + this.#entries.byteLength + this.#lanes.byteLength;
  }

  /** The number that the next message of `lane` gets. */
  nextNumber(lane: number): number {
    return this.#lanes[this.#laneAt(lane) + NEXT];
  }

  /** Whether a message of `length` bytes on `lane` may be accepted now. */
  hasRoom(lane: number, length: number): boolean {
    if (this.#lanes[this.#laneAt(lane) + HELD] >= SESSION_WINDOW) return false;
    return this.bytesHeld === 0 || this.bytesHeld + length <= logBytesMax(length);
  }

  /** Half of what a message of `lane` could meet is free. */
  isHalfEmpty(lane: number): boolean {
    const held = this.#lanes[this.#laneAt(lane) + HELD];
    return held * 2 <= SESSION_WINDOW && this.bytesHeld * 2 <= SESSION_LOG_BYTES_MAX;
  }

  /** Copies a message that the link has just got; nothing before it is unsent. Returns its number. */
  push(lane: number, bytes: Uint8Array, offset: number, length: number, receipt = 0): number {
    const number = this.append(lane, bytes, offset, length, receipt);
    this.#sent = this.#tail;
    return number;
  }

  /** Copies a message that the link gets later; returns its number. */
  append(lane: number, bytes: Uint8Array, offset: number, length: number, receipt = 0): number {
    let to = this.#tail - this.#head > this.#mask ? -1 : this.#reserve(length);
    if (to < 0) {
      this.#rebuild(length);
      to = this.#reserve(length);
    }
    copyBytes(bytes, offset, this.#bytes, to, length);
    const at = (this.#tail++ & this.#mask) * FIELDS;
    const lanes = this.#laneAt(lane);
    const number = this.#lanes[lanes + NEXT];
    this.#entries[at + LANE] = lane;
    this.#entries[at + NUMBER] = number | 0;
    this.#entries[at + LENGTH] = length;
    this.#entries[at + OFFSET] = to;
    this.#entries[at + RECEIPT] = receipt;
    this.#lanes[lanes + NEXT]++;
    this.#lanes[lanes + HELD]++;
    this.bytesHeld += length;
    return number;
  }

  /**
   * The peer's session has delivered every number of `lane` below `next`. An old
   * acknowledgement is no news. Returns false for one of numbers never sent: a violation.
   */
  acknowledge(lane: number, next: number): boolean {
    if (lane >= SESSION_LANES) return false;
    const lanes = this.#laneAt(lane);
    const held = this.#lanes[lanes + HELD];
    const outstanding = (this.#lanes[lanes + NEXT] - next) >>> 0;
    if (outstanding > held) return outstanding < 0x80000000;
    let release = held - outstanding;
    for (let i = this.#head; release > 0; i++) {
      if (i === this.#sent) return false;
      if (this.#field(i, LANE) !== lane) continue;
      this.#release(i, lane);
      release--;
    }
    this.#popFreed();
    return true;
  }

  /**
   * The last word of a link's peer: what it delivered. False when it names what was never sent.
   *
   * @param onReceipt receipts of what is freed
   */
  applyReport(lanes: readonly LaneReport[], onReceipt: (receipt: number) => void): boolean {
    this.#onReceipt = onReceipt;
    const isFine = this.#apply(lanes);
    this.#onReceipt = null;
    return isFine;
  }

  #apply(lanes: readonly LaneReport[]): boolean {
    for (const [lane, next, ...ranges] of lanes) {
      if (!this.acknowledge(lane, next)) return false;
      for (let i = 0; i < ranges.length; i += 2) {
        if (!this.#releaseRange(lane, ranges[i], ranges[i + 1])) return false;
      }
    }
    this.#popFreed();
    return true;
  }

  /** Whether something waits for the link. */
  get hasUnsent(): boolean {
    return this.#sent !== this.#tail;
  }

  /** Of the first unsent message. Its body is at `unsentOffset` of `bytes`. */
  get unsentLane(): number {
    return this.#field(this.#sent, LANE);
  }

  get unsentOffset(): number {
    return this.#field(this.#sent, OFFSET);
  }

  get unsentLength(): number {
    return this.#field(this.#sent, LENGTH);
  }

  get unsentReceipt(): number {
    return this.#field(this.#sent, RECEIPT);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The link has got the first unsent message. */
  markSent(): void {
    this.#sent++;
  }

  /** Every message held, sent or not, in the order of `send`. */
  forEach(visit: LogVisitor): void {
    for (let i = this.#head; i !== this.#tail; i++) {
      const lane = this.#field(i, LANE);
      if (lane === FREED) continue;
      const receipt = this.#field(i, RECEIPT);
      visit(
        lane,
        this.#bytes,
        this.#field(i, OFFSET),
        this.#field(i, LENGTH),
        receipt,
        i < this.#sent,
      );
    }
  }

  /** Frees the numbers [from, to) of a lane, all of them sent and held. */
  #releaseRange(lane: number, from: number, to: number): boolean {
    let wanted = (to - from) >>> 0;
    for (let i = this.#head; i !== this.#sent && wanted > 0; i++) {
      if (this.#field(i, LANE) !== lane) continue;
      if ((this.#field(i, NUMBER) - from) >>> 0 >= (to - from) >>> 0) continue;
      this.#release(i, lane);
      wanted--;
    }
    return wanted === 0;
  }

  #release(index: number, lane: number): void {
    const at = (index & this.#mask) * FIELDS;
    this.#entries[at + LANE] = FREED;
    this.bytesHeld -= this.#entries[at + LENGTH];
    this.#lanes[this.#laneAt(lane) + HELD]--;
    if (this.#onReceipt !== null && this.#entries[at + RECEIPT] !== 0) {
      this.#onReceipt(this.#entries[at + RECEIPT]);
    }
  }

  /** Where the words of a lane begin. */
  #laneAt(lane: number): number {
    const at = lane * LANE_WORDS;
    if (at >= this.#lanes.length) {
      const lanes = new Uint32Array(SESSION_LANES * LANE_WORDS);
      lanes.set(this.#lanes);
      this.#lanes = lanes;
    }
    return at;
  }

  #popFreed(): void {
    while (this.#head !== this.#tail && this.#field(this.#head, LANE) === FREED) this.#head++;
  }

  /** Offset of `length` contiguous bytes, or -1 when the ring has no such room. */
  #reserve(length: number): number {
    if (this.isEmpty) this.#write = 0;
    const start = this.isEmpty ? 0 : this.#field(this.#head, OFFSET);
    const isWrapped = !this.isEmpty && this.#write <= start;
    const end = isWrapped ? start : this.#bytes.length;
    let at = this.#write;
    if (end - at < length) {
      if (isWrapped || this.isEmpty || start <= length) return -1;
      at = 0;
    }
    this.#write = at + length;
    return at;
  }

  /**
   * Moves the live entries into tables of twice their size. Released entries behind a lane that
   * is never acknowledged go away here, so the tables are bounded by the live ones.
   */
  #rebuild(lengthWanted: number): void {
    let live = 0;
    for (let i = this.#head; i !== this.#tail; i++) {
      if (this.#field(i, LANE) !== FREED) live++;
    }
    let capacity = FIRST_ENTRIES;
    while (capacity < (live + 1) * 2) capacity *= 2;
    let byteCapacity = FIRST_BYTES;
    while (byteCapacity < (this.bytesHeld + lengthWanted) * 2) byteCapacity *= 2;
    const entries = new Int32Array(capacity * FIELDS);
    const bytes = new Uint8Array(byteCapacity);
    let count = 0;
    let write = 0;
    let sent = 0;
    for (let i = this.#head; i !== this.#tail; i++) {
      if (i === this.#sent) sent = count;
      if (this.#field(i, LANE) === FREED) continue;
      const length = this.#field(i, LENGTH);
      const at = (i & this.#mask) * FIELDS;
      entries.set(this.#entries.subarray(at, at + FIELDS), count * FIELDS);
      entries[count * FIELDS + OFFSET] = write;
      copyBytes(this.#bytes, this.#field(i, OFFSET), bytes, write, length);
      write += length;
      count++;
    }
    this.#sent = this.#sent === this.#tail ? count : sent;
    this.#entries = entries;
    this.#mask = capacity - 1;
    this.#head = 0;
    this.#tail = count;
    this.#bytes = bytes;
    this.#write = write;
  }

  #field(index: number, field: number): number {
    return this.#entries[(index & this.#mask) * FIELDS + field];
  }

  /** Throws when the books do not balance. For tests and the simulator. */
  checkInvariants(): void {
    let bytes = 0;
    const last = new Float64Array(SESSION_LANES).fill(-1);
    if (this.#sent - this.#head > this.#tail - this.#head) throw new Error('sent past the tail');
    for (let i = this.#head; i !== this.#tail; i++) {
      const lane = this.#field(i, LANE);
      if (lane === FREED && i >= this.#sent) throw new Error('freed before it was sent');
      if (lane === FREED) continue;
      bytes += this.#field(i, LENGTH);
      const number = this.#field(i, NUMBER) >>> 0;
      if (number <= last[lane]) throw new Error(`lane ${lane}: numbers do not rise`);
      last[lane] = number;
    }
    if (bytes !== this.bytesHeld) throw new Error(`held ${this.bytesHeld}, counted ${bytes}`);
  }
}
