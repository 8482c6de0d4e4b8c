import type { Report } from './report.js';
import type { Wire } from './types.js';

/** Where the send log of a link goes when its session moves: to the next link, which encodes it. */
export interface LogSink {
  /**
   * Message data (varint id ‖ body) of a lane, kept as it is; `receipt` 0: none.
   *
   * @throws MessageError this wire cannot carry it
   */
  takeBytes(lane: number, bytes: Uint8Array, receipt: number): void;
  /** A text frame. @throws MessageError this wire cannot carry it */
  takeText(text: string, receipt: number): void;
}

/** A link as its session sees it: BinaryPeer or JsonPeer. */
export interface SessionPeer extends LogSink {
  readonly wire: Wire;
  /** From now on nothing is delivered and nothing sent; reliable messages go into the log. */
  freeze(): void;
  /** What this link delivered. */
  report(): Report;
  /** Frees what the other end delivered. False when it names what was never sent on this link. */
  applyReport(report: Report): boolean;
  /**
   * Hands every message of the log over, in the order of `send`, with the receipt that is still owed
   * for it. What else is owed is told to be lost.
   */
  moveLogTo(sink: LogSink): void;
  sendControl(name: string, payload: unknown): void;
  /**
   * The session goes on here: what `moveLogTo` brought leaves first. `isConfirmed`: the peer is
   * known to have adopted this link; the server learns it with the next message.
   */
  open(isConfirmed: boolean): void;
  /** Sends an acknowledgement even if none is owed: it tells that this link was adopted. */
  confirm(): void;
}
