/**
 * The sending half of a session's link on UDP: encodes, and hands everything to the flow in the order of
 * `send`. What is reliable the flow keeps until its peer has delivered it; what the flow cannot be asked
 * for lies in a log (docs/wire/session.md §2).
 *
 *   unconfirmed ──the peer has adopted the link──▶ open ──freeze──▶ held ──▶ closed
 *   log: all that was sent                       nothing          what the flow kept
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
import { CLOSE_PROTOCOL_ERROR, CLOSE_TOO_BIG } from '../util/close-codes.js';
import { TransportError } from '../util/errors.js';
import { RELIABLE_MESSAGE_BYTES_MAX, UNRELIABLE_MESSAGE_BYTES_MAX } from '../util/limits.js';
import type { Scratch } from '../util/scratch.js';
import { ByteSendLog, type LogEntry } from './byte-send-log.js';
import { ID_ACK, ID_LEAD, type LeadReport, writeLead } from './control.js';
import { flowKey } from './flow-key.js';
import {
  BEFORE_HELLO_BYTES_MAX,
  BEFORE_HELLO_MESSAGE_BYTES,
  CONTROL_CHANNEL,
  laneOf,
  RECEIPT_GREETING,
} from './limits.js';
import { OpenReceipts } from './open-receipts.js';
import type { FlowPort } from './peer-context.js';
import { PeerTypes } from './peer-types.js';
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

const REASON_PARAMS = 'params-too-small';
const SEND_FULL = 2;
const SEND_TOO_LARGE = 3;
const RESULTS: readonly SendResult[] = ['sent', 'queued', 'full', 'full', 'full'];
const NO_OPTIONS: SendOptions = {};

/** One object for each outbox: its peer, because closures of very many players add up. */
export interface BinaryOutboxEvents {
  /** Something has begun to wait that only `flush` sends. */
  handleWaiting(): void;
  handleOutcome(receipt: number, outcome: ReceiptOutcome): void;
  /** The peer takes less than it should: the connection ends with this. */
  handleUnfit(code: number, reason: string): void;
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
  #isUnfit = false;
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
    const before = this.#state;
    this.#state = state;
    if (state === OUT_OPEN) this.#forgetSent();
    this.#isDirect = state === OUT_OPEN && this.#log === null;
    if (state >= OUT_HELD) this.#isFull = false; // of a flow that says nothing any more
    if (state === OUT_HELD && before < OUT_HELD) this.#takeBack(before);
    if (this.#onWritable.length > 0) this.#tellWritable();
  }

