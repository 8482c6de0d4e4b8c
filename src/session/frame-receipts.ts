import type { ReceiptOutcome } from './types.js';

/** Open receipts of one connection; a peer that acknowledges nothing must not make more of them. */
export const FRAME_RECEIPTS_MAX = 1024;
const FIRST_ENTRIES = 16;

/**
 * Receipts of frames sent over WebSocket, oldest first: [index of the frame, receipt]. TCP keeps the
 * order, so the session's cumulative acknowledgement answers from the head on.
 *
 * Invariant: frame indices rise from head to tail; tail − head ≤ FRAME_RECEIPTS_MAX.
 */
export class FrameReceipts {
  #entries = new Float64Array(0);
  #mask = -1;
  #head = 0;
  #tail = 0;

  constructor(private readonly answer: (receipt: number, outcome: ReceiptOutcome) => void) {}

  /** Of one too many open ones the oldest is given up as lost. */
  add(frame: number, receipt: number): void {
    if (this.#tail - this.#head === FRAME_RECEIPTS_MAX) this.#pop('lost');
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const at = (this.#tail++ & this.#mask) * 2;
    this.#entries[at] = frame;
    this.#entries[at + 1] = receipt;
  }

  /** The peer's session has the first `frames` frames. */
  acknowledge(frames: number): void {
    while (this.#head !== this.#tail && this.#entries[(this.#head & this.#mask) * 2] < frames) {
      this.#pop('acked');
    }
  }

  /** All that are open, by frame; none is afterwards. */
  takeAll(): Map<number, number> {
    const open = new Map<number, number>();
    for (; this.#head !== this.#tail; this.#head++) {
      const at = (this.#head & this.#mask) * 2;
      open.set(this.#entries[at], this.#entries[at + 1]);
    }
    return open;
  }

  #pop(outcome: ReceiptOutcome): void {
    const receipt = this.#entries[(this.#head++ & this.#mask) * 2 + 1];
    this.answer(receipt, outcome);
  }

  #grow(): void {
    const capacity = this.#mask < 0 ? FIRST_ENTRIES : (this.#mask + 1) * 2;
    const entries = new Float64Array(capacity * 2);
    for (let i = this.#head; i !== this.#tail; i++) {
      const from = (i & this.#mask) * 2;
      entries.set(this.#entries.subarray(from, from + 2), (i & (capacity - 1)) * 2);
    }
    this.#entries = entries;
    this.#mask = capacity - 1;
  }
}
