/**
 * The sending half of a session's link on UDP: encodes, keeps what is reliable until the peer's
 * session has it, and hands everything to the flow in the order of `send`.
 */
import {
  DECODE_OK,
  MessageError,
  type MessageType,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  type Mode,
  type Registry,
} from '../messages/types.js';
import { TransportError } from '../util/errors.js';
import { RELIABLE_MESSAGE_BYTES_MAX, UNRELIABLE_MESSAGE_BYTES_MAX } from '../util/limits.js';
import type { Scratch } from '../util/scratch.js';
import { ByteSendLog } from './byte-send-log.js';
import { ID_ACK, ID_LEAD, type LeadReport, writeAck, writeLead } from './control.js';
import { flowKey } from './flow-key.js';
import { BEFORE_HELLO_BYTES_MAX, CONTROL_CHANNEL, laneOf, SESSION_LANES } from './limits.js';
import { OpenReceipts } from './open-receipts.js';
import type { FlowPort } from './peer-context.js';
import { PeerTypes } from './peer-types.js';
import type { ReceiveNumbers } from './receive-numbers.js';
import type { Report } from './report.js';
import { checkReliableOptions, checkSendOptions, expiresUsOf } from './send-options.js';
import type { LogSink } from './session-peer.js';
import type { ReceiptOutcome, SendOptions, SendResult } from './types.js';

/** Everything may leave. */
export const OUT_OPEN = 0;
/** The client is not known to have adopted this link: at most BEFORE_HELLO_BYTES_MAX may leave. */
export const OUT_UNCONFIRMED = 1;
/** Nothing of the game leaves; what is reliable waits. */
export const OUT_HELD = 2;
/** Nothing is accepted any more. */
export const OUT_CLOSED = 3;

export interface BinaryOutboxContext {
  readonly registry: Registry<object>;
  readonly port: FlowPort;
  /** Monotonic milliseconds of this process. */
  readonly nowMs: () => number;
  /** Room for one encoded message: BODY_BYTES_MAX and its id. */
  readonly scratch: Scratch;
}

/** `flush` of BinaryOutbox. */
export const FLUSHED = 0;
export const FLUSH_BLOCKED = 1;
export const FLUSH_TOO_LARGE = 2;

const SEND_FULL = 2;
const SEND_TOO_LARGE = 3;
const RESULTS: readonly SendResult[] = ['sent', 'queued', 'full', 'full', 'full'];
const NO_OPTIONS: SendOptions = {};

/** One object for each outbox: its peer, because closures of very many players add up. */
export interface BinaryOutboxEvents {
  /** Something has begun to wait that only `flush` sends. */
  handleWaiting(): void;
  handleOutcome(receipt: number, outcome: ReceiptOutcome): void;
  /** The peer takes less than a session needs. */
  handleTooSmall(): void;
}

export class BinaryOutbox implements LogSink {
  // What every message needs comes first: it shares a cache line.
  messagesOut = 0;
  readonly #context: BinaryOutboxContext;
  readonly #slot: number;
  /** Open, and nothing waits before the next message. */
  #isDirect: boolean;
  #log: ByteSendLog | null = null;
  /** What the peer knows; null: the registries are equal. */
  #peerTypes: PeerTypes | null = null;
  droppedOut = 0;
  readonly #events: BinaryOutboxEvents;
  #state: number;
  /** When what waits for the link began to. */
  #heldSinceMs = 0;
  #unconfirmedBytes = BEFORE_HELLO_BYTES_MAX;
  #receipts: OpenReceipts | null = null;
  #onWritable: (() => void)[] = [];
  /** The flow refused a message and has not told of room yet. */
  #isFull = false;
  #isTooSmall = false;
  /** The lane of which the log refused a message; −1: none. */
  #fullLane = -1;

  constructor(
    context: BinaryOutboxContext,
    slot: number,
    state: number,
    events: BinaryOutboxEvents,
  ) {
    this.#context = context;
    this.#slot = slot;
    this.#state = state;
    this.#isDirect = state === OUT_OPEN;
    this.#events = events;
  }

