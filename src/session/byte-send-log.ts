/**
 * Reliable messages of a UDP link that wait for a flow to take them, or to take them again: before the
 * peer is known to have adopted the link, while it has no room, and when it is frozen. While a link is
 * open and has room this log is empty, because the flow itself keeps what is not acknowledged.
 *
 *   sent (unconfirmed or frozen)        │ not handed to the link yet
 *   ch0 #7 │ ch0 #8 │ ch2 #0 │ ch0 #9   │ ch0 #10 │ ch2 #1
 *
 * Bodies are registry-encoded: varint type id ‖ body. Numbers count per lane and link from 0.
 *
 * Invariant: `bytesHeld` and the counts by lane are those of the entries; per lane numbers rise, and no
 * number is at or above the lane's next.
 */
import { logBytesMax, SESSION_LANES, SESSION_LOG_BYTES_MAX, SESSION_WINDOW } from './limits.js';
import type { LaneReport } from './report.js';

/** One message. */
export interface LogEntry {
  readonly lane: number;
  readonly number: number;
  readonly bytes: Uint8Array;
  /** 0: none. */
  readonly receipt: number;
}

export class ByteSendLog {
  /** Bytes of the entries. */
  bytesHeld = 0;
  #entries: LogEntry[] = [];
  /** Entries that the link has got. */
  #sent = 0;
  /** By lane: the number of the next message, and how many are held. */
  readonly #next = new Uint32Array(SESSION_LANES);
  readonly #held = new Uint16Array(SESSION_LANES);

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whether something waits for the link. */
  get hasUnsent(): boolean {
    return this.#sent < this.#entries.length;
  }

  /** All of them, in the order of `send`; the first `sentCount` have been handed to the link. */
  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  get sentCount(): number {
    return this.#sent;
  }

  /** Whether a message of `length` bytes on `lane` may be accepted now. */
  hasRoom(lane: number, length: number): boolean {
    if (this.#held[lane] >= SESSION_WINDOW) return false;
    return this.bytesHeld === 0 || this.bytesHeld + length <= logBytesMax(length);
  }

  /** Half of what a message of `lane` could meet is free. */
  isHalfEmpty(lane: number): boolean {
    return this.#held[lane] * 2 <= SESSION_WINDOW && this.bytesHeld * 2 <= SESSION_LOG_BYTES_MAX;
  }

  /** Takes a message that the link gets later; its bytes become the log's. */
  append(lane: number, bytes: Uint8Array, receipt = 0): void {
    const number = this.#next[lane]++;
    this.#add({ lane, number, bytes, receipt });
  }

  /**
   * The link is frozen: `sent`, oldest first, is what the flow kept, and `next` what it counted by lane.
   * What waits here is behind that.
   */
  restore(
    sent: readonly LogEntry[],
    next: readonly (readonly [lane: number, next: number])[],
  ): void {
    const waiting = this.#entries;
    this.#entries = [];
    this.bytesHeld = 0;
    this.#held.fill(0);
    this.#next.fill(0);
    for (const [lane, number] of next) this.#next[lane] = number;
    for (const entry of sent) this.#add(entry);
    this.#sent = sent.length;
    for (const { lane, bytes, receipt } of waiting) this.append(lane, bytes, receipt);
  }

  /** The link has got the first of those that wait. */
  markSent(): void {
    this.#sent++;
  }

  /** What the link has got is the flow's to keep from now on. */
  dropSent(): void {
    for (const entry of this.#entries.splice(0, this.#sent)) this.#forget(entry);
    this.#sent = 0;
  }

  /**
   * The last word of a link's peer: what it delivered. False when it names what was never sent.
   *
   * @param onReceipt receipts of what is freed
   */
  applyReport(lanes: readonly LaneReport[], onReceipt: (receipt: number) => void): boolean {
    const byLane = new Map(lanes.map((report) => [report[0], report]));
    for (const report of lanes) {
      const end = report[report.length - 1]; // of its last range, or `next`
      if ((this.#next[report[0]] - end) >>> 0 >= 0x80000000) return false;
    }
    const kept: LogEntry[] = [];
    const delivered: LogEntry[] = [];
    for (const [index, entry] of this.#entries.entries()) {
      const report = byLane.get(entry.lane);
      const isDelivered = report !== undefined && names(report, entry.number);
      if (isDelivered && index >= this.#sent) return false;
      (isDelivered ? delivered : kept).push(entry);
    }
    this.#entries = kept;
    this.#sent -= delivered.length;
    for (const entry of delivered) {
      this.#forget(entry);
      if (entry.receipt !== 0) onReceipt(entry.receipt);
    }
    return true;
  }

  #add(entry: LogEntry): void {
    this.#entries.push(entry);
    this.#held[entry.lane]++;
    this.bytesHeld += entry.bytes.length;
  }

  #forget({ lane, bytes }: LogEntry): void {
    this.#held[lane]--;
    this.bytesHeld -= bytes.length;
  }

  /** Throws when the books do not balance. For tests. */
  checkInvariants(): void {
    let bytes = 0;
    const ahead = new Float64Array(SESSION_LANES).fill(Number.POSITIVE_INFINITY);
    const held = new Uint16Array(SESSION_LANES);
    for (const { lane, number, bytes: body } of this.#entries) {
      const before = (this.#next[lane] - number) >>> 0;
      if (before === 0 || before >= ahead[lane]) {
        throw new Error(`lane ${lane}: numbers do not rise to the next`);
      }
      ahead[lane] = before;
      held[lane]++;
      bytes += body.length;
    }
    if (this.#sent > this.#entries.length) throw new Error('sent past the end');
    if (bytes !== this.bytesHeld) throw new Error(`held ${this.bytesHeld}, counted ${bytes}`);
    if (held.some((count, lane) => count !== this.#held[lane])) throw new Error('held by lane');
  }
}

/** Whether a report names a number as delivered: below its `next`, or in one of its ranges. */
function names([, next, ...ranges]: LaneReport, number: number): boolean {
  const distance = (number - next) >>> 0;
  if (distance >= 0x80000000) return true;
  for (let i = 0; i < ranges.length; i += 2) {
    const from = (ranges[i] - next) >>> 0;
    const to = (ranges[i + 1] - next) >>> 0;
    if (distance >= from && distance < to) return true;
  }
  return false;
}
