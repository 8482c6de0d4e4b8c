/**
 * The rings over the shared memory, as JavaScript sees them: one pair, or one for each I/O thread,
 * walked one after the other.
 *
 *   rx   native writes at tail ──▶ rxPoll() walks ──▶ rxRelease() gives back what was walked
 *   tx   txReserve() ──▶ payload written in place ──▶ txCommit() ──▶ published by flush()
 *
 * No call of the hot path allocates: a descriptor becomes plain properties of this object. Nothing
 * of a descriptor is valid after `rxRelease()`. A slot belongs to pair `slot % pairs`.
 */
import {
  ARENA_ALIGN,
  D_ARRIVAL_US,
  D_AUX0,
  D_AUX1,
  D_GENERATION,
  D_KIND,
  D_LENGTH,
  D_OFFSET,
  D_SLOT,
  DESCRIPTOR_INTS,
  HEADROOM_BYTES,
  I_DEADLINE_ARMED,
  I_DEADLINE_US,
  I_MORE,
  I_NOW_US,
  I_TICKS_DUE,
  TAG_BYTES,
} from './layout.js';
import { Ring } from './ring.js';

const AROUND_BYTES = HEADROOM_BYTES + TAG_BYTES;

export class Rings {
  readonly memory: SharedArrayBuffer;
  /** The whole memory; descriptor offsets index it. */
  readonly bytes: Uint8Array;
  readonly view: DataView;

  // The descriptor that rxPoll() moved to.
  kind = 0;
  slot = 0;
  generation = 0;
  offset = 0;
  length = 0;
  /** int32 wrapping microseconds. */
  arrivalUs = 0;
  aux0 = 0;
  aux1 = 0;

  readonly #ints: Int32Array;
  readonly #pairs: Ring[] = [];
  readonly #count: number;
  /** The pair that rxPoll() walks, and how many come after it in this turn. */
  #rx: Ring;
  #rxIndex = 0;
  #rxLeft = 0;
  /** The pair of the last reservation. */
  #tx: Ring;
  #reservedOffset = -1;
  #reservedStart = 0;
  #reservedBytes = 0;
  #wantsRoom = false;

