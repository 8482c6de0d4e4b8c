import { grownFloat, grownInt } from './grow.js';

/**
 * Datagrams on their way: fixed slots in pages, so that a packet is written once, by pollTransmit,
 * and read where it lies. Columns beside them say whose they are.
 *
 * Invariant: used = slots handed out and not freed.
 */
const SLOT_LOG2 = 11;
/** Most worlds never have more on their way than a page holds. */
const SLOTS_PER_PAGE_LOG2 = 6;
const SLOT_MASK = (1 << SLOTS_PER_PAGE_LOG2) - 1;

/** Room of a slot; any datagram of ours is shorter. */
export const PACKET_SLOT_BYTES = 1 << SLOT_LOG2;

export class PacketPool {
  used = 0;
  length = new Int32Array(0);
  /** Index of the end (core level) or host (native level) that it is for. */
  to = new Int32Array(0);
  /** Generation of the flow, or the address that it comes from: what the level needs. */
  tag = new Int32Array(0);
  /** −1, or the bit that the network flipped. */
  corruptBit = new Int32Array(0);
  sentUs = new Float64Array(0);
  private next = new Int32Array(0);
  private freeHead = -1;
  private readonly pages: Uint8Array[] = [];

  alloc(): number {
    if (this.freeHead < 0) this.addPage();
    const slot = this.freeHead;
    this.freeHead = this.next[slot];
    this.corruptBit[slot] = -1;
    this.used += 1;
    return slot;
  }

  free(slot: number): void {
    this.next[slot] = this.freeHead;
    this.freeHead = slot;
    this.used -= 1;
  }

  /** The array that holds the slot's bytes, from `offset(slot)`. */
  page(slot: number): Uint8Array {
    return this.pages[slot >> SLOTS_PER_PAGE_LOG2];
  }

  offset(slot: number): number {
    return (slot & SLOT_MASK) << SLOT_LOG2;
  }

  /** A second copy of a packet, with the same columns. */
  copy(slot: number): number {
    const twin = this.alloc();
    const from = this.offset(slot);
    const length = this.length[slot];
    const bytes = this.page(slot).subarray(from, from + length);
    this.page(twin).set(bytes, this.offset(twin));
    this.length[twin] = length;
    this.to[twin] = this.to[slot];
    this.tag[twin] = this.tag[slot];
    this.corruptBit[twin] = this.corruptBit[slot];
    this.sentUs[twin] = this.sentUs[slot];
    return twin;
  }

  private addPage(): void {
    const first = this.pages.length << SLOTS_PER_PAGE_LOG2;
    const slots = first + (1 << SLOTS_PER_PAGE_LOG2);
    this.pages.push(new Uint8Array(1 << (SLOT_LOG2 + SLOTS_PER_PAGE_LOG2)));
    this.length = grownInt(this.length, slots);
    this.to = grownInt(this.to, slots);
    this.tag = grownInt(this.tag, slots);
    this.corruptBit = grownInt(this.corruptBit, slots);
    this.next = grownInt(this.next, slots);
    this.sentUs = grownFloat(this.sentUs, slots);
    for (let slot = slots - 1; slot >= first; slot--) {
      this.next[slot] = this.freeHead;
      this.freeHead = slot;
    }
  }
}
