/**
 * Payloads over a path that loses some: as `Stream` of peers/common/src/drive.rs. At most a window ahead
 * of the newest echo; each echo is one of them and comes for the first time. Over when something said
 * later is echoed: the path keeps order.
 */
import type { FlowRef } from '../../src/addon/index.js';
import { fillNumbered, numberedLength } from './payloads.js';

const SCRATCH_BYTES = 2048;

export class PayloadStream {
  readonly flow: FlowRef;
  readonly count: number;
  sent = 0;
  /** Distinct echoes. */
  arrived = 0;
  readonly #seed: number;
  readonly #maxBytes: number;
  readonly #window: number;
  readonly #seen: Uint8Array;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  /** One more than the newest echo's index. */
  #newest = 0;

  constructor(flow: FlowRef, count: number, seed: number, maxBytes: number, window: number) {
    this.flow = flow;
    this.count = count;
    this.#seed = seed;
    this.#maxBytes = maxBytes;
    this.#window = window;
    this.#seen = new Uint8Array(count);
  }

  /** Length in bytes of the payload that may be sent now, or 0. */
  get due(): number {
    if (this.sent === this.count || this.sent - this.#newest >= this.#window) return 0;
    return numberedLength(this.sent, this.#maxBytes);
  }

  /** Writes the payload that is due. */
  write(out: Uint8Array, offset: number): void {
    fillNumbered(this.#seed, this.sent++, this.#maxBytes, out, offset);
  }

  /** What is wrong with this echo, or null. */
  take(echo: Buffer): string | null {
    const index = echo.length < 4 ? this.sent : echo.readUInt32LE();
    if (index >= this.sent) return 'an echo of nothing';
    const length = fillNumbered(this.#seed, index, this.#maxBytes, this.#scratch, 0);
    if (echo.compare(this.#scratch, 0, length) !== 0) return 'an echo that is not its payload';
    if (this.#seen[index] === 1) return 'an echo that came twice';
    this.#seen[index] = 1;
    this.arrived++;
    this.#newest = Math.max(this.#newest, index + 1);
    return null;
  }
}
