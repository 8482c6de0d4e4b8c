/**
 * One session on the WebSocket wire: `{"type","payload"}` text frames, the same guarantees.
 *
 * Reliable messages are refused (`full`) while the peer is slow, as on UDP. Unreliable ones are
 * never queued behind a slow socket: of a sequenced type the newest waits for the socket to drain,
 * the others are dropped here, so a slow TCP peer gets the newest state too.
 */
import {
  MessageError,
  type MessageType,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  type Mode,
  type Registry,
} from '../messages/types.js';
import { SEND_UNRELIABLE_MESSAGES_MAX } from '../util/limits.js';
import type { AckBatch } from './ack-batch.js';
import { CLOSE_PROTOCOL_ERROR, CLOSE_TOO_BIG, cutReason } from './close-codes.js';
import { type LeadReport, numberField, parseLead } from './control.js';
import type { Dispatcher } from './dispatcher.js';
import { DROP_BAD_CONTROL, DROP_BAD_FRAME, DROP_UNHANDLED, type SessionDrops } from './drops.js';
import { FrameReceipts } from './frame-receipts.js';
import { SESSION_ACK_BYTES, SESSION_ACK_MESSAGES, SESSION_LOG_BYTES_MAX } from './limits.js';
import { RttClock } from './rtt-clock.js';
import { checkReliableOptions, checkSendOptions } from './send-options.js';
import { TextSendLog } from './text-send-log.js';
import type { ConnectionStats, Meta, ReceiptOutcome, SendOptions, SendResult } from './types.js';

/** The part of a WebSocket that a peer needs; `ws` and the browser's fit. */
export interface TextSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Bytes handed to `send` that the kernel has not taken yet. */
  readonly bufferedAmount: number;
}

/** What all peers of one listener or client share. */
export interface JsonPeerContext<O> {
  readonly registry: Registry<object>;
  readonly dispatcher: Dispatcher<O>;
  readonly drops: SessionDrops;
  readonly acks: AckBatch<JsonPeer<O>>;
  readonly onUnhandled: ((owner: O, type: string, value: unknown) => void) | null;
  /** The peer broke the session's rules: the owner must end the connection with this code. */
  readonly onBroken: (owner: O, code: number, reason: string) => void;
  readonly onHello: ((owner: O, payload: unknown) => void) | null;
  /** A `$lead` came (client). Null at the server, where it is a violation. */
  readonly onLead: ((owner: O, report: LeadReport) => void) | null;
  /** Monotonic milliseconds of this process. */
  readonly nowMs: () => number;
  readonly onReceipt: (owner: O, receipt: number, outcome: ReceiptOutcome) => void;
  /** An exchange of clocks ended: round trip, server's clock less ours, our clock, ms. The client's. */
  readonly onClockSample: ((roundTripMs: number, offsetMs: number, nowMs: number) => void) | null;
  /** The clock that `$time` tells, ms; the server's only. */
  readonly serverTimeMs: (() => number) | null;
}

/** Above this many bytes waiting in the socket, unreliable messages give way. */
const UNRELIABLE_BACKLOG_BYTES = 16 * 1024;
/** Types and keys of which one waits for the socket, as many as RL1 lets wait; the oldest gives way. */
const LATEST_MAX = SEND_UNRELIABLE_MESSAGES_MAX;

class MutableMeta implements Meta {
  readonly wire = 'json-ws' as const;
  mode: Mode = MODE_RELIABLE_ORDERED;
  channel = 0;
  readonly ageMs = 0;
}

const NO_OPTIONS: SendOptions = {};

interface Waiting {
  text: string;
  /** 0: none. */
  receipt: number;
  /** Infinity: never. */
  expiresAtMs: number;
}

