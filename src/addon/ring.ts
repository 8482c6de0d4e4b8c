/**
 * The pair of rings of one endpoint, as JavaScript keeps them: where its section of the memory lies,
 * and how far each side is. Counters run freely as int32. Used by `rings.ts` alone.
 *
 * Invariant: `txTail - txHead ≤ capacity`, `txArenaTail - txArenaHead ≤ arena bytes` (wrapping), and
 * an allocation never wraps around the end of its arena.
 */
import {
  ARENA_ALIGN,
  I_RX_CAPACITY,
  I_RX_DESCRIPTORS,
  I_RX_HEAD,
  I_RX_TAIL,
  I_TX_ARENA,
  I_TX_ARENA_BYTES,
  I_TX_CAPACITY,
  I_TX_DESCRIPTORS,
  I_TX_HEAD,
  I_TX_TAIL,
} from './layout.js';

export class Ring {
  /** First byte of the section, and its first word. */
  readonly base: number;
  readonly control: number;
  readonly rxBase: number;
  readonly rxMask: number;
  readonly txBase: number;
  readonly txMask: number;
  readonly txArena: number;
  readonly txArenaBytes: number;
  /** Where the arena continues after each tx descriptor: what releasing it frees. */
  readonly txArenaEnd: Int32Array;
  rxNext: number;
  rxReleased: number;
  rxTail: number;
  txTail: number;
  txPublished: number;
  txHead: number;
  txArenaTail: number;
  txArenaHead: number;
  readonly #ints: Int32Array;

  /** `ints` is the whole memory; the section begins at byte `base` of it. */
  constructor(ints: Int32Array, base: number) {
    const control = base >> 2;
    this.#ints = ints;
    this.base = base;
    this.control = control;
    this.rxBase = control + (ints[control + I_RX_DESCRIPTORS] >> 2);
    this.rxMask = ints[control + I_RX_CAPACITY] - 1;
    this.txBase = control + (ints[control + I_TX_DESCRIPTORS] >> 2);
    this.txMask = ints[control + I_TX_CAPACITY] - 1;
    this.txArena = base + ints[control + I_TX_ARENA];
    this.txArenaBytes = ints[control + I_TX_ARENA_BYTES];
    this.txArenaEnd = new Int32Array(ints[control + I_TX_CAPACITY]);
    const rxFirst = ints[control + I_RX_HEAD];
    this.rxNext = this.rxReleased = this.rxTail = rxFirst;
    const txFirst = ints[control + I_TX_HEAD];
    this.txTail = this.txPublished = this.txHead = txFirst;
    this.txArenaTail = this.txArenaHead = txFirst & -ARENA_ALIGN;
  }

  /** Sees what the native side published. */
  acquireRx(): void {
    this.rxTail = Atomics.load(this.#ints, this.control + I_RX_TAIL);
  }

  releaseRx(): void {
    if (this.rxReleased === this.rxNext) return;
    this.rxReleased = this.rxNext;
    Atomics.store(this.#ints, this.control + I_RX_HEAD, this.rxNext);
  }

  /** Shows what was committed. */
  publishTx(): void {
    if (this.txPublished === this.txTail) return;
    this.txPublished = this.txTail;
    Atomics.store(this.#ints, this.control + I_TX_TAIL, this.txTail);
  }

  /** Takes back what the native side has sent. */
  reclaimTx(): void {
    const head = Atomics.load(this.#ints, this.control + I_TX_HEAD);
    if (head === this.txHead) return;
    this.txHead = head;
    this.txArenaHead = this.txArenaEnd[(head - 1) & this.txMask];
  }
}
