/** The words of the core's public face: roles, modes, results, events and figures. */
import type { ChannelOptions } from '../util/channel-options.js';

export type { ChannelOptions } from '../util/channel-options.js';

/** The side that speaks first: it sends PARAMS until they are answered. */
export const ROLE_CLIENT = 0;
/** The side that waits: the first payload decides between RL1 and raw. */
export const ROLE_SERVER = 1;
/** A flow to a foreign netcode peer: every payload is a RAW event, nothing is ever sent. */
export const ROLE_RAW = 2;

/** Delivery modes; the numbers are the MM bits of a message frame. */
export const MODE_UNRELIABLE = 0;
export const MODE_UNRELIABLE_SEQUENCED = 1;
export const MODE_RELIABLE_UNORDERED = 2;
export const MODE_RELIABLE_ORDERED = 3;

/** Accepted, and nothing known stands in the way of the next packet. */
export const SEND_OK = 0;
/** Accepted, but it waits: the flow is not ready, or a window is full. */
export const SEND_QUEUED = 1;
/** Not accepted: the bound on buffered data is reached. EVENT_WRITABLE tells when to go on. */
export const SEND_FULL = 2;
/** Not accepted, ever: larger than this peer takes in this mode, or a channel it does not have. */
export const SEND_TOO_LARGE = 3;
/** Not accepted: the flow is free, raw or closing. */
export const SEND_CLOSED = 4;

export const EVENT_NONE = 0;
/** PARAMS are known; `registryHash` is the peer's. */
export const EVENT_READY = 1;
/** A message: `channel`, `mode`, `messageId`, `bytes`, `offset`, `length`. */
export const EVENT_MESSAGE = 2;
/** A payload of a raw flow: `bytes`, `offset`, `length`. */
export const EVENT_RAW = 3;
/** The peer sent CLOSE: `code`, and the UTF-8 reason in `bytes`, `offset`, `length`. */
export const EVENT_CLOSED = 4;
/** The peer broke the protocol and the flow is closing: `code` is a VIOLATION_ number. */
export const EVENT_VIOLATION = 5;
/** After `watchDrained`: every reliable message given to `send` has been acknowledged. */
export const EVENT_DRAINED = 6;
/** What became of a message sent with a receipt: `receipt`, `code` is RECEIPT_…; once for each. */
export const EVENT_RECEIPT = 7;
/** After SEND_FULL: half of the buffer is free again; once for each time it was full. */
export const EVENT_WRITABLE = 8;

/** The peer has the message. */
export const RECEIPT_ACKED = 1;
/**
 * Unreliable: every packet that carried it (or one that carried a piece of it) was declared lost, or
 * pieces of it stayed unsent. It may have arrived all the same, unless it was in pieces.
 */
export const RECEIPT_LOST = 2;
/** Never sent: it expired first, or a newer message of its key took its place. */
export const RECEIPT_DROPPED = 3;

/** Where a channel stands unless its ChannelOptions say otherwise. */
export const CHANNEL_PRIORITY_DEFAULT = 4;

/** What EVENT_VIOLATION says; the peer gets CLOSE with CLOSE_PROTOCOL_ERROR and the name. */
export const VIOLATION_ACK_NEVER_SENT = 1;
export const VIOLATION_SENDER_RULE = 2;
export const VIOLATION_PARAMS = 3;
export const VIOLATION_NAMES: readonly string[] = [
  '',
  'ack-never-sent',
  'sender-rule',
  'params-too-small',
];

/** The CLOSE code of a violation, as on WebSocket (RFC 6455 §7.4.1). */
export const CLOSE_PROTOCOL_ERROR = 1002;

/**
 * The one event object of a Protocol, overwritten by each pollEvent. `bytes` is readable until the
 * next pollEvent or handlePacket.
 */
export class ProtocolEvent {
  kind = EVENT_NONE;
  slot = 0;
  channel = 0;
  mode = 0;
  /** u16; 0 for unfragmented unreliable messages, which carry none. */
  messageId = 0;
  bytes: Uint8Array;
  offset = 0;
  length = 0;
  code = 0;
  /** The number given to `send`. */
  receipt = 0;
  /** u32 */
  registryHash = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

export interface ProtocolOptions {
  /** Slots are 0 … maxFlows − 1. */
  maxFlows: number;
  /** Seeds the packet number skips; give it entropy in production. */
  seed: number;
  /** u32 of the message registry, told to the peer. */
  registryHash: number;
  /** How long an acknowledgement may wait, told to the peer; 25,000, or one tick + 5 ms. */
  maxAckDelayUs: number;
  /**
   * Under a tick driver the time between two turns, so that what a tick's time allows may leave at
   * once; default 0: whenever something is due there is a turn.
   */
  turnUs?: number;
  limits?: ProtocolLimits;
  /** By channel; a local choice of the sender, the peer need not know. */
  channels?: readonly (ChannelOptions | undefined)[];
}

/** Limits that an application may lower (or a test may turn); defaults are in util/limits.ts. */
export interface ProtocolLimits {
  channels?: number;
  /** Largest reliable message taken from the peer. */
  messageBytes?: number;
  /** Largest unreliable message taken from the peer. */
  unreliableMessageBytes?: number;
  /** Reliable ids per channel and mode taken ahead of the oldest missing one. */
  windowIds?: number;
  receiveBudgetBytes?: number;
  partials?: number;
  /** All flows together, receive side. */
  reassemblyBytes?: number;
  /** Buffered for sending, per flow. */
  sendReliableBytes?: number;
  sendUnreliableBytes?: number;
  /** All flows together, send side. */
  sendBytes?: number;
  /** First packet number (default 0), for tests of the wrap. */
  firstSequence?: number;
  /** First message id of every channel and mode; both ends must agree. Tests only. */
  firstMessageId?: number;
}

/** Figures of one flow; counts since openFlow, modulo 2^32. */
export class ProtocolStats {
  srttUs = 0;
  rttVarUs = 0;
  latestRttUs = 0;
  minRttUs = 0;
  /** RFC 3550 §6.4.1 interarrival jitter of stamped packets. */
  jitterUs = 0;
  /** What rate control allows, bytes per second with all headers. */
  rateBytesPerS = 0;
  inFlightPackets = 0;
  /** Bytes accepted by send and not yet acknowledged (reliable) or packed (unreliable). */
  queuedBytes = 0;
  packetsIn = 0;
  packetsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  messagesIn = 0;
  messagesOut = 0;
  /** Message frames sent again after a loss or as a probe. */
  resends = 0;
  /** Message frames sent again before any loss was known, in room that was left. */
  spares = 0;
  /** Unreliable messages given up before they were sent: expired, outrun, displaced, superseded. */
  droppedOut = 0;
  /** Packets declared lost, and those of them that were acknowledged after all. */
  lost = 0;
  spuriousLost = 0;
  acksOut = 0;
  /** Whether a message waits to be sent for the first time, and since when; int32 µs. */
  hasUnsent = false;
  unsentSinceUs = 0;
}
