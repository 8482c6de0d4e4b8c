/**
 * A session's link on the UDP wire: dispatches and counts the messages of one flow; sending is its
 * outbox's. It never sees a socket. The flow's acknowledgements are the session's too: what the flow
 * acknowledges has been delivered here, and a frozen link acknowledges nothing.
 *
 *   awaits server (client) ──$hello, $resumed──▶ open
 *   awaits resume (server) ──$resume──▶ unconfirmed ──any message──▶ open ──▶ frozen, closed
 */
import {
  DECODE_OK,
  DECODE_RUNTIME,
  type MessageType,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  type Mode,
} from '../messages/types.js';
import {
  BinaryOutbox,
  type BinaryOutboxContext,
  type BinaryOutboxEvents,
  OUT_CLOSED,
  OUT_HELD,
  OUT_OPEN,
  OUT_UNCONFIRMED,
} from './binary-outbox.js';
import {
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_SCHEMA_MISMATCH,
  cutReason,
} from './close-codes.js';
import { ID_ACK, ID_LEAD, type LeadReport, readLead } from './control.js';
import { dispatchDecoded, isAsDeclared } from './dispatch-message.js';
import { DROP_BAD_CONTROL, DROP_BEFORE_HELLO, DROP_WRONG_MODE } from './drops.js';
import { HeldMessages } from './held-messages.js';
import { CONTROL_CHANNEL, laneOf, RECEIPT_GREETING } from './limits.js';
import type { PeerContext, PeerStart } from './peer-context.js';
import { ReceiveNumbers } from './receive-numbers.js';
import type { Report } from './report.js';
import type { LogSink, SessionPeer } from './session-peer.js';
import type { ReceiptOutcome, SendOptions, SendResult } from './types.js';

export interface BinaryPeerContext<O>
  extends PeerContext<O, BinaryPeer<O>>,
    Omit<BinaryOutboxContext, 'registry'> {}

const OPEN = 0;
const AWAITS_SERVER = 1;
const AWAITS_RESUME = 2;
const UNCONFIRMED = 3;
const FROZEN = 4;
const CLOSED = 5;
const PHASES = { linked: OPEN, 'awaits-server': AWAITS_SERVER, 'awaits-resume': AWAITS_RESUME };

export class BinaryPeer<O> implements SessionPeer, BinaryOutboxEvents {
  readonly wire = 'udp' as const;
  readonly slot: number;
  /** Whom the handlers get; set with the session at a link that awaited `$resume`. */
  owner: O;
  messagesIn = 0;
  readonly #context: BinaryPeerContext<O>;
  readonly #outbox: BinaryOutbox;
  #phase: number;
  #received: ReceiveNumbers | null = null;
  #comesBack = false;
  #isGone = false;
  readonly #held: HeldMessages | null;

  constructor(context: BinaryPeerContext<O>, owner: O, slot: number, start: PeerStart) {
    this.#context = context;
    this.owner = owner;
    this.slot = slot;
    this.#phase = PHASES[start];
    const state = start === 'linked' ? OUT_UNCONFIRMED : OUT_HELD;
    this.#outbox = new BinaryOutbox(context, slot, state, this);
    this.#held = start === 'awaits-server' ? new HeldMessages() : null;
  }

  get isClosed(): boolean {
    return this.#phase === CLOSED;
  }

  /** How long the oldest message that waits for a link has, ms. */
  get heldAgeMs(): number {
    return this.#outbox.heldAgeMs;
  }

  get messagesOut(): number {
    return this.#outbox.messagesOut;
  }

  get droppedOut(): number {
    return this.#outbox.droppedOut;
  }

  /** Whether nothing reliable lies here: while the link is open, the flow may have some. */
  get isDrained(): boolean {
    return this.#outbox.isDrained;
  }

  /** Whether accepted messages wait for the link. */
  get hasUnsent(): boolean {
    return this.#outbox.hasUnsent;
  }

  /** See `Player.budget`. */
  budget(): number {
    return this.#phase === OPEN ? this.#context.port.budget(this.slot) : 0;
  }

