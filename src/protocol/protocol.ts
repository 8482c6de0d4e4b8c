/**
 * RL1, the reliability layer inside netcode payloads, as a sans-IO core.
 *
 * The contract
 * - Mutate once (`openFlow`, `handlePacket`, `send`, `close`, `handleTimeout`, `freeFlow`), then
 *   drain `pollEvent` until EVENT_NONE, then `pollTransmit` until 0, then sleep until `deadlineUs`.
 * - Events are drained straight after each `handlePacket`: a message that arrived whole points into
 *   the bytes of that packet. Events may call any method but `handlePacket`.
 * - Time is an argument: int32 wrapping microseconds, never going back. Randomness is the seed.
 * - Bytes off the wire are checked completely before anything of them is applied, and refused with
 *   a DropReason number; nothing here throws over them. Misuse of the API throws RangeError.
 * - The caller owns every buffer; `send` copies; `pollTransmit` writes into the caller's buffer.
 * - No allocation per packet in steady state; no scan over all flows: flows with work stand in a
 *   list, flows with a deadline in one timer wheel.
 */
import { assert } from '../util/assert.js';
import * as limits from '../util/limits.js';
import {
  EVENT_DRAINED,
  EVENT_NONE,
  type ProtocolEvent,
  type ProtocolOptions,
  type ProtocolStats,
} from './api.js';
import { clockOffsetUs, clockSampleCount, readClockSample } from './clock.js';
import { Core } from './core.js';
import { nextEvent, pushEvent, releaseDelivered } from './events.js';
import { freeFlow, openFlow, startClose } from './flow.js';
import { checkInvariants, type PoolUsage, readPools } from './invariants.js';
import * as L from './layout.js';
import { PacketWriter } from './packet-writer.js';
import { changePath } from './path.js';
import { budgetBytes } from './rate.js';
import { receivePacket } from './receive-packet.js';
import { sendMessage } from './send.js';
import { readStats } from './stats.js';
import { markDirty, popDirty } from './streams.js';
import { armTimers, fireTimers } from './timers.js';
import { hasWork, transmitFlow } from './transmit.js';
import { readUnacked, type Unacked } from './unacked.js';

export * from './api.js';
export { DROP_REASON_NAMES, TALLY_NAMES } from './drop-reason.js';
export type { PoolUsage } from './invariants.js';
export type { Unacked, UnackedMessage } from './unacked.js';

export class Protocol {
  /** Overwritten by each pollEvent. */
  readonly event: ProtocolEvent;
  /** Packets per DropReason; index 0 counts accepted ones. Names: DROP_REASON_NAMES. */
  readonly counters: Float64Array;
  /**
   * Frames and messages set aside inside accepted packets or before sending. Names: TALLY_NAMES.
   */
  readonly tallies: Float64Array;
  /** The flow that the last pollTransmit wrote a packet for; −1 when there was none. */
  transmitSlot = -1;
  private readonly core: Core;
  private readonly writer = new PacketWriter();

  constructor(options: ProtocolOptions) {
    this.core = new Core(options);
    this.event = this.core.event;
    this.counters = this.core.counters;
    this.tallies = this.core.tallies;
  }

  /** True when handleTimeout must be called at `deadlineUs`. */
  get hasDeadline(): boolean {
    return this.core.wheel.hasDeadline;
  }

  /**
   * The next deadline of all flows, int32 µs; it may be early, never late by more than 1,024 µs.
   */
  get deadlineUs(): number {
    return this.core.wheel.deadlineUs;
  }

  /**
   * A flow begins in a free slot. `role` is ROLE_CLIENT, ROLE_SERVER or ROLE_RAW; `maxPayloadBytes`
   * 1080…1300 is the largest payload to write. A client starts with "GGRL1" and its PARAMS.
   */
  openFlow(slot: number, role: number, nowUs: number, maxPayloadBytes: number): void {
    const f = this.flowAt(slot);
    this.core.wheel.follow(nowUs);
    openFlow(this.core, f, role, nowUs, maxPayloadBytes);
    armTimers(this.core, f);
  }

  /**
   * Everything the flow held is free again; no further event of it comes. A free slot is left
   * alone.
   */
  freeFlow(slot: number): void {
    const f = this.flowAt(slot);
    if (this.core.flows[f + L.F_STATE] !== L.STATE_FREE) {
      freeFlow(this.core, f);
    }
  }

  /**
   * One netcode payload: 0 when accepted, else the DropReason (named by DROP_REASON_NAMES, counted
   * in `counters`). `arrivalUs` ≤ `nowUs` is when the kernel had it.
   */
  handlePacket(
    slot: number,
    nowUs: number,
    arrivalUs: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): number {
    const core = this.core;
    const f = this.flowAt(slot);
    assert(offset >= 0 && length >= 0 && offset + length <= bytes.length, 'bytes out of range');
    releaseDelivered(core);
    core.wheel.follow(nowUs);
    const reason = receivePacket(core, f, nowUs, arrivalUs, bytes, offset, length);
    core.counters[reason] += 1;
    return reason;
  }

