import type { Registry } from '../messages/types.js';
import type { Hello, LeadReport } from '../session/control.js';
import type { Dispatcher } from '../session/dispatcher.js';
import type { SessionDrops } from '../session/drops.js';
import type {
  CloseInfo,
  ConnectionStats,
  ReceiptOutcome,
  SendOptions,
  SendResult,
  Wire,
} from '../session/types.js';
import type { ChannelOptions } from '../util/channel-options.js';

/** One wire of a game channel. */
export interface Link {
  readonly wire: Wire;
  send(type: string, value: unknown, options?: SendOptions): SendResult;
  watchDrained(callback: () => void): void;
  watchWritable(callback: () => void): void;
  stats(): ConnectionStats;
  /** The server's monotonic clock now, ms; never goes back. */
  serverTimeMs(): number;
  /** How far off that may be, ms; Infinity before it is measured. */
  serverTimeErrorMs(): number;
  /** `payload` holds what a wire adds to $hello. */
  handleHello(hello: Hello, payload: unknown): void;
  /** Says goodbye; resolves when the wire is down. Idempotent. */
  close(code: number, reason: string): Promise<void>;
}

/** What a link may call of its channel. */
export interface LinkHost {
  readonly registry: Registry<object>;
  /** By channel, the runtime's own too. */
  readonly channels: readonly (ChannelOptions | undefined)[];
  readonly dispatcher: Dispatcher<unknown>;
  readonly drops: SessionDrops;
  /** Before anything else. */
  attach(link: Link): void;
  handleHello(payload: unknown): void;
  handleReceipt(receipt: number, outcome: ReceiptOutcome): void;
  handleLead(report: LeadReport): void;
  handleUnhandled(type: string, value: unknown): void;
  /** The peer broke the rules: ends the connection with this code. */
  fail(code: number, reason: string): void;
  handleClosed(info: CloseInfo): void;
}