  /** PARAMS came: when the registries differ, tell ours and speak JSON until theirs is known. */
  handleReady(peerRegistryHash: number): void {
    if (peerRegistryHash !== this.#context.registry.hash) this.#outbox.tellTypes();
  }

  /** @throws MessageError when the value does not fit its type, or the type name is reserved */
  send(type: string, value: unknown, options?: SendOptions): SendResult {
    return this.#outbox.send(type, value, options);
  }

  /** Whether an encoding made for equal registries serves this peer too (see broadcast). */
  takesEncoded(type: MessageType | undefined): boolean {
    return this.#outbox.takesEncoded(type);
  }

  /** Sends bytes that the registry encoded; `type` undefined means JSON of an unregistered name. */
  sendEncoded(
    type: MessageType | undefined,
    bytes: Uint8Array,
    length: number,
    options?: SendOptions,
  ): SendResult {
    return this.#outbox.sendEncoded(type, bytes, length, options);
  }

  /** Calls back once a sender that was told `full` has room again, or on close. */
  watchWritable(callback: () => void): void {
    this.#outbox.watchWritable(callback);
  }

  /** The flow has room again. */
  handleWritable(): void {
    this.#outbox.handleWritable();
  }

  /** The flow tells what became of a message. */
  handleReceipt(receipt: number, outcome: ReceiptOutcome): void {
    if (receipt === RECEIPT_GREETING) this.#handleGreeted();
    else this.#outbox.handleReceipt(receipt, outcome);
  }

  handleWaiting(): void {
    this.#sendWaiting();
  }

  handleOutcome(receipt: number, outcome: ReceiptOutcome): void {
    this.#context.onReceipt(this, receipt, outcome);
  }

  handleUnfit(code: number, reason: string): void {
    if (this.#phase < FROZEN) this.#fail(code, reason);
  }

  sendControl(name: string, payload: unknown): void {
    this.#outbox.sendControl(name, payload);
  }

  /** Says `$hello` (server); until the client has it, everything sent is kept. */
  greet(hello: unknown): void {
    this.#outbox.greet(hello);
  }

  /** Tells how inputs arrive. */
  sendLead(report: LeadReport): void {
    this.#outbox.sendLead(report);
  }

  /** See RuntimeHandler.touch. */
  touch(): number {
    return this.messagesIn + this.#outbox.touch() + (this.#received?.next(0) ?? 0);
  }

  /** A reassembled message of this flow. Refusals are counted, never thrown. */
  handleMessage(
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ageUs: number,
  ): void {
    if (this.#phase !== OPEN && !this.#admits(channel, mode, messageId, bytes, offset, length)) {
      return;
    }
    if (channel === CONTROL_CHANNEL) {
      this.#handleControl(bytes, offset, length);
      return;
    }
    if (mode >= MODE_RELIABLE_UNORDERED) this.#countReliable(channel, mode, messageId);
    const { registry, drops } = this.#context;
    const status = registry.decode(bytes, offset, length);
    if (status !== DECODE_OK) {
      drops.count(status === DECODE_RUNTIME ? DROP_BAD_CONTROL : status);
      return;
    }
    const { type, id } = registry.decoded;
    if (!isAsDeclared(type, id, mode, channel)) {
      drops.count(DROP_WRONG_MODE);
      return;
    }
    this.messagesIn++;
    const meta = this.#context.dispatcher.udpMeta;
    meta.mode = mode as Mode;
    meta.channel = channel;
    meta.ageMs = ageUs / 1000;
    dispatchDecoded(this.#context, this.owner, meta);
  }

  /** What found no room in the flow is looked at again. */
  flushAck(): void {
    this.#comesBack = false;
    if (this.#phase < FROZEN) this.#sendWaiting();
  }

  close(code: number, reason: string): void {
    if (this.#phase === CLOSED) return;
    const isLeft = this.#phase === FROZEN; // the session goes on elsewhere, with all that was sent
    this.#setPhase(CLOSED, OUT_CLOSED);
    if (this.#isGone) return;
    this.#context.port.closeFlow(this.slot, code, cutReason(reason), isLeft);
    this.#context.onClosed?.(this);
  }

  /** The flow is gone, and its slot may soon be another one's. */
  handleGone(): void {
    this.#isGone = true;
    this.freeze();
  }

  freeze(): void {
    if (this.#phase < FROZEN) this.#setPhase(FROZEN, OUT_HELD);
  }

  report(): Report {
    return { lanes: this.#received?.report() ?? [] };
  }

  applyReport(report: Report): boolean {
    return this.#outbox.applyReport(report);
  }

  moveLogTo(sink: LogSink): void {
    this.#outbox.moveLogTo(sink);
  }

  takeBytes(...message: Parameters<LogSink['takeBytes']>): void {
    this.#outbox.takeBytes(...message);
  }

  takeText(text: string, receipt: number): void {
    this.#outbox.takeText(text, receipt);
  }

  open(isConfirmed: boolean): void {
    if (this.#phase >= FROZEN) return;
    if (isConfirmed) this.#setPhase(OPEN, OUT_OPEN);
    else this.#setPhase(UNCONFIRMED, OUT_UNCONFIRMED);
    this.#sendWaiting();
    for (const { channel, mode, messageId, bytes } of this.#held?.take() ?? []) {
      this.handleMessage(channel, mode, messageId, bytes, 0, bytes.length, 0);
    }
  }

  confirm(): void {
    this.#outbox.sendAck();
  }

  #setPhase(phase: number, out: number): void {
    this.#phase = phase;
    this.#outbox.setState(out);
  }

  #fail(code: number, reason: string): void {
    this.#context.onBroken(this, code, reason);
  }

  /** Whether a message may be looked at in a phase that is not OPEN. */
  #admits(
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): boolean {
    if (this.#phase >= FROZEN) return false;
    if (this.#phase === UNCONFIRMED) {
      this.#setPhase(OPEN, OUT_OPEN);
      this.#context.onConfirmed?.(this);
      this.#sendWaiting();
      return true;
    }
    if (channel === CONTROL_CHANNEL) return true;
    if (this.#phase === AWAITS_RESUME) this.#fail(CLOSE_POLICY_VIOLATION, 'no $resume');
    else this.#hold(channel, mode, messageId, bytes.slice(offset, offset + length));
    return false;
  }

  #hold(channel: number, mode: number, messageId: number, bytes: Uint8Array): void {
    if ((this.#held as HeldMessages).push(channel, mode, messageId, bytes)) return;
    this.#context.drops.count(DROP_BEFORE_HELLO);
    if (mode >= MODE_RELIABLE_UNORDERED) this.#fail(CLOSE_PROTOCOL_ERROR, 'no $hello');
  }

  /** Hands over what waits for the link; what finds no room is looked at again with the next flush. */
  #sendWaiting(): void {
    if (!this.#outbox.hasUnsent) return;
    if (!this.#outbox.flush()) this.#comeBack();
    else if (!this.#outbox.hasUnsent) this.#context.onDrained(this); // who waits looks again
  }

  #countReliable(channel: number, mode: number, messageId: number): void {
    this.#received ??= new ReceiveNumbers();
    const lane = laneOf(channel, mode);
    if (mode === MODE_RELIABLE_ORDERED) this.#received.deliverOrdered(lane);
    else this.#received.deliverUnordered(lane, messageId);
  }

  /** The client has `$hello`. */
  #handleGreeted(): void {
    if (this.#phase !== OPEN) return;
    this.#outbox.setState(OUT_OPEN);
    this.#sendWaiting();
  }

  /** `flushAck` is called within SESSION_ACK_ROUND_MS. */
  #comeBack(): void {
    if (this.#comesBack) return;
    this.#comesBack = true;
    this.#context.acks.add(this);
  }

  #handleControl(bytes: Uint8Array, offset: number, length: number): void {
    const { registry, drops } = this.#context;
    const { decoded } = registry;
    let isFine = false;
    if (registry.decode(bytes, offset, length) === DECODE_RUNTIME) {
      if (decoded.id === ID_ACK) {
        isFine = decoded.bodyLength === 0; // it has confirmed the link by coming
      } else if (decoded.id === ID_LEAD) {
        isFine = this.#handleLead(decoded.bytes, decoded.bodyOffset, decoded.bodyLength);
      } else if (decoded.id === 0) {
        isFine = this.#handleControlFrame(decoded.name, decoded.payload);
      }
    }
    if (isFine) return;
    drops.count(DROP_BAD_CONTROL);
    this.#fail(CLOSE_PROTOCOL_ERROR, 'malformed session message');
  }

  #handleLead(bytes: Uint8Array, offset: number, length: number): boolean {
    const { onLead } = this.#context;
    const report = readLead(bytes, offset, length);
    if (report === null || onLead === null) return false;
    if (this.#phase === OPEN) onLead(this, report); // ahead of the session it says nothing
    return true;
  }

  #handleControlFrame(name: string, payload: unknown): boolean {
    const context = this.#context;
    if (name === '$types') return this.#handleTypes(payload);
    let handler: ((peer: this, payload: unknown) => void) | null = null;
    if (this.#phase === AWAITS_SERVER && name === '$hello') handler = context.onHello;
    if (this.#phase === AWAITS_SERVER && name === '$resumed') handler = context.onResumed;
    if (this.#phase === AWAITS_RESUME && name === '$resume') handler = context.onResume;
    if (handler === null) return false;
    handler(this, payload);
    return true;
  }

  #handleTypes(payload: unknown): boolean {
    const conflict = this.#outbox.handleTypes(payload);
    if (conflict === null) return false;
    if (conflict > 0) this.#fail(CLOSE_SCHEMA_MISMATCH, `schema-mismatch: type id ${conflict}`);
    return true;
  }
}
