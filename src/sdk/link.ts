import type { Registry } from '../messages/types.js';
import type { BinaryPeer } from '../session/binary-peer.js';
import type { LinkStats } from '../session/connection-stats.js';
import type { LeadReport } from '../session/control.js';
import type { Dispatcher } from '../session/dispatcher.js';
import type { SessionDrops } from '../session/drops.js';
import type { JsonPeer } from '../session/json-peer.js';
import type { CloseInfo, ReceiptOutcome, Wire } from '../session/types.js';
import type { ChannelOptions } from '../util/channel-options.js';

export type LinkPeer = BinaryPeer<null> | JsonPeer<null>;

/** One link of a client's session: a WebSocket or a UDP flow. */
export interface Link {
  readonly wire: Wire;
  /** Null while the socket is opening. */
  readonly peer: LinkPeer | null;
  /**
   * Opens it; `handleReady` follows.
   *
   * @throws GameDialError, TransportError (addon-missing, unsupported-runtime, bad-token …)
   */
  open(): Promise<void>;
  /** `handleDrained` is called once nothing reliable is unacknowledged. */
  watchDrained(): void;
  stats(): LinkStats;
  /** The server's monotonic clock now, ms; never goes back. */
  serverTimeMs(): number;
  /** How far off that may be, ms; Infinity before it is measured. */
  serverTimeErrorMs(): number;
  /** With `$hello` or `$resumed`; `payload` holds what a wire adds to it. */
  begin(serverTimeMs: number, payload: unknown): void;
  /** Says goodbye; resolves when the wire is down. Idempotent. */
  close(code: number, reason: string): Promise<void>;
}

/** What a link may call of its session. */
export interface LinkHost {
  readonly registry: Registry<object>;
  /** By channel, the runtime's own too. */
  readonly channels: readonly (ChannelOptions | undefined)[];
  readonly dispatcher: Dispatcher<unknown>;
  readonly drops: SessionDrops;
  /** It can carry the client's first message. */
  handleReady(link: Link): void;
  handleHello(link: Link, payload: unknown): void;
  handleResumed(link: Link, payload: unknown): void;
  handleLead(report: LeadReport): void;
  handleUnhandled(type: string, value: unknown): void;
  handleReceipt(receipt: number, outcome: ReceiptOutcome): void;
  handleDrained(link: Link): void;
  /** The peer broke the rules: ends the connection with this code. */
  handleBroken(link: Link, code: number, reason: string): void;
  /** The link is gone, and not by our `close`. */
  handleClosed(link: Link, info: CloseInfo): void;
}
