/**
 * The sending half of a session's link on WebSocket.
 *
 * Reliable messages are refused (`full`) while the peer is slow, as on UDP. Unreliable ones are
 * never queued behind a slow socket: of a sequenced type the newest waits for the socket to drain,
 * the others are dropped here, so a slow TCP peer gets the newest state too. A socket is slow when
 * the kernel does not take what it gets, or when much of it is acknowledged late.
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
import { SEND_UNRELIABLE_MESSAGES_MAX } from '../util/limits.js';
import { BacklogAge } from './backlog-age.js';
import type { LeadReport } from './control.js';
import { FrameReceipts } from './frame-receipts.js';
import { FramesInFlight } from './frames-in-flight.js';
import { SESSION_LOG_BYTES_MAX } from './limits.js';
import type { TextSocket } from './peer-context.js';
import type { Report } from './report.js';
import { checkReliableOptions, checkSendOptions } from './send-options.js';
import type { LogSink } from './session-peer.js';
import { TextSendLog } from './text-send-log.js';
import type { ReceiptOutcome, SendOptions, SendResult } from './types.js';

export interface JsonOutboxContext {
  readonly registry: Registry<object>;
  /** Monotonic milliseconds of this process. */
  readonly nowMs: () => number;
}

/** Everything may leave. */
export const TEXT_OPEN = 0;
/** Nothing of the game leaves; what is reliable waits. */
export const TEXT_HELD = 1;
/** Nothing is accepted any more. */
export const TEXT_CLOSED = 2;

/** Above this many bytes waiting in the socket, unreliable messages give way. */
const UNRELIABLE_BACKLOG_BYTES = 16 * 1024;
/** Types and keys of which one waits for the socket, as many as RL1 lets wait; the oldest gives way. */
const LATEST_MAX = SEND_UNRELIABLE_MESSAGES_MAX;
const NO_OPTIONS: SendOptions = {};
/** So much may fill the kernel's buffer alone. */
const LARGE_CHARS = 4096;

interface Waiting {
  text: string;
  /** 0: none. */
  receipt: number;
  sinceMs: number;
  /** Infinity: never. */
  expiresAtMs: number;
}

export class JsonOutbox implements LogSink {
  messagesOut = 0;
  droppedOut = 0;
  readonly #context: JsonOutboxContext;
  readonly #socket: TextSocket;
  readonly #log = new TextSendLog();
  readonly #flight = new FramesInFlight();
  #state: number;
  /** Newest frame of each sequenced type (and key) that waits for the socket. */
  readonly #latest = new Map<string, Waiting>();
  readonly #onReceipt: (receipt: number, outcome: ReceiptOutcome) => void;
  readonly #receipts: FrameReceipts;
  /** While a session moves, nothing of the game is called. */
  #answersLater = false;
  readonly #backlog = new BacklogAge();
  /** When what waits for the link began to. */
  #heldSinceMs = 0;
  #onWritable: (() => void)[] = [];
  #isFull = false;