export class JsonPeer<O> {
  readonly wire = 'json-ws' as const;
  messagesIn = 0;
  messagesOut = 0;
  droppedOut = 0;
  readonly clock = new RttClock();
  readonly #context: JsonPeerContext<O>;
  readonly #owner: O;
  readonly #socket: TextSocket;
  readonly #meta = new MutableMeta();
  readonly #log = new TextSendLog();
  /** Newest frame of each sequenced type (and key) that waits for the socket. */
  readonly #latest = new Map<string, Waiting>();
  #onDrained: (() => void)[] = [];
  #onWritable: (() => void)[] = [];
  #isFull = false;
  readonly #receipts = new FrameReceipts((receipt, outcome) => {
    this.#context.onReceipt(this.#owner, receipt, outcome);
  });
  #framesIn = 0;
  #framesAcked = 0;
  #bytesSinceAck = 0;
  #owesAck = false;
  #isClosed = false;

  constructor(context: JsonPeerContext<O>, owner: O, socket: TextSocket) {
    this.#context = context;
    this.#owner = owner;
    this.#socket = socket;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** @throws MessageError when the value does not fit its type, or the type name is reserved */
  send(type: string, value: unknown, options: SendOptions = NO_OPTIONS): SendResult {
    const { registry } = this.#context;
    return this.sendText(registry.typeByName(type), registry.toJson(type, value), options, type);
  }

  /** Sends a frame that the registry encoded. `type` undefined: an unregistered name. */
  sendText(
    type: MessageType | undefined,
    text: string,
    options: SendOptions = NO_OPTIONS,
    name = type?.name ?? '',
  ): SendResult {
    if (options !== NO_OPTIONS) checkSendOptions(options);
    if (this.#isClosed) return 'full';
    const mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    if (mode < MODE_RELIABLE_UNORDERED) return this.#sendUnreliable(mode, text, options, name);
    checkReliableOptions(options);
    const backlog = this.#socket.bufferedAmount;
    if (!this.#log.hasRoom(text.length) || backlog > SESSION_LOG_BYTES_MAX) return this.#refuse();
    if (options.receipt !== undefined) this.#receipts.add(this.#log.frames, options.receipt);
    this.#log.push(text);
    this.#socket.send(text);
    this.messagesOut++;
    return backlog > 0 ? 'queued' : 'sent';
  }

  sendControl(name: string, payload: unknown): void {
    if (this.#isClosed) return;
    this.#socket.send(this.#context.registry.runtime.toJson(name, payload));
  }

  /** Tells how inputs arrive. A socket that is behind is not filled with reports. */
  sendLead(report: LeadReport): void {
    if (!this.#isClogged) this.sendControl('$lead', report);
  }

  /** One round-trip sample; the host calls it about once a second. */
  ping(): void {
    this.sendControl('$ping', { t: this.#context.nowMs() });
  }

  /** A text frame. Refusals are counted; only a broken session message closes. */
  handleText(text: string): void {
    if (this.#isClosed) return;
    const { registry, drops } = this.#context;
    let frame: { type: string; payload: unknown };
    try {
      frame = registry.runtime.fromJson(text);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      drops.count(DROP_BAD_FRAME);
      if (error.code === 'message-too-large') this.#fail(CLOSE_TOO_BIG, 'message-too-large');
      else this.#countFrame(text.length);
      return;
    }
    if (frame.type.startsWith('$')) {
      if (this.#handleControl(frame.type, frame.payload)) return;
      drops.count(DROP_BAD_CONTROL);
      this.#fail(CLOSE_PROTOCOL_ERROR, 'malformed session message');
      return;
    }
    this.#countFrame(text.length);
    this.#dispatch(frame.type, frame.payload);
  }

  /** The socket's buffer went down: the newest of each waiting type follows. */
  handleSocketDrained(): void {
    if (this.#isFull) this.#tellWritable();
    if (this.#latest.size === 0) return;
    const nowMs = this.#context.nowMs();
    for (const [name, waiting] of this.#latest) {
      if (this.#isClosed || this.#isClogged) return;
      if (waiting.expiresAtMs >= nowMs) {
        this.#latest.delete(name);
        this.#write(waiting.text, waiting.receipt);
      } else this.#drop(name);
    }
  }

  flushAck(): void {
    this.#owesAck = false;
    if (this.#isClosed || this.#framesIn === this.#framesAcked) return;
    if (this.#isClogged) {
      this.#oweAck(); // a peer that sends and does not read is not answered without bound
      return;
    }
    this.#framesAcked = this.#framesIn;
    this.#bytesSinceAck = 0;
    this.sendControl('$ack', { frames: this.#framesIn });
  }

  /** Calls back once everything reliable has been acknowledged, or on close. */
  watchDrained(callback: () => void): void {
    if (this.#isClosed || this.#log.isEmpty) callback();
    else this.#onDrained.push(callback);
  }

  /** Calls back once a sender that was told `full` has room again, or on close. */
  watchWritable(callback: () => void): void {
    this.#onWritable.push(callback);
    this.#tellWritable();
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close(code, cutReason(reason));
    this.#drained();
    this.#tellWritable();
  }

  handleClosed(): void {
    this.#isClosed = true;
    this.#drained();
    this.#tellWritable();
  }

  #refuse(): SendResult {
    this.#isFull = true;
    return 'full';
  }

  #tellWritable(): void {
    if (this.#isFull && !this.#isClosed && (this.#isClogged || !this.#log.isHalfEmpty)) return;
    this.#isFull = false;
    for (const callback of this.#onWritable.splice(0)) callback();
  }

  #sendUnreliable(mode: Mode, text: string, options: SendOptions, name: string): SendResult {
    const slot = options.key === undefined ? name : `${name} ${options.key}`;
    const receipt = options.receipt ?? 0;
    // An older one that still waits must not follow this one.
    if (mode === MODE_UNRELIABLE_SEQUENCED) this.#drop(slot);
    if (!this.#isClogged) {
      this.#write(text, receipt);
      return 'sent';
    }
    if (mode !== MODE_UNRELIABLE_SEQUENCED) {
      this.droppedOut++;
      return this.#refuse();
    }
    const expiresAtMs = this.#context.nowMs() + (options.expiresMs ?? Number.POSITIVE_INFINITY);
    if (this.#latest.size === LATEST_MAX) {
      for (const [oldest] of this.#latest) {
        this.#drop(oldest);
        break;
      }
    }
    this.#latest.set(slot, { text, receipt, expiresAtMs });
    return 'queued';
  }

  /** Gives up what waits in the slot, if anything does. */
  #drop(slot: string): void {
    const waiting = this.#latest.get(slot);
    if (waiting === undefined) return;
    this.#latest.delete(slot);
    this.droppedOut++;
    if (waiting.receipt === 0) return;
    // Not from inside `send`.
    queueMicrotask(() => this.#context.onReceipt(this.#owner, waiting.receipt, 'dropped'));
  }

  get #isClogged(): boolean {
    return this.#socket.bufferedAmount > UNRELIABLE_BACKLOG_BYTES;
  }

  #fail(code: number, reason: string): void {
    this.#context.onBroken(this.#owner, code, reason);
  }

  #write(text: string, receipt: number): void {
    if (receipt !== 0) this.#receipts.add(this.#log.frames, receipt);
    this.#log.countFrame();
    this.#socket.send(text);
    this.messagesOut++;
  }

  #countFrame(length: number): void {
    this.#framesIn++;
    this.#bytesSinceAck += length;
    const unacked = this.#framesIn - this.#framesAcked;
    const isDue = unacked >= SESSION_ACK_MESSAGES || this.#bytesSinceAck >= SESSION_ACK_BYTES;
    if (isDue && !this.#isClogged) {
      this.flushAck();
    } else {
      this.#oweAck();
    }
  }

  #oweAck(): void {
    if (this.#owesAck) return;
    this.#owesAck = true;
    this.#context.acks.add(this);
  }

  #dispatch(name: string, value: unknown): void {
    const { registry, dispatcher, drops, onUnhandled } = this.#context;
    const type = registry.typeByName(name);
    this.messagesIn++;
    this.#meta.mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    this.#meta.channel = type === undefined ? 0 : type.channel;
    if (dispatcher.dispatchValue(this.#owner, name, type, value, this.#meta)) return;
    if (onUnhandled !== null) onUnhandled(this.#owner, name, value);
    else drops.count(DROP_UNHANDLED);
  }

  #handleControl(name: string, payload: unknown): boolean {
    const { onHello, serverTimeMs } = this.#context;
    switch (name) {
      case '$ack':
        return this.#handleAck(numberField(payload, 'frames'));
      case '$ping': {
        const t = numberField(payload, 't');
        if (!Number.isFinite(t)) return false;
        if (this.#isClogged) return true; // a lost sample; see flushAck
        this.sendControl('$time', { t, server: serverTimeMs === null ? 0 : serverTimeMs() });
        return true;
      }
      case '$time':
        this.#handleTime(numberField(payload, 't'), numberField(payload, 'server'));
        return true;
      case '$lead':
        return this.#handleLead(parseLead(payload));
      case '$hello':
        if (onHello === null) return false;
        onHello(this.#owner, payload);
        return true;
      default:
        return false;
    }
  }

  /** RFC 5905 §8, with one stamp of the server for arrival and answer. */
  #handleTime(sentMs: number, serverMs: number): void {
    const { nowMs, onClockSample } = this.#context;
    const now = nowMs();
    if (!this.clock.sample(sentMs, now) || !Number.isFinite(serverMs)) return;
    const roundTripMs = now - sentMs;
    onClockSample?.(roundTripMs, serverMs - (sentMs + roundTripMs / 2), now);
  }

  #handleLead(report: LeadReport | null): boolean {
    const { onLead } = this.#context;
    if (report === null || onLead === null) return false;
    onLead(this.#owner, report);
    return true;
  }

  #handleAck(frames: number): boolean {
    if (!Number.isInteger(frames) || frames < 0) return false;
    if (!this.#log.acknowledge(frames)) return false;
    this.#receipts.acknowledge(frames);
    if (this.#isFull) this.#tellWritable();
    if (this.#log.isEmpty) this.#drained();
    return true;
  }

  #drained(): void {
    const waiting = this.#onDrained;
    this.#onDrained = [];
    for (const callback of waiting) callback();
  }
}

/** What the socket under a peer has carried. */
export interface StreamFigures {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
}

/** ConnectionStats of a WebSocket connection; `peer` is null while it is still opening. */
export function jsonStats<O>(peer: JsonPeer<O> | null, stream: StreamFigures): ConnectionStats {
  return {
    wire: 'json-ws',
    rttMs: peer?.clock.rttMs ?? Number.NaN,
    rttVarMs: peer?.clock.rttVarMs ?? Number.NaN,
    messagesIn: peer?.messagesIn ?? 0,
    messagesOut: peer?.messagesOut ?? 0,
    bytesIn: stream.bytesIn,
    bytesOut: stream.bytesOut,
    packetsIn: stream.framesIn,
    packetsOut: stream.framesOut,
    packetsLostIn: 0,
    resends: 0,
    droppedOut: peer?.droppedOut ?? 0,
    queuedBytes: peer?.queuedBytes ?? 0,
  };
}
