/**
 * Reliable messages this end has sent over WebSocket and the peer's session has not acknowledged.
 *
 * TCP delivers in order, so an entry is known by the index of its frame among all game frames of
 * the connection, and one cumulative count acknowledges all of them. Texts are kept by reference.
 *
 * Invariant: frame indices rise from head to tail; bytesHeld is the sum of the text lengths.
 */
import { logBytesMax, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';

const FIRST_ENTRIES = 16;

export class TextSendLog {
  bytesHeld = 0;
  /** Game frames sent so far on this connection, logged or not. */
  frames = 0;
  #texts: (string | null)[] = [];
  #frameOf = new Float64Array(0);
  #mask = -1;
  #head = 0;
  #tail = 0;

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

  /** Counts a frame and keeps its text. */
  push(text: string): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const slot = this.#tail++ & this.#mask;
    this.#texts[slot] = text;
    this.#frameOf[slot] = this.frames++;
    this.bytesHeld += text.length;
  }

  /** The peer has delivered the first `frames` frames. False for more than were sent. */
  acknowledge(frames: number): boolean {
    if (frames > this.frames) return false;
    while (this.#head !== this.#tail) {
      const slot = this.#head & this.#mask;
      if (this.#frameOf[slot] >= frames) break;
      this.bytesHeld -= (this.#texts[slot] as string).length;
      this.#texts[slot] = null;
      this.#head++;
    }
    return true;
  }

  #grow(): void {
    const capacity = this.#mask < 0 ? FIRST_ENTRIES : (this.#mask + 1) * 2;
    const texts: (string | null)[] = new Array(capacity).fill(null);
    const frameOf = new Float64Array(capacity);
    for (let i = this.#head; i !== this.#tail; i++) {
      texts[i & (capacity - 1)] = this.#texts[i & this.#mask];
      frameOf[i & (capacity - 1)] = this.#frameOf[i & this.#mask];
    }
    this.#texts = texts;
    this.#frameOf = frameOf;
    this.#mask = capacity - 1;
  }
}
