/** A netcode flow that was admitted. Cold: one object per connection. */
export interface OpenedFlow {
  slot: number;
  /** u64 of the connect token (the server's view; at the client its index). */
  clientId: bigint;
  /** `ip:port` of the peer. */
  address: string;
  /** 256 B copied out of the token's private part; zeros at the client. */
  userData: Uint8Array;
}

/** Why a flow is over. Codes are those of `util/close-codes.ts`. */
export interface ClosedFlow {
  code: number;
  reason: string;
  wasClean: boolean;
  /** Another flow of the same client id took its place. */
  isReplaced?: boolean;
  /** What a server said before it denied (docs/wire/nx.md): 1 full, 2 busy, 3 no NX; 0 s: unknown. */
  refusal?: { readonly code: number; readonly retryAfterS: number };
}

/**
 * What a turn tells its owner, in order per flow: opened, ready or raw, messages, closed. Called
 * between packets, never from the middle of a parse; `bytes` are valid until the call returns.
 */
export interface RuntimeHandler {
  handleFlowOpened(flow: OpenedFlow): void;
  /** Both PARAMS are known; messages may be sent. */
  handleFlowReady(slot: number, registryHash: number): void;
  handleMessage(
    slot: number,
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ageUs: number,
  ): void;
  /** Messages of this flow come soon: reads what they will need. Any number, of any slot. */
  touch?(slot: number): number;
  /** A payload of a flow that does not speak RL1. */
  handleRawPayload(slot: number, bytes: Uint8Array, offset: number, length: number): void;
  /** The peer goes on from another address (`ip:port`). */
  handleFlowMoved(slot: number, address: string): void;
  /** The flow ended without our asking. Nothing more of it comes. */
  handleFlowClosed(slot: number, closed: ClosedFlow): void;
  /** Every reliable message of the flow has been acknowledged (after `watchDrained`). */
  handleDrained(slot: number): void;
  /** What became of a message sent with a receipt: `outcome` is RECEIPT_ACKED 1, LOST 2, DROPPED 3. */
  handleReceipt(slot: number, receipt: number, outcome: number): void;
  /** After `send` said full: half of the buffer is free again. */
  handleWritable(slot: number): void;
  /** `ticksDue` ≥ 1 ticks have come; above 1 the process was late. */
  handleTick(ticksDue: number): void;
  /** The deadline set by `setHandlerDeadline` has come. */
  handleDeadline(): void;
}