  setState(state: number): void {
    this.#state = state;
    this.#isDirect = state === OUT_OPEN && !this.hasUnsent;
    if (state < OUT_HELD) return;
    this.#isFull = false; // of a flow that says nothing any more
    if (this.#onWritable.length > 0) this.#tellWritable();
  }

  /** See RuntimeHandler.touch. */
  touch(): number {
    return this.messagesOut + (this.#log?.touch() ?? 0);
  }

  /** Calls back once a sender that was told `full` has room again, or on close. */
  watchWritable(callback: () => void): void {
    this.#onWritable.push(callback);
    this.#tellWritable();
  }

  /** The flow has room again. */
  handleWritable(): void {
    this.#isFull = false;
    this.#tellWritable();
  }

  /** The flow answers. */
  handleReceipt(receipt: number, outcome: ReceiptOutcome): void {
    if (this.#state >= OUT_HELD) return; // what is still owed goes on elsewhere
    this.#receipts?.take(receipt);
    this.#events.handleOutcome(receipt, outcome);
  }

  /** Whether everything reliable has been acknowledged by the peer's session. */
  get isDrained(): boolean {
    return this.#log?.isEmpty ?? true;
  }

  /** Whether accepted messages wait for the link. */
  get hasUnsent(): boolean {
    return this.#log?.hasUnsent ?? false;
  }

  /** How long the oldest message that waits for the link has, ms. */
  get heldAgeMs(): number {
    return this.hasUnsent ? this.#context.nowMs() - this.#heldSinceMs : 0;
  }

  /** The peer has another registry: tell ours and speak JSON until theirs is known. */
  tellTypes(): void {
    this.#peerTypes = new PeerTypes();
    const types = this.#context.registry.types.map((type) => [type.id, type.hash]);
    this.sendControl('$types', types);
  }

  /** `$types` came; as PeerTypes. */
  handleTypes(payload: unknown): number | null {
    this.#peerTypes ??= new PeerTypes();
    return this.#peerTypes.handle(this.#context.registry, payload);
  }

  takesEncoded(type: MessageType | undefined): boolean {
    return this.#peerTypes === null || type === undefined || this.#peerTypes.has(type.id);
  }

  send(type: string, value: unknown, options: SendOptions = NO_OPTIONS): SendResult {
    if (options !== NO_OPTIONS) checkSendOptions(options);
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    const known = registry.typeByName(type);
    if (known === undefined || !this.takesEncoded(known)) {
      const length = registry.encodeAsJson(type, value, bytes, 0, bytes.length);
      return this.sendEncoded(undefined, scratch.head(length), length, options);
    }
    const length = registry.encodeAs(known, value, bytes, 0, bytes.length);
    return this.sendEncoded(known, scratch.head(length), length, options);
  }

  /** Trusts `options`: checkSendOptions has seen them. */
  sendEncoded(
    type: MessageType | undefined,
    bytes: Uint8Array,
    length: number,
    options: SendOptions = NO_OPTIONS,
  ): SendResult {
    const mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    const channel = type === undefined ? 0 : type.channel;
    const isReliable = mode >= MODE_RELIABLE_UNORDERED;
    const lane = laneOf(channel, mode);
    const isPlain = options === NO_OPTIONS;
    if (isReliable) {
      if (!isPlain) checkReliableOptions(options);
      this.#log ??= new ByteSendLog();
      if (!this.#log.hasRoom(lane, length)) {
        this.#fullLane = lane;
        return 'full';
      }
    }
    const receipt = isPlain ? 0 : (options.receipt ?? 0);
    if (!this.#isDirect && (isReliable || this.#state >= OUT_HELD)) {
      return this.#sendLater(isReliable, lane, bytes, length, receipt);
    }
    const code = this.#context.port.send(
      this.#slot,
      channel,
      mode,
      bytes,
      0,
      length,
      isPlain ? 0 : expiresUsOf(options),
      flowKey(type, mode, isPlain ? undefined : options.key),
      isPlain ? 0 : (options.redundancy ?? 0),
      receipt,
    );
    if (code === SEND_TOO_LARGE) this.#refuseTooLarge(length, mode);
    if (code >= SEND_FULL) {
      if (!isReliable) this.droppedOut++;
      this.#isFull ||= code === SEND_FULL;
      return 'full';
    }
    if (isReliable) (this.#log as ByteSendLog).push(lane, bytes, 0, length, receipt);
    if (receipt !== 0) this.#owe(receipt);
    this.messagesOut++;
    return RESULTS[code];
  }

  /**
   * Hands over what waits, as far as the link has room; FLUSH_ says how that went. After
   * FLUSH_BLOCKED it is the caller's to come back.
   */
  flush(): number {
    const log = this.#log;
    if (this.#isDirect || log === null || this.#state >= OUT_HELD) return FLUSHED;
    const { port } = this.#context;
    while (log.hasUnsent) {
      const { unsentLane: lane, unsentOffset: at, unsentLength: length } = log;
      const receipt = log.unsentReceipt;
      // The confirmation comes back here.
      if (this.#state === OUT_UNCONFIRMED && length > this.#unconfirmedBytes) return FLUSHED;
      const mode = (MODE_RELIABLE_UNORDERED | (lane & 1)) as Mode;
      const code = port.send(this.#slot, lane >> 1, mode, log.bytes, at, length, 0, 0, 0, receipt);
      if (code === SEND_TOO_LARGE) return FLUSH_TOO_LARGE;
      if (code >= SEND_FULL) return FLUSH_BLOCKED;
      log.markSent();
      if (receipt !== 0) this.#owe(receipt);
      if (this.#state === OUT_UNCONFIRMED) this.#unconfirmedBytes -= length;
    }
    this.#isDirect = this.#state === OUT_OPEN;
    return FLUSHED;
  }

  /** The peer's session acknowledges; see ByteSendLog. */
  acknowledge(lane: number, next: number): boolean {
    if (this.#log === null) return next === 0 && lane < SESSION_LANES;
    const isFine = this.#log.acknowledge(lane, next);
    if (this.#onWritable.length > 0) this.#tellWritable();
    return isFine;
  }

  applyReport(report: Report): boolean {
    if (!('lanes' in report)) return false;
    this.#log ??= new ByteSendLog();
    return this.#log.applyReport(report.lanes, (receipt) => {
      if (this.#receipts?.take(receipt)) this.#answerLater(receipt, 'acked');
    });
  }

  moveLogTo(sink: LogSink): void {
    const receipts = this.#receipts;
    this.#log?.forEach((lane, bytes, offset, length, receipt, isSent) => {
      // Of what was sent, only what the flow has not answered.
      const isOwed = receipt !== 0 && (!isSent || receipts?.take(receipt) === true);
      sink.takeBytes(lane, bytes, offset, length, isOwed ? receipt : 0);
    });
    for (const receipt of receipts?.takeAll() ?? []) this.#answerLater(receipt, 'lost');
  }

  takeBytes(
    lane: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    receipt: number,
  ): void {
    const { registry } = this.#context;
    if (this.#peerTypes !== null && registry.decode(bytes, offset, length) === DECODE_OK) {
      const { id, name } = registry.decoded;
      if (id !== 0 && !this.#peerTypes.has(id)) {
        this.#takeValue(name, registry.decodedValue(), receipt);
        return;
      }
    }
    this.#append(lane, bytes, offset, length, receipt);
  }

  takeText(text: string, receipt: number): void {
    const { type, payload } = this.#context.registry.fromJson(text);
    this.#takeValue(type, payload, receipt);
  }

  /** One of the runtime's own JSON messages. They are few and small. Returns a SEND_ number. */
  sendControl(name: string, payload: unknown): number {
    const { registry, scratch } = this.#context;
    const length = registry.runtime.encode(name, payload, scratch.bytes, 0, scratch.bytes.length);
    return this.#sendControlBytes(length);
  }

  /** How inputs arrive; the newest report is what counts. */
  sendLead(report: LeadReport): void {
    if (this.#state >= OUT_HELD) return;
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    const head = registry.runtime.encodeId(ID_LEAD, bytes, 0, bytes.length);
    this.#sendControlBytes(head + writeLead(report, bytes, head), MODE_UNRELIABLE_SEQUENCED);
  }

  /** False when there was no room. */
  sendAck(received: ReceiveNumbers): boolean {
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    const head = registry.runtime.encodeId(ID_ACK, bytes, 0, bytes.length);
    return this.#sendControlBytes(head + writeAck(received, bytes, head)) !== SEND_FULL;
  }

  /** For what cannot leave now. Unreliable messages do not wait: a newer one will follow. */
  #sendLater(
    isReliable: boolean,
    lane: number,
    bytes: Uint8Array,
    length: number,
    receipt: number,
  ): SendResult {
    if (!isReliable) this.droppedOut++;
    if (!isReliable || this.#state === OUT_CLOSED) return 'full';
    this.#append(lane, bytes, 0, length, receipt);
    this.messagesOut++;
    this.#events.handleWaiting();
    return 'queued';
  }

  #owe(receipt: number): void {
    this.#receipts ??= new OpenReceipts();
    this.#receipts.add(receipt);
  }

  /** Not in the middle of a move. */
  #answerLater(receipt: number, outcome: ReceiptOutcome): void {
    queueMicrotask(() => this.#events.handleOutcome(receipt, outcome));
  }

  #tellWritable(): void {
    const hasLogRoom = this.#fullLane < 0 || this.#log?.isHalfEmpty(this.#fullLane) === true;
    if (this.#state !== OUT_CLOSED && (this.#isFull || !hasLogRoom)) return;
    this.#fullLane = -1;
    for (const callback of this.#onWritable.splice(0)) callback();
  }

  #takeValue(name: string, value: unknown, receipt: number): void {
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    const type = registry.typeByName(name);
    const isKnown = type !== undefined && this.takesEncoded(type);
    const length = isKnown
      ? registry.encodeAs(type, value, bytes, 0, bytes.length)
      : registry.encodeAsJson(name, value, bytes, 0, bytes.length);
    if (length < 0) throw new MessageError('message-too-large', 'no room for the body', name);
    const lane = isKnown ? laneOf(type.channel, type.mode) : laneOf(0, MODE_RELIABLE_ORDERED);
    this.#append(lane, bytes, 0, length, receipt);
  }

  #append(lane: number, bytes: Uint8Array, offset: number, length: number, receipt: number): void {
    this.#log ??= new ByteSendLog();
    if (!this.#log.hasUnsent) this.#heldSinceMs = this.#context.nowMs();
    this.#log.append(lane, bytes, offset, length, receipt);
    this.#isDirect = false;
  }

  #sendControlBytes(length: number, mode: Mode = MODE_RELIABLE_ORDERED): number {
    const { port, scratch } = this.#context;
    const code = port.send(this.#slot, CONTROL_CHANNEL, mode, scratch.bytes, 0, length, 0, 0, 0, 0);
    if (code === SEND_TOO_LARGE) this.#endTooSmall();
    return code;
  }

  /** Throws when no peer takes so much; one that takes less than this protocol's peers ends. */
  #refuseTooLarge(length: number, mode: Mode): void {
    const isReliable = mode >= MODE_RELIABLE_UNORDERED;
    if (length <= (isReliable ? RELIABLE_MESSAGE_BYTES_MAX : UNRELIABLE_MESSAGE_BYTES_MAX)) {
      this.#endTooSmall();
      return;
    }
    const kind = isReliable ? 'reliable' : 'unreliable';
    throw new TransportError(
      'message-too-large',
      `ggscale: a ${kind} message of ${length} B is larger than the peer takes`,
    );
  }

  /**
   * Its PARAMS take fewer channels or bytes than a session needs. That must not become an exception in
   * the game's loop, where others wait their turn.
   */
  #endTooSmall(): void {
    if (this.#isTooSmall) return;
    this.#isTooSmall = true;
    // Not from inside `send`: the game may be going through its players.
    queueMicrotask(() => this.#events.handleTooSmall());
  }
}
