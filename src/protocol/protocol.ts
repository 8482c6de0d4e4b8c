/**
 * RL1, the reliability layer inside netcode payloads, as a sans-IO core.
 *
 * The contract
 * - Mutate once (`openFlow`, `handlePacket`, `send`, `close`, `handleTimeout`, `freeFlow`), then drain
 *   `pollEvent` until EVENT_NONE, then `pollTransmit` until 0, then sleep until `deadlineUs`.
 * - Events are drained straight after each `handlePacket`: a message that arrived whole points into the
 *   bytes of that packet. Events may call any method but `handlePacket`.
 * - Time is an argument: int32 wrapping microseconds, never going back. Randomness is the seed.
 * - Bytes off the wire are checked completely before anything of them is applied, and refused with a
 *   DropReason number; nothing here throws over them. Misuse of the API throws RangeError.
 * - The caller owns every buffer; `send` copies; `pollTransmit` writes into the caller's buffer.
 * - No allocation per packet in steady state; no scan over all flows: flows with work stand in a list,
 *   flows with a deadline in one timer wheel.
 */
import type { ProtocolOptions } from './api.js';
import { EVENT_NONE, ProtocolEvent, type ProtocolStats, SEND_CLOSED } from './api.js';
import { DROP_FLOW_CLOSED, DROP_REASON_NAMES, TALLY_NAMES } from './drop-reason.js';

export * from './api.js';
export { DROP_REASON_NAMES, TALLY_NAMES } from './drop-reason.js';

export class Protocol {
  /** Overwritten by each pollEvent. */
  readonly event: ProtocolEvent = new ProtocolEvent(new Uint8Array(0));
  /** Packets per DropReason; index 0 counts accepted ones. Names: DROP_REASON_NAMES. */
  readonly counters: Float64Array = new Float64Array(DROP_REASON_NAMES.length);
  /** Frames and messages that were set aside inside accepted packets. Names: TALLY_NAMES. */
  readonly tallies: Float64Array = new Float64Array(TALLY_NAMES.length);
  /** The flow that the last pollTransmit wrote a packet for. */
  transmitSlot = -1;
  /** When to call handleTimeout, if `hasDeadline`. */
  deadlineUs = 0;
  hasDeadline = false;

  constructor(_options: ProtocolOptions) {}

  /** A flow begins. `maxPayloadBytes` 1080…1300. A client starts with "GGRL1" and its PARAMS. */
  openFlow(_slot: number, _role: number, _nowUs: number, _maxPayloadBytes: number): void {}

  /** Everything the flow held is free again; no further event of it comes. */
  freeFlow(_slot: number): void {}

  /** One netcode payload; 0 when accepted, else the DropReason. `arrivalUs` is the kernel's time. */
  handlePacket(
    _slot: number,
    _nowUs: number,
    _arrivalUs: number,
    _bytes: Uint8Array,
    _offset: number,
    _length: number,
  ): number {
    return DROP_FLOW_CLOSED;
  }

  /**
   * Takes a message (copied) for sending: SEND_OK, SEND_QUEUED, SEND_FULL, SEND_TOO_LARGE, SEND_CLOSED.
   * `expiresUs` > 0 drops it when it has not been packed so many µs from now; `key` ≠ 0 replaces the
   * unsent message of the same channel, mode and key; `redundancy` copies ride in the next packets
   * (messages ≤ 256 B of modes that carry ids).
   */
  send(
    _slot: number,
    _nowUs: number,
    _channel: number,
    _mode: number,
    _bytes: Uint8Array,
    _offset: number,
    _length: number,
    _expiresUs: number,
    _key: number,
    _redundancy: number,
  ): number {
    return SEND_CLOSED;
  }

  /** Sends CLOSE (reason ≤ 64 bytes of UTF-8) and nothing more; the caller closes the netcode flow. */
  close(_slot: number, _nowUs: number, _code: number, _reason: Uint8Array | null): void {}

  /** EVENT_DRAINED comes once, when no reliable message is waiting for its acknowledgement. */
  watchDrained(_slot: number): void {}

  /** Fires what is due at `nowUs`. */
  handleTimeout(_nowUs: number): void {}

  /**
   * Writes the next packet of any flow; its length, or 0 when no flow has one. `transmitSlot` names the
   * flow. `capacity` must be at least the flow's maxPayloadBytes.
   */
  pollTransmit(_nowUs: number, _bytes: Uint8Array, _offset: number, _capacity: number): number {
    return 0;
  }

  /** The next event into `event`; returns its kind, EVENT_NONE when there is none. */
  pollEvent(): number {
    return EVENT_NONE;
  }

  stats(_slot: number, _out: ProtocolStats): boolean {
    return false;
  }

  /** Bytes that send has accepted and that are not yet acknowledged or, if unreliable, packed. */
  queuedBytes(_slot: number): number {
    return 0;
  }

  /** True once the clients's TIME_REQ has been answered. */
  hasClock(_slot: number): boolean {
    return false;
  }

  /** Peer's clock − own clock, µs, wrapping; from the exchange with the least RTT of the last eight. */
  serverOffsetUs(_slot: number): number {
    return 0;
  }
}
