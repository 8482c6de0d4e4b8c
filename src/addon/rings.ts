/**
 * Both rings over the shared memory, as JavaScript sees them.
 *
 *   rx   native writes at tail ──▶ rxPoll() walks ──▶ rxRelease() gives back what was walked
 *   tx   txReserve() ──▶ payload written in place ──▶ txCommit() ──▶ published by flush()
 *
 * No call of the hot path allocates: a descriptor becomes plain properties of this object. Nothing
 * of a descriptor is valid after `rxRelease()`.
 *
 * Invariant: `txTail - txHead ≤ capacity`, `txArenaTail - txArenaHead ≤ arena bytes` (wrapping), and
 * an allocation never wraps around the end of its arena.
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
  I_RX_CAPACITY,
  I_RX_DESCRIPTORS,
  I_RX_HEAD,
  I_RX_SLEEPING,
  I_RX_TAIL,
  I_TICKS_DUE,
  I_TX_ARENA,
  I_TX_ARENA_BYTES,
  I_TX_CAPACITY,
  I_TX_DESCRIPTORS,
  I_TX_HEAD,
  I_TX_SLEEPING,
  I_TX_TAIL,
  NEWS_ENTRIES,
  NEWS_ROOM,
  TAG_BYTES,
} from './layout.js';

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
  readonly #rxBase: number;
  readonly #rxMask: number;
  readonly #txBase: number;
  readonly #txMask: number;
  readonly #txArena: number;
  readonly #txArenaBytes: number;
  /** Where the arena continues after each tx descriptor: what releasing it frees. */
  readonly #txArenaEnd: Int32Array;
  #rxNext = 0;
  #rxReleased = 0;
  #rxTail = 0;
  #txTail = 0;
  #txPublished = 0;
  #txHead = 0;
  #txArenaTail = 0;
  #txArenaHead = 0;
  #reservedOffset = -1;
  #reservedStart = 0;
  #reservedBytes = 0;
  /** What the native side was told of: #txPublished and #rxReleased at the last mustRingTx(). */
  #toldTail = 0;
  #toldHead = 0;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
    const ints = new Int32Array(memory);
    this.#ints = ints;
    this.#rxBase = ints[I_RX_DESCRIPTORS] >> 2;
    this.#rxMask = ints[I_RX_CAPACITY] - 1;
    this.#txBase = ints[I_TX_DESCRIPTORS] >> 2;
    this.#txMask = ints[I_TX_CAPACITY] - 1;
    this.#txArena = ints[I_TX_ARENA];
    this.#txArenaBytes = ints[I_TX_ARENA_BYTES];
    this.#txArenaEnd = new Int32Array(ints[I_TX_CAPACITY]);
    const rxFirst = ints[I_RX_HEAD];
    this.#rxNext = this.#rxReleased = this.#rxTail = this.#toldHead = rxFirst;
    const txFirst = ints[I_TX_HEAD];
    this.#txTail = this.#txPublished = this.#txHead = this.#toldTail = txFirst;
    this.#txArenaTail = this.#txArenaHead = txFirst & -ARENA_ALIGN;
  }

  /** Time of the last drain: int32 wrapping microseconds. */
  get nowUs(): number {
    return this.#ints[I_NOW_US];
  }

  /** Whether the last drain left datagrams in the socket (a full ring or the turn's limit). */
  get more(): boolean {
    return this.#ints[I_MORE] !== 0;
  }

  /** Ticks that the last drain took off the schedule. */
  get ticksDue(): number {
    return this.#ints[I_TICKS_DUE];
  }

  /** Moves to the next descriptor, if there is one. */
  rxPoll(): boolean {
    const next = this.#rxNext;
    if (next === this.#rxTail) return false;
    const ints = this.#ints;
    const at = this.#rxBase + (next & this.#rxMask) * DESCRIPTOR_INTS;
    this.kind = ints[at + D_KIND];
    this.slot = ints[at + D_SLOT];
    this.generation = ints[at + D_GENERATION];
    this.offset = ints[at + D_OFFSET];
    this.length = ints[at + D_LENGTH];
    this.arrivalUs = ints[at + D_ARRIVAL_US];
    this.aux0 = ints[at + D_AUX0];
    this.aux1 = ints[at + D_AUX1];
    this.#rxNext = (next + 1) | 0;
    return true;
  }

  /** Gives back every descriptor polled so far: one atomic, so once per batch. */
  rxRelease(): void {
    if (this.#rxReleased === this.#rxNext) return;
    this.#rxReleased = this.#rxNext;
    Atomics.store(this.#ints, I_RX_HEAD, this.#rxNext);
  }

  /**
   * Offset at which a payload of at most `capacity` bytes may be written, or -1 when the ring is
   * full (flush, and try again). A reservation without a commit costs nothing.
   */
  txReserve(capacity: number): number {
    const need = (capacity + AROUND_BYTES + (ARENA_ALIGN - 1)) & -ARENA_ALIGN;
    const size = this.#txArenaBytes;
    const used = (this.#txTail - this.#txHead) | 0;
    const at = this.#txArenaTail & (size - 1);
    const start = at + need > size ? (this.#txArenaTail + size - at) | 0 : this.#txArenaTail;
    const held = (start + need - this.#txArenaHead) | 0;
    if (used > this.#txMask || held > size || held < 0) {
      this.#reservedOffset = -1;
      return -1;
    }
    this.#reservedStart = start;
    this.#reservedBytes = need;
    this.#reservedOffset = this.#txArena + (start & (size - 1)) + HEADROOM_BYTES;
    return this.#reservedOffset;
  }

  /** Makes a descriptor of the last reservation. It leaves at the next flush. */
  txCommit(kind: number, slot: number, generation: number, length: number): void {
    const offset = this.#reservedOffset;
    if (offset < 0 || length < 0 || length + AROUND_BYTES > this.#reservedBytes) {
      throw new RangeError('txCommit without a reservation that large');
    }
    const ints = this.#ints;
    const index = this.#txTail & this.#txMask;
    const at = this.#txBase + index * DESCRIPTOR_INTS;
    ints[at + D_KIND] = kind;
    ints[at + D_SLOT] = slot;
    ints[at + D_GENERATION] = generation;
    ints[at + D_OFFSET] = offset;
    ints[at + D_LENGTH] = length;
    const taken = (length + AROUND_BYTES + (ARENA_ALIGN - 1)) & -ARENA_ALIGN;
    this.#txArenaTail = (this.#reservedStart + taken) | 0;
    this.#txArenaEnd[index] = this.#txArenaTail;
    this.#txTail = (this.#txTail + 1) | 0;
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

  /**
   * Whether the native side sleeps and must be woken for what was published or released since the
   * last call: true once for each of its sleeps, so the caller does ring. Only threads sleep; the
   * protocol is told in native/addon/src/doorbell.rs.
   */
  mustRingTx(): boolean {
    const news =
      (this.#toldTail === this.#txPublished ? 0 : NEWS_ENTRIES) |
      (this.#toldHead === this.#rxReleased ? 0 : NEWS_ROOM);
    if (news === 0) return false;
    this.#toldTail = this.#txPublished;
    this.#toldHead = this.#rxReleased;
    const ints = this.#ints;
    if ((Atomics.load(ints, I_TX_SLEEPING) & news) === 0) return false;
    return Atomics.exchange(ints, I_TX_SLEEPING, 0) !== 0;
  }

  /**
   * Announces that this side will wait for a wake when entries arrive, and with `wantsRoom` (after a
   * `txReserve` that failed) when tx room returns. False, and awake again, when there is work already.
   */
  sleepRx(wantsRoom: boolean): boolean {
    const ints = this.#ints;
    Atomics.exchange(ints, I_RX_SLEEPING, wantsRoom ? NEWS_ENTRIES | NEWS_ROOM : NEWS_ENTRIES);
    const hasEntries = Atomics.load(ints, I_RX_TAIL) !== this.#rxNext;
    const hasRoom = wantsRoom && Atomics.load(ints, I_TX_HEAD) !== this.#txHead;
    if (!hasEntries && !hasRoom) return true;
    this.wakeRx();
    return false;
  }

  /** Nobody needs to ring from here on; at the start of every turn after a sleep. */
  wakeRx(): void {
    Atomics.exchange(this.#ints, I_RX_SLEEPING, 0);
  }

  /** After the native drain: sees what it wrote. */
  protected acquireRx(): void {
    this.#rxTail = Atomics.load(this.#ints, I_RX_TAIL);
  }

  /** Before the native flush: shows what was committed. */
  protected publishTx(): void {
    if (this.#txPublished === this.#txTail) return;
    this.#txPublished = this.#txTail;
    Atomics.store(this.#ints, I_TX_TAIL, this.#txTail);
  }

  /** After the native flush: takes back what it sent. */
  protected reclaimTx(): void {
    const head = Atomics.load(this.#ints, I_TX_HEAD);
    if (head === this.#txHead) return;
    this.#txHead = head;
    this.#txArenaHead = this.#txArenaEnd[(head - 1) & this.#txMask];
  }
}
