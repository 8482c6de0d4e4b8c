/** What links of both wires need of the world around them. */
import type { Mode, Registry } from '../messages/types.js';
import type { AckBatch } from './ack-batch.js';
import type { LeadReport } from './control.js';
import type { Dispatcher } from './dispatcher.js';
import type { SessionDrops } from './drops.js';
import type { ReceiptOutcome } from './types.js';

/** How a link begins. */
export type PeerStart =
  /** A server's new player: everything is allowed at once. */
  | 'linked'
  /** A client: `$hello` or `$resumed` comes first. */
  | 'awaits-server'
  /** A server's link that is to carry a session on: `$resume` comes first. */
  | 'awaits-resume';

/** What all links of one listener or client share. `O` is the owner handed to the handlers. */
export interface PeerContext<O, P> {
  readonly registry: Registry<object>;
  readonly dispatcher: Dispatcher<O>;
  readonly drops: SessionDrops;
  readonly acks: AckBatch<{ flushAck(): void }>;
  /** Called for messages without a handler; null: they are only counted. */
  readonly onUnhandled: ((owner: O, type: string, value: unknown) => void) | null;
  /** The peer broke the session's rules: the host must end the connection with this code. */
  readonly onBroken: (peer: P, code: number, reason: string) => void;
  /** A `$hello` came (client). Null at the server, where it is a violation. */
  readonly onHello: ((peer: P, payload: unknown) => void) | null;
  /** A `$lead` came (client). Null at the server, where it is a violation. */
  readonly onLead: ((peer: P, report: LeadReport) => void) | null;
  /** `$resumed` (client). */
  readonly onResumed: ((peer: P, payload: unknown) => void) | null;
  /** `$resume`, the first message of a link that awaits it (server). */
  readonly onResume: ((peer: P, payload: unknown) => void) | null;
  /** The first message after `$resume` (server). */
  readonly onConfirmed: ((peer: P) => void) | null;
  /** What became of a message sent with `receipt`. */
  readonly onReceipt: (peer: P, receipt: number, outcome: ReceiptOutcome) => void;
  /**
   * WebSocket: after `watchDrained`, everything reliable has been acknowledged. UDP: nothing waits for
   * the flow any more; that it is acknowledged, the runtime tells.
   */
  readonly onDrained: (peer: P) => void;
  /** `close` was called: the link is to be forgotten. */
  readonly onClosed: ((peer: P) => void) | null;
}

/** What a flow's peer has not acknowledged of the reliable modes. */
export interface UnackedFlow {
  /** Of every reliable stream that was used: the number of its next message, u32 from 0. */
  readonly streams: readonly { channel: number; mode: number; next: number }[];
  readonly messages: readonly {
    channel: number;
    mode: number;
    number: number;
    bytes: Uint8Array;
    /** 0: none, or answered. */
    receipt: number;
  }[];
}

/** What the runtime offers to one flow. */
export interface FlowPort {
  /** Returns a SEND_ number of the protocol: 0 sent, 1 queued, 2 full, 3 too large, 4 closed. */
  send(
    slot: number,
    channel: number,
    mode: Mode,
    bytes: Uint8Array,
    offset: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt: number,
  ): number;
  /**
   * Nothing of the flow is delivered or acknowledged any more. Answers what its peer has not
   * acknowledged, in the order of `send`.
   */
  freezeFlow(slot: number): UnackedFlow;
  /** Bytes that would leave at once: what rate control allows now, less what waits. */
  budget(slot: number): number;
  /** Says CLOSE and ends the flow. */
  closeFlow(slot: number, code: number, reason: string, isAtOnce?: boolean): void;
}

/** The part of a WebSocket that a link needs; `ws` and the browser's fit. */
export interface TextSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Bytes handed to `send` that the kernel has not taken yet. */
  readonly bufferedAmount: number;
}