  constructor(
    context: JsonOutboxContext,
    socket: TextSocket,
    state: number,
    onReceipt: (receipt: number, outcome: ReceiptOutcome) => void,
  ) {
    this.#onReceipt = onReceipt;
    this.#receipts = new FrameReceipts((receipt, outcome) => {
      if (this.#answersLater) this.#answerLater(receipt, outcome);
      else onReceipt(receipt, outcome);
    });
    this.#context = context;
    this.#socket = socket;
    this.#state = state;
  }

  setState(state: number): void {
    this.#state = state;
    if (state === TEXT_OPEN) return;
    for (const slot of [...this.#latest.keys()]) this.#drop(slot);
    if (this.#onWritable.length > 0) this.#tellWritable();
  }

  /** Calls back once a sender that was told `full` has room again, or on close. */
  watchWritable(callback: () => void): void {
    this.#onWritable.push(callback);
    this.#tellWritable();
  }

  /** Whether everything reliable has been acknowledged. */
  get isDrained(): boolean {
    return this.#log.isEmpty;
  }

  get hasUnsent(): boolean {
    return this.#log.hasUnsent;
  }

  get isClogged(): boolean {
    return this.#socket.bufferedAmount > UNRELIABLE_BACKLOG_BYTES;
  }

  /** Room in the socket before unreliable messages give way; B. */
  get budget(): number {
    const backlog = this.#socket.bufferedAmount;
    if (this.#state !== TEXT_OPEN || this.#isBehind(backlog)) return 0;
    return UNRELIABLE_BACKLOG_BYTES - backlog;
  }

  /** How long the oldest message that has not left has waited, ms; in queues on the way, too. */
  get queueAgeMs(): number {
    const nowMs = this.#context.nowMs();
    const inSocketMs = this.#backlog.ageMs(this.#socket.bufferedAmount, nowMs);
    const [oldest] = this.#latest.values(); // what is replaced goes to the end
    const waitingMs = oldest === undefined ? 0 : nowMs - oldest.sinceMs;
    return Math.max(inSocketMs, waitingMs, this.#flight.lateMs(nowMs), this.heldAgeMs);
  }

  /** As `queueAgeMs`, of what waits for the link. */
  get heldAgeMs(): number {
    return this.#log.hasUnsent ? this.#context.nowMs() - this.#heldSinceMs : 0;
  }

  send(type: string, value: unknown, options: SendOptions = NO_OPTIONS): SendResult {
    if (options !== NO_OPTIONS) checkSendOptions(options);
    const { registry } = this.#context;
    return this.sendText(registry.typeByName(type), registry.toJson(type, value), options, type);
  }

  /** Trusts `options`: checkSendOptions has seen them. */
  sendText(
    type: MessageType | undefined,
    text: string,
    options: SendOptions = NO_OPTIONS,
    name = type?.name ?? '',
  ): SendResult {
    if (this.#state === TEXT_CLOSED) return 'full';
    const mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    if (mode < MODE_RELIABLE_UNORDERED) return this.#sendUnreliable(mode, text, options, name);
    checkReliableOptions(options);
    const backlog = this.#socket.bufferedAmount;
    const isHeld = this.#state === TEXT_HELD;
    if (!this.#log.hasRoom(text.length)) return this.#refuse();
    if (!isHeld && backlog > SESSION_LOG_BYTES_MAX) return this.#refuse();
    this.messagesOut++;
    const receipt = options.receipt ?? 0;
    if (isHeld || this.#log.hasUnsent) {
      this.takeText(text, receipt);
      this.flush();
      return 'queued';
    }
    if (receipt !== 0) this.#receipts.add(this.#log.frames, receipt);
    this.#log.push(text, receipt);
    this.#hand(text, backlog);
    return backlog > 0 ? 'queued' : 'sent';
  }

  /** Hands over what waits for the link, as far as the socket is not full. */
  flush(): void {
    if (this.#state !== TEXT_OPEN) return;
    while (this.#log.hasUnsent && this.#socket.bufferedAmount <= SESSION_LOG_BYTES_MAX) {
      const text = this.#log.unsentText;
      const receipt = this.#log.unsentReceipt;
      if (receipt !== 0) this.#receipts.add(this.#log.frames, receipt);
      this.#log.markSent();
      this.#hand(text, this.#socket.bufferedAmount);
    }
  }

  /** The socket's buffer went down: what waits, and the newest of each sequenced type, follow. */
  handleSocketDrained(): void {
    if (this.#log.hasUnsent) this.flush();
    if (this.#isFull) this.#tellWritable();
    if (this.#latest.size > 0) this.#sendLatest();
  }

  #sendLatest(): void {
    const nowMs = this.#context.nowMs();
    for (const [name, waiting] of this.#latest) {
      const backlog = this.#socket.bufferedAmount;
      if (this.#state !== TEXT_OPEN || this.#isBehind(backlog)) return;
      if (waiting.expiresAtMs >= nowMs) {
        this.#latest.delete(name);
        this.#write(waiting.text, waiting.receipt, backlog);
      } else this.#drop(name);
    }
  }

  /** The peer's session has delivered so many frames. False for more than were sent. */
  acknowledge(frames: number): boolean {
    if (!this.#log.acknowledge(frames)) return false;
    this.#receipts.acknowledge(frames);
    this.#flight.acknowledge(frames, this.#context.nowMs());
    if (this.#isFull) this.#tellWritable();
    if (this.#latest.size > 0) this.#sendLatest();
    return true;
  }

  applyReport(report: Report): boolean {
    this.#answersLater = true;
    return 'frames' in report && this.acknowledge(report.frames);
  }

  moveLogTo(sink: LogSink): void {
    const open = this.#receipts.takeAll();
    this.#log.forEach((text, receipt, frame) => {
      // Of what was sent, only what is not answered.
      const isOwed = frame < 0 || open.delete(frame);
      sink.takeText(text, isOwed ? receipt : 0);
    });
    for (const receipt of open.values()) this.#answerLater(receipt, 'lost');
  }

  takeBytes(_lane: number, bytes: Uint8Array, receipt: number): void {
    const { registry } = this.#context;
    if (registry.decode(bytes, 0, bytes.length) !== DECODE_OK) {
      throw new MessageError('bad-value', 'what was sent cannot be read');
    }
    this.takeText(registry.toJson(registry.decoded.name, registry.decodedValue()), receipt);
  }

  takeText(text: string, receipt: number): void {
    if (!this.#log.hasUnsent) this.#heldSinceMs = this.#context.nowMs();
    this.#log.append(text, receipt);
  }

  /** How inputs arrive. A socket that is behind is not filled with reports. */
  sendLead(report: LeadReport): void {
    if (this.#state === TEXT_OPEN && !this.isClogged) this.sendControl('$lead', report);
  }

  sendControl(name: string, payload: unknown): void {
    this.#socket.send(this.#context.registry.runtime.toJson(name, payload));
  }

  #sendUnreliable(mode: Mode, text: string, options: SendOptions, name: string): SendResult {
    if (this.#state === TEXT_HELD) {
      this.droppedOut++;
      return 'full';
    }
    const slot = options.key === undefined ? name : `${name} ${options.key}`;
    const receipt = options.receipt ?? 0;
    // An older one that still waits must not follow this one.
    if (mode === MODE_UNRELIABLE_SEQUENCED) this.#drop(slot);
    const backlog = this.#socket.bufferedAmount;
    if (!this.#isBehind(backlog)) {
      this.#write(text, receipt, backlog);
      return 'sent';
    }
    if (mode !== MODE_UNRELIABLE_SEQUENCED) {
      this.droppedOut++;
      return this.#refuse();
    }
    const sinceMs = this.#context.nowMs();
    const expiresAtMs = sinceMs + (options.expiresMs ?? Number.POSITIVE_INFINITY);
    if (this.#latest.size === LATEST_MAX) this.#dropOldest();
    this.#latest.set(slot, { text, receipt, sinceMs, expiresAtMs });
    return 'queued';
  }

  #dropOldest(): void {
    for (const [oldest] of this.#latest) {
      this.#drop(oldest);
      return;
    }
  }

  #refuse(): SendResult {
    this.#isFull = true;
    return 'full';
  }

  #tellWritable(): void {
    const isClogged = this.#state === TEXT_OPEN && this.#isBehind(this.#socket.bufferedAmount);
    const isFull = this.#isFull && this.#state !== TEXT_CLOSED;
    if (isFull && (isClogged || !this.#log.isHalfEmpty)) return;
    this.#isFull = false;
    for (const callback of this.#onWritable.splice(0)) callback();
  }

  /** Gives up what waits in the slot, if anything does. */
  #drop(slot: string): void {
    const waiting = this.#latest.get(slot);
    if (waiting === undefined) return;
    this.#latest.delete(slot);
    this.droppedOut++;
    if (waiting.receipt !== 0) this.#answerLater(waiting.receipt, 'dropped');
  }

  /** Not from inside `send`, and not in the middle of a move. */
  #answerLater(receipt: number, outcome: ReceiptOutcome): void {
    queueMicrotask(() => this.#onReceipt(receipt, outcome));
  }

  /** What is unreliable gives way: the socket is full, or what it took is late. */
  #isBehind(backlog: number): boolean {
    return backlog > UNRELIABLE_BACKLOG_BYTES || this.#flight.isLate(this.#context.nowMs);
  }

  #write(text: string, receipt: number, backlog: number): void {
    if (receipt !== 0) this.#receipts.add(this.#log.frames, receipt);
    this.#log.countFrame();
    this.#hand(text, backlog);
    this.messagesOut++;
  }

  /** To a socket in which `backlog` waits. */
  #hand(text: string, backlog: number): void {
    const { nowMs } = this.#context;
    this.#backlog.note(backlog, text.length, nowMs);
    this.#flight.add(text.length, nowMs());
    this.#socket.send(text);
    // What one large message leaves behind, no later message may tell.
    if (text.length >= LARGE_CHARS && backlog === 0) {
      this.#backlog.note(this.#socket.bufferedAmount, 0, nowMs);
    }
  }
}