  /** `memory` holds `pairs` equal sections. */
  constructor(memory: SharedArrayBuffer, pairs = 1) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    const ints = new Int32Array(memory);
    this.#ints = ints;
    const section = memory.byteLength / pairs;
    for (let i = 0; i < pairs; i++) this.#pairs.push(new Ring(ints, i * section));
    this.#count = pairs;
    this.#rx = this.#tx = this.#pairs[0];
  }

  /** Time of the last drain: int32 wrapping microseconds. */
  get nowUs(): number {
    return this.#ints[I_NOW_US];
  }

  /** Whether the last drain left datagrams in a socket (a full ring or the turn's limit). */
  get more(): boolean {
    for (let i = 0; i < this.#pairs.length; i++) {
      if (this.#ints[this.#pairs[i].control + I_MORE] !== 0) return true;
    }
    return false;
  }

  /** Ticks that the last drain took off the schedule. */
  get ticksDue(): number {
    return this.#ints[I_TICKS_DUE];
  }

  /** Moves to the next descriptor, if there is one. */
  rxPoll(): boolean {
    let pair = this.#rx;
    while (pair.rxNext === pair.rxTail) {
      if (this.#rxLeft === 0) return false;
      this.#rxLeft--;
      pair = this.#nextPair();
    }
    const next = pair.rxNext;
    const ints = this.#ints;
    const at = pair.rxBase + (next & pair.rxMask) * DESCRIPTOR_INTS;
    this.kind = ints[at + D_KIND];
    this.slot = ints[at + D_SLOT];
    this.generation = ints[at + D_GENERATION];
    this.offset = pair.base + ints[at + D_OFFSET];
    this.length = ints[at + D_LENGTH];
    this.arrivalUs = ints[at + D_ARRIVAL_US];
    this.aux0 = ints[at + D_AUX0];
    this.aux1 = ints[at + D_AUX1];
    pair.rxNext = (next + 1) | 0;
    return true;
  }

  /** Descriptors that rxPoll() would give without changing over to another pair. */
  get rxAhead(): number {
    return (this.#rx.rxTail - this.#rx.rxNext) | 0;
  }

  /** Slot of one of them: 0 is the next. */
  rxSlotAhead(index: number): number {
    const pair = this.#rx;
    const at = pair.rxBase + ((pair.rxNext + index) & pair.rxMask) * DESCRIPTOR_INTS;
    return this.#ints[at + D_SLOT];
  }

  /** Gives back every descriptor polled so far: one atomic for each pair, so once per batch. */
  rxRelease(): void {
    for (let i = 0; i < this.#count; i++) this.#pairs[i].releaseRx();
  }

  /**
   * Offset at which a payload of at most `capacity` bytes for this slot may be written, or -1 when
   * its ring is full (flush, and try again). A reservation without a commit costs nothing.
   */
  txReserve(capacity: number, slot = 0): number {
    const pair = this.#count === 1 ? this.#tx : this.#pairs[slot % this.#count];
    this.#tx = pair;
    const need = (capacity + AROUND_BYTES + (ARENA_ALIGN - 1)) & -ARENA_ALIGN;
    const size = pair.txArenaBytes;
    const used = (pair.txTail - pair.txHead) | 0;
    const at = pair.txArenaTail & (size - 1);
    const start = at + need > size ? (pair.txArenaTail + size - at) | 0 : pair.txArenaTail;
    const held = (start + need - pair.txArenaHead) | 0;
    if (used > pair.txMask || held > size || held < 0) {
      this.#reservedOffset = -1;
      this.#wantsRoom = true;
      return -1;
    }
    this.#reservedStart = start;
    this.#reservedBytes = need;
    this.#reservedOffset = pair.txArena + (start & (size - 1)) + HEADROOM_BYTES;
    return this.#reservedOffset;
  }

  /** Makes a descriptor of the last reservation. It leaves at the next flush. */
  txCommit(kind: number, slot: number, generation: number, length: number): void {
    const offset = this.#reservedOffset;
    const pair = this.#tx;
    if (offset < 0 || length < 0 || length + AROUND_BYTES > this.#reservedBytes) {
      throw new RangeError('txCommit without a reservation that large');
    }
    if (this.#count > 1 && this.#pairs[slot % this.#count] !== pair) {
      throw new RangeError('txCommit to a slot of another pair than was reserved');
    }
    const ints = this.#ints;
    const index = pair.txTail & pair.txMask;
    const at = pair.txBase + index * DESCRIPTOR_INTS;
    ints[at + D_KIND] = kind;
    ints[at + D_SLOT] = slot;
    ints[at + D_GENERATION] = generation;
    ints[at + D_OFFSET] = offset - pair.base;
    ints[at + D_LENGTH] = length;
    const taken = (length + AROUND_BYTES + (ARENA_ALIGN - 1)) & -ARENA_ALIGN;
    pair.txArenaTail = (this.#reservedStart + taken) | 0;
    pair.txArenaEnd[index] = pair.txArenaTail;
    pair.txTail = (pair.txTail + 1) | 0;
    this.#reservedOffset = -1;
  }

  /** Asks for a wake at `us` (int32 wrapping microseconds) at the latest; takes effect at flush. */
  setDeadline(us: number): void {
    this.#ints[I_DEADLINE_US] = us;
    this.#ints[I_DEADLINE_ARMED] = 1;
  }

  clearDeadline(): void {
    this.#ints[I_DEADLINE_ARMED] = 0;
  }

  /** After the native drain: sees what it wrote. Each turn begins with another pair. */
  protected acquireRx(): void {
    for (let i = 0; i < this.#count; i++) this.#pairs[i].acquireRx();
    this.#rxLeft = this.#count - 1;
    if (this.#count > 1) this.#nextPair();
  }

  /** Before the native flush: shows what was committed. */
  protected publishTx(): void {
    for (let i = 0; i < this.#count; i++) this.#pairs[i].publishTx();
  }

  /** After the native flush: takes back what it sent. */
  protected reclaimTx(): void {
    for (let i = 0; i < this.#count; i++) this.#pairs[i].reclaimTx();
  }

  /** Whether a reservation failed since the last call: there is more to send than the rings hold. */
  protected takeWantsRoom(): boolean {
    const wants = this.#wantsRoom;
    this.#wantsRoom = false;
    return wants;
  }

  #nextPair(): Ring {
    this.#rxIndex = (this.#rxIndex + 1) % this.#count;
    this.#rx = this.#pairs[this.#rxIndex];
    return this.#rx;
  }
}
