/**
 * Reliable messages this end has sent over WebSocket and the peer's session has not acknowledged.
 *
 * TCP delivers in order, so an entry is known by the index of its frame among all game frames of
 * the connection, and one cumulative count acknowledges all of them. Texts are kept by reference.
 *
 * What lies from `sent` on is not handed to the socket yet and has no frame index.
 *
 * Invariant: frame indices rise from head to sent; bytesHeld is the sum of the text lengths.
 */
import { logBytesMax, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';

const FIRST_ENTRIES = 16;

export class TextSendLog {
  bytesHeld = 0;
  /** Game frames sent so far on this connection, logged or not. */
  frames = 0;
  #texts: (string | null)[] = [];
  #frameOf = new Float64Array(0);
  /** 0: none. */
  #receiptOf = new Int32Array(0);
  #mask = -1;
  #head = 0;
  #tail = 0;
  /** The first entry that the socket has not got. */
  #sent = 0;

  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  hasRoom(length: number): boolean {
    if (this.#tail - this.#head >= SESSION_WINDOW) return false;
    return this.bytesHeld === 0 || this.bytesHeld + length <= logBytesMax(length);
  }

  get isHalfEmpty(): boolean {
    const count = this.#tail - this.#head;
    return count * 2 <= SESSION_WINDOW && this.bytesHeld * 2 <= SESSION_LOG_BYTES_MAX;
  }

  /** Counts a frame that needs no log: an unreliable message. */
  countFrame(): void {
    this.frames++;
  }

  /** Counts a frame that the socket gets now, and keeps its text. Nothing before it is unsent. */
  push(text: string, receipt = 0): void {
    this.append(text, receipt);
    this.markSent();
  }

  /** Keeps the text of a frame that the socket gets later. */
  append(text: string, receipt = 0): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const slot = this.#tail++ & this.#mask;
    this.#texts[slot] = text;
    this.#receiptOf[slot] = receipt;
    this.bytesHeld += text.length;
  }

  /** Whether something waits for the socket. */
  get hasUnsent(): boolean {
    return this.#sent !== this.#tail;
  }

  /** The first unsent message. */
  get unsentText(): string {
    return this.#texts[this.#sent & this.#mask] as string;
  }

  get unsentReceipt(): number {
    return this.#receiptOf[this.#sent & this.#mask];
  }

  /** The socket gets the first unsent message now. */
  markSent(): void {
    this.#frameOf[this.#sent++ & this.#mask] = this.frames++;
  }

  /** The peer has delivered the first `frames` frames. False for more than were sent. */
  acknowledge(frames: number): boolean {
    if (frames > this.frames) return false;
    while (this.#head !== this.#sent) {
      const slot = this.#head & this.#mask;
      if (this.#frameOf[slot] >= frames) break;
      this.bytesHeld -= (this.#texts[slot] as string).length;
      this.#texts[slot] = null;
      this.#head++;
    }
    return true;
  }

  /**
   * Every message held, sent or not, in the order of `send`. `frame` is −1 for what is unsent.
   */
  forEach(visit: (text: string, receipt: number, frame: number) => void): void {
    for (let i = this.#head; i !== this.#tail; i++) {
      const slot = i & this.#mask;
      const frame = i < this.#sent ? this.#frameOf[slot] : -1;
      visit(this.#texts[slot] as string, this.#receiptOf[slot], frame);
    }
  }

  #grow(): void {
    const capacity = this.#mask < 0 ? FIRST_ENTRIES : (this.#mask + 1) * 2;
    const texts: (string | null)[] = new Array(capacity).fill(null);
    const frameOf = new Float64Array(capacity);
    const receiptOf = new Int32Array(capacity);
    for (let i = this.#head; i !== this.#tail; i++) {
      const to = i & (capacity - 1);
      texts[to] = this.#texts[i & this.#mask];
      frameOf[to] = this.#frameOf[i & this.#mask];
      receiptOf[to] = this.#receiptOf[i & this.#mask];
    }
    this.#texts = texts;
    this.#frameOf = frameOf;
    this.#receiptOf = receiptOf;
    this.#mask = capacity - 1;
  }
}
