/**
 * Frames handed to a TCP stream that the peer's session has not acknowledged. The kernels of both ends
 * take megabytes of a stream whose reader has stopped, so what they hold tells more about a slow peer
 * than what they refuse. How late an acknowledgement is beyond the earliest there was is time in queues
 * (the base delay of RFC 6817 §2).
 *
 * Invariant: entry n, by frame number, is valid for acknowledged ≤ n < frames.
 */

/** So much may be on its way, however late its acknowledgement is. */
export const IN_FLIGHT_BYTES = 64 * 1024;
/** Later than the earliest acknowledgement by this: in queues. Twice what an acknowledgement may wait. */
export const IN_FLIGHT_LATE_MS = 200;

const FIRST_ENTRIES = 16;

export class FramesInFlight {
  #frames = 0;
  #acknowledged = 0;
  /** Of all frames so far; characters. */
  #bytes = 0;
  #bytesBefore = new Float64Array(FIRST_ENTRIES);
  #sentMs = new Float64Array(FIRST_ENTRIES);
  #leastMs = Number.POSITIVE_INFINITY;

  add(length: number, nowMs: number): void {
    if (this.#frames - this.#acknowledged === this.#sentMs.length) this.#grow();
    const slot = this.#frames++ & (this.#sentMs.length - 1);
    this.#bytesBefore[slot] = this.#bytes;
    this.#sentMs[slot] = nowMs;
    this.#bytes += length;
  }

  /** The peer has delivered the first `frames` frames, no more than there were. */
  acknowledge(frames: number, nowMs: number): void {
    if (frames <= this.#acknowledged) return;
    const newest = (frames - 1) & (this.#sentMs.length - 1);
    this.#leastMs = Math.min(this.#leastMs, nowMs - this.#sentMs[newest]);
    this.#acknowledged = frames;
  }

  /** Whether much is on its way and has been for long: what follows would only wait behind it. */
  isLate(nowMs: () => number): boolean {
    if (this.#frames === this.#acknowledged) return false;
    const oldest = this.#acknowledged & (this.#sentMs.length - 1);
    if (this.#bytes - this.#bytesBefore[oldest] <= IN_FLIGHT_BYTES) return false;
    // Before the first acknowledgement nothing is known, and nothing is late.
    return nowMs() - this.#sentMs[oldest] > this.#leastMs + IN_FLIGHT_LATE_MS;
  }

  /** How much longer the oldest has been on its way than one may be that waits in no queue, ms. */
  lateMs(nowMs: number): number {
    if (this.#frames === this.#acknowledged) return 0;
    const sentMs = this.#sentMs[this.#acknowledged & (this.#sentMs.length - 1)];
    return Math.max(0, nowMs - sentMs - this.#leastMs - IN_FLIGHT_LATE_MS);
  }

  #grow(): void {
    const capacity = this.#sentMs.length * 2;
    const bytesBefore = new Float64Array(capacity);
    const sentMs = new Float64Array(capacity);
    for (let frame = this.#acknowledged; frame < this.#frames; frame++) {
      const from = frame & (this.#sentMs.length - 1);
      bytesBefore[frame & (capacity - 1)] = this.#bytesBefore[from];
      sentMs[frame & (capacity - 1)] = this.#sentMs[from];
    }
    this.#bytesBefore = bytesBefore;
    this.#sentMs = sentMs;
  }
}