  /**
   * Takes a message (copied) for sending: SEND_OK, SEND_QUEUED, SEND_FULL, SEND_TOO_LARGE or
   * SEND_CLOSED. `expiresUs` > 0 drops it when it has not been packed so many µs from now. `key` >
   * 0 replaces the unsent message of the same channel, mode and key; `key` < 0 names the kind of a
   * sequenced message, which is not sent any more once a later one of its kind waits behind it.
   * `redundancy` copies ride in the next packets (messages ≤ 256 B of modes that carry ids, at most
   * 7). `receipt` ≠ 0, an int32 of the caller's, asks for an EVENT_RECEIPT that names it; the end of
   * the flow answers those that are open.
   */
  send(
    slot: number,
    nowUs: number,
    channel: number,
    mode: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt = 0,
  ): number {
    return sendMessage(
      this.core,
      this.flowAt(slot),
      nowUs,
      channel,
      mode,
      bytes,
      offset,
      length,
      expiresUs,
      key,
      redundancy,
      receipt,
    );
  }

  /**
   * Drops all that is queued and sends CLOSE with `code` (u16) and `reason` (≤ 64 bytes of UTF-8);
   * the caller then closes the netcode flow and frees the slot. No message of it comes any more, not
   * from the packet at hand either. For an orderly end, watchDrained first.
   */
  close(slot: number, _nowUs: number, code: number, reason: Uint8Array | null): void {
    const f = this.flowAt(slot);
    assert(code >= 0 && code <= 0xffff, 'code must be a u16');
    assert(
      reason === null || reason.length <= limits.CLOSE_REASON_BYTES_MAX,
      'reason must be at most 64 bytes',
    );
    const state = this.core.flows[f + L.F_STATE];
    if (state !== L.STATE_FREE && state < L.STATE_CLOSING) {
      startClose(this.core, f, code, reason);
    }
  }

  /**
   * The peer of this flow moved to another address; with `portOnly` just to another port of it (a NAT
   * rebinding). Round-trip time and rate begin anew unless `portOnly`.
   */
  pathChanged(slot: number, nowUs: number, portOnly: boolean): void {
    const f = this.flowAt(slot);
    this.core.wheel.follow(nowUs);
    if (this.core.flows[f + L.F_STATE] === L.STATE_READY) {
      changePath(this.core, f, nowUs, portOnly);
    }
  }

  /** True once both PARAMS are known and until the flow closes. */
  isReady(slot: number): boolean {
    return this.core.flows[this.flowAt(slot) + L.F_STATE] === L.STATE_READY;
  }

  /**
   * From now on only acknowledgements are taken. None is given any more: of the packet at hand nobody
   * may hear the rest.
   */
  part(slot: number): void {
    const at = this.flowAt(slot) + L.F_FLAGS;
    const given = L.FLAG_RECEIVED | L.FLAG_ACK_NOW | L.FLAG_ACK_TIMER;
    this.core.flows[at] = (this.core.flows[at] & ~given) | L.FLAG_PARTING;
  }

  /** What the peer has not acknowledged of all that `send` took in a reliable mode; copies. */
  unacked(slot: number): Unacked {
    return readUnacked(this.core, this.flowAt(slot));
  }

  /** Whether a reliable message of a flow that is ready waits to be sent or acknowledged. */
  hasUnacked(slot: number): boolean {
    const f = this.flowAt(slot);
    const { flows } = this.core;
    return flows[f + L.F_STATE] === L.STATE_READY && flows[f + L.F_UNACKED_COUNT] > 0;
  }

  /** EVENT_DRAINED comes once, as soon as no reliable message waits for its acknowledgement. */
  watchDrained(slot: number): void {
    const f = this.flowAt(slot);
    const flows = this.core.flows;
    if (flows[f + L.F_UNACKED_COUNT] === 0) {
      pushEvent(this.core, f, EVENT_DRAINED, 0, 0, 0, 0, 0);
    } else {
      flows[f + L.F_FLAGS] |= L.FLAG_WATCH_DRAINED;
    }
  }

  /**
   * Fires what is due at `nowUs`; cheap when nothing is. Of very many flows the rest is left for the next
   * call, and `deadlineUs` has come: a process that is late must look at what has arrived in between, or
   * it probes flows whose acknowledgements wait in its socket.
   */
  handleTimeout(nowUs: number): void {
    const { wheel } = this.core;
    wheel.follow(nowUs);
    for (let left = limits.TIMERS_AT_ONCE; left > 0; left -= 1) {
      const slot = wheel.takeDue(nowUs);
      if (slot < 0) {
        return;
      }
      fireTimers(this.core, slot << L.FLOW_STRIDE_LOG2, nowUs);
    }
  }