  /** From now on the flow is neither heard nor written. What its peer lacks comes back from it. */
  #takeBack(before: number): void {
    const { streams, messages } = this.#context.port.freezeFlow(this.#slot);
    if (before !== OUT_OPEN) return; // the log still has all that was sent
    const sent: LogEntry[] = [];
    for (const { channel, mode, number, bytes, receipt } of messages) {
      if (channel === CONTROL_CHANNEL) continue;
      sent.push({ lane: laneOf(channel, mode), number, bytes, receipt });
    }
    const next: [number, number][] = [];
    for (const { channel, mode, next: count } of streams) {
      if (channel !== CONTROL_CHANNEL) next.push([laneOf(channel, mode), count]);
    }
    this.#log ??= new ByteSendLog();
    this.#log.restore(sent, next);
  }

  /** See RuntimeHandler.touch. */
  touch(): number {
    return this.messagesOut;
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
    // What a frozen flow still owes goes on elsewhere.
    if (this.#state === OUT_CLOSED || (this.#state === OUT_HELD && outcome !== 'acked')) return;
    if (this.#receipts?.take(receipt)) this.#events.handleOutcome(receipt, outcome);
  }

  /** Whether nothing reliable lies here: while the link is open, the flow may have some. */
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
    if (isReliable && !isPlain) checkReliableOptions(options);
    const receipt = isPlain ? 0 : (options.receipt ?? 0);
    if (!this.#isDirect && (isReliable || this.#state >= OUT_HELD)) {
      refuseTooLarge(length, mode);
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
    if (code === SEND_TOO_LARGE) {
      refuseTooLarge(length, mode);
      this.#endUnfit(CLOSE_PROTOCOL_ERROR, REASON_PARAMS);
    }
    if (code >= SEND_FULL) {
      if (!isReliable) this.droppedOut++;
      this.#isFull ||= code === SEND_FULL;
      return 'full';
    }
    if (receipt !== 0) this.#owe(receipt);
    this.messagesOut++;
    return RESULTS[code];
  }

  /**
   * Hands over what waits, as far as the link has room. False when it had none: it is the caller's to
   * come back.
   */
  flush(): boolean {
    const log = this.#log;
    if (this.#isDirect || log === null || this.#state >= OUT_HELD) return true;
    const hadRoom = this.#handOver(log);
    if (this.#state === OUT_OPEN) {
      this.#forgetSent();
      this.#isDirect = this.#log === null;
    }
    if (this.#onWritable.length > 0) this.#tellWritable();
    return hadRoom;
  }

  /** What the flow has, it keeps. */
  #forgetSent(): void {
    this.#log?.dropSent();
    if (this.#log?.isEmpty) this.#log = null;
  }

  #handOver(log: ByteSendLog): boolean {
    const { port } = this.#context;
    const { entries } = log;
    while (log.hasUnsent) {
      const { lane, bytes, receipt } = entries[log.sentCount];
      const { length } = bytes;
      const cost = this.#state === OUT_UNCONFIRMED ? length + BEFORE_HELLO_MESSAGE_BYTES : 0;
      if (cost > this.#unconfirmedBytes) return true; // the confirmation comes back here
      const mode = (MODE_RELIABLE_UNORDERED | (lane & 1)) as Mode;
      const code = port.send(this.#slot, lane >> 1, mode, bytes, 0, length, 0, 0, 0, receipt);
      if (code === SEND_TOO_LARGE) {
        this.#endUnfit(CLOSE_TOO_BIG, 'message-too-large');
        return true;
      }
      if (code >= SEND_FULL) return false;
      this.#unconfirmedBytes -= cost;
      log.markSent();
      if (receipt !== 0) this.#owe(receipt);
    }
    return true;
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
    for (const [index, { lane, bytes, receipt }] of this.#log?.entries.entries() ?? []) {
      // Of what was sent, only what the flow has not answered.
      const isSent = index < (this.#log?.sentCount ?? 0);
      const isOwed = receipt !== 0 && (!isSent || receipts?.take(receipt) === true);
      sink.takeBytes(lane, bytes, isOwed ? receipt : 0);
    }
    for (const receipt of receipts?.takeAll() ?? []) this.#answerLater(receipt, 'lost');
  }

  takeBytes(lane: number, bytes: Uint8Array, receipt: number): void {
    const { registry } = this.#context;
    if (this.#peerTypes !== null && registry.decode(bytes, 0, bytes.length) === DECODE_OK) {
      const { id, name } = registry.decoded;
      if (id !== 0 && !this.#peerTypes.has(id)) {
        this.#takeValue(name, registry.decodedValue(), receipt);
        return;
      }
    }
    this.#append(lane, bytes, receipt);
  }

  takeText(text: string, receipt: number): void {
    const { type, payload } = this.#context.registry.fromJson(text);
    this.#takeValue(type, payload, receipt);
  }

  /** One of the runtime's own JSON messages. They are few and small. Returns a SEND_ number. */
  sendControl(name: string, payload: unknown, receipt = 0): number {
    const { registry, scratch } = this.#context;
    const length = registry.runtime.encode(name, payload, scratch.bytes, 0, scratch.bytes.length);
    return this.#sendControlBytes(length, MODE_RELIABLE_ORDERED, receipt);
  }

  /** `$hello`; `handleReceipt` hears RECEIPT_GREETING when the peer has it. */
  greet(hello: unknown): void {
    this.sendControl('$hello', hello, RECEIPT_GREETING);
  }

  /** How inputs arrive; the newest report is what counts. */
  sendLead(report: LeadReport): void {
    if (this.#state >= OUT_HELD) return;
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    const head = registry.runtime.encodeId(ID_LEAD, bytes, 0, bytes.length);
    this.#sendControlBytes(head + writeLead(report, bytes, head), MODE_UNRELIABLE_SEQUENCED);
  }

  /** This link is adopted. */
  sendAck(): void {
    const { registry, scratch } = this.#context;
    const { bytes } = scratch;
    this.#sendControlBytes(registry.runtime.encodeId(ID_ACK, bytes, 0, bytes.length));
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
    if (this.#log !== null && !this.#log.hasRoom(lane, length)) {
      this.#fullLane = lane;
      return 'full';
    }
    this.#append(lane, bytes.slice(0, length), receipt);
    this.messagesOut++;
    this.#events.handleWaiting();
    return this.hasUnsent ? 'queued' : 'sent';
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
    this.#append(lane, bytes.slice(0, length), receipt);
  }

  /** `bytes` become the log's. */
  #append(lane: number, bytes: Uint8Array, receipt: number): void {
    this.#log ??= new ByteSendLog();
    if (!this.#log.hasUnsent) this.#heldSinceMs = this.#context.nowMs();
    this.#log.append(lane, bytes, receipt);
    this.#isDirect = false;
  }

  #sendControlBytes(length: number, mode: Mode = MODE_RELIABLE_ORDERED, receipt = 0): number {
    const { port, scratch } = this.#context;
    const { bytes } = scratch;
    const code = port.send(this.#slot, CONTROL_CHANNEL, mode, bytes, 0, length, 0, 0, 0, receipt);
    if (code === SEND_TOO_LARGE) this.#endUnfit(CLOSE_PROTOCOL_ERROR, REASON_PARAMS);
    return code;
  }

  /**
   * The peer's PARAMS take fewer channels or bytes than a session needs, or than what waits for it. That
   * must not become an exception in the game's loop, where others wait their turn.
   */
  #endUnfit(code: number, reason: string): void {
    if (this.#isUnfit) return;
    this.#isUnfit = true;
    // Not from inside `send`: the game may be going through its players.
    queueMicrotask(() => this.#events.handleUnfit(code, reason));
  }
}

/** @throws TransportError message-too-large: no peer takes so much */
function refuseTooLarge(length: number, mode: Mode): void {
  const isReliable = mode >= MODE_RELIABLE_UNORDERED;
  if (length <= (isReliable ? RELIABLE_MESSAGE_BYTES_MAX : UNRELIABLE_MESSAGE_BYTES_MAX)) return;
  const kind = isReliable ? 'reliable' : 'unreliable';
  throw new TransportError(
    'message-too-large',
    `ggscale: a ${kind} message of ${length} B is larger than the peer takes`,
  );
}