  /**
   * Writes the next payload of any flow to `bytes` from `offset` and answers its length; 0 when no
   * flow has one. `transmitSlot` names the flow. `capacity` must be at least its maxPayloadBytes.
   */
  pollTransmit(nowUs: number, bytes: Uint8Array, offset: number, capacity: number): number {
    while (this.core.dirtyHead >= 0) {
      const length = this.transmitNext(nowUs, bytes, offset, capacity);
      if (length > 0) {
        return length;
      }
    }
    this.transmitSlot = -1;
    return 0;
  }

  /**
   * The flow that `transmitNext` would write for, −1 when no flow has work: for callers whose buffer
   * depends on the flow.
   */
  get nextTransmitSlot(): number {
    return this.core.dirtyHead;
  }

  /** `pollTransmit` for `nextTransmitSlot` alone; 0 when that flow has nothing to say after all. */
  transmitNext(nowUs: number, bytes: Uint8Array, offset: number, capacity: number): number {
    const core = this.core;
    const slot = core.dirtyHead;
    assert(slot >= 0, 'no flow has work');
    assert(offset >= 0 && offset + capacity <= bytes.length, 'bytes out of range');
    core.wheel.follow(nowUs);
    const f = slot << L.FLOW_STRIDE_LOG2;
    assert(capacity >= core.flows[f + L.F_MAX_PAYLOAD], 'capacity below the flow’s payload');
    const length = transmitFlow(core, this.writer, f, nowUs, bytes, offset);
    popDirty(core);
    if (length > 0) {
      if (hasWork(core, f, nowUs)) {
        markDirty(core, f);
      }
      this.transmitSlot = slot;
    }
    return length;
  }

  /** The next event into `event`; returns its kind, EVENT_NONE when there is none. */
  pollEvent(): number {
    return this.core.events.size === 0 && this.core.delivered === 0
      ? EVENT_NONE
      : nextEvent(this.core);
  }

  /** Fills `out`; false for a free slot. */
  stats(slot: number, out: ProtocolStats): boolean {
    return readStats(this.core, this.flowAt(slot), out);
  }

  /** Bytes that send has accepted and that are not yet acknowledged or, if unreliable, packed. */
  queuedBytes(slot: number): number {
    const f = this.flowAt(slot);
    return this.core.flows[f + L.F_RELIABLE_BYTES] + this.core.flows[f + L.F_UNRELIABLE_BYTES];
  }

  /**
   * Bytes that would leave at once, packet headers included (some 70 B a packet): what the rate allows
   * now, less what waits already. 0 for a flow that does not speak RL1 yet, or any more.
   */
  budget(slot: number, nowUs: number): number {
    const f = this.flowAt(slot);
    return this.core.flows[f + L.F_STATE] === L.STATE_READY ? budgetBytes(this.core, f, nowUs) : 0;
  }

  /** True once a TIME_REQ of this client flow has been answered. */
  hasClock(slot: number): boolean {
    return this.core.flows[this.flowAt(slot) + L.F_CLOCK_BLOCK] !== 0;
  }

  /**
   * Peer's clock − own clock, µs, wrapping; from the exchange with the least RTT of the last eight.
   */
  serverOffsetUs(slot: number): number {
    return clockOffsetUs(this.core, this.flowAt(slot));
  }

  /** How many TIME_REQ of this client flow have been answered. */
  clockSampleCount(slot: number): number {
    return clockSampleCount(this.core, this.flowAt(slot));
  }

  /**
   * Answer `index`, counted from 0, of which the last eight are kept: its round trip, the peer's clock
   * less ours by its middle, and when it arrived, µs, into three words of `out`. False when it is not
   * kept.
   */
  clockSample(slot: number, index: number, out: Int32Array): boolean {
    return readClockSample(this.core, this.flowAt(slot), index, out);
  }

  /** What all pools hold; not for the hot path. */
  pools(): PoolUsage {
    return readPools(this.core);
  }

  /** Throws when the structures contradict each other; for tests and the simulator. */
  checkInvariants(): void {
    checkInvariants(this.core);
  }

  /** Reads a word of every cache line of the flow's record; see Lookahead. The sum means nothing. */
  touch(slot: number): number {
    const { flows } = this.core;
    const f = slot << L.FLOW_STRIDE_LOG2;
    // A loop wins half as much.
    return (
      (flows[f] +
        flows[f + 16] +
        flows[f + 32] +
        flows[f + 48] +
        flows[f + 64] +
        flows[f + 80] +
        flows[f + 96] +
        flows[f + 112]) |
      0
    );
  }

  private flowAt(slot: number): number {
    const f = slot << L.FLOW_STRIDE_LOG2;
    assert(slot >= 0 && f < this.core.flows.length, 'slot out of range');
    return f;
  }
}
