/**
 * One session on the UDP wire: encodes, numbers, acknowledges and dispatches the messages of one
 * flow. It sends through a FlowPort (the runtime) and never sees a socket.
 */
import {
  DECODE_OK,
  DECODE_RUNTIME,
  type MessageType,
  MODE_RELIABLE_ORDERED,
  MODE_RELIABLE_UNORDERED,
  MODE_UNRELIABLE_SEQUENCED,
  type Mode,
  type Registry,
} from '../messages/types.js';
import { TransportError } from '../util/errors.js';
import { RELIABLE_MESSAGE_BYTES_MAX, UNRELIABLE_MESSAGE_BYTES_MAX } from '../util/limits.js';
import type { AckBatch } from './ack-batch.js';
import { ByteSendLog } from './byte-send-log.js';
import { CLOSE_PROTOCOL_ERROR, CLOSE_SCHEMA_MISMATCH, cutReason } from './close-codes.js';
import {
  ID_ACK,
  ID_LEAD,
  type LeadReport,
  parseTypes,
  readAck,
  readLead,
  writeAck,
  writeLead,
} from './control.js';
import type { Dispatcher } from './dispatcher.js';
import {
  DROP_BAD_CONTROL,
  DROP_BEFORE_HELLO,
  DROP_UNHANDLED,
  DROP_WRONG_MODE,
  type SessionDrops,
} from './drops.js';
import { flowKey } from './flow-key.js';
import {
  BEFORE_HELLO_BYTES_MAX,
  BEFORE_HELLO_MESSAGES_MAX,
  CONTROL_CHANNEL,
  laneOf,
  SESSION_ACK_BYTES,
  SESSION_ACK_MESSAGES,
  SESSION_LANES,
} from './limits.js';
import { ReceiveNumbers } from './receive-numbers.js';
import { checkReliableOptions, checkSendOptions, expiresUsOf } from './send-options.js';
import type { Meta, SendOptions, SendResult } from './types.js';

/** What the runtime offers to one flow. */
export interface FlowPort {
  /** Returns a SEND_ number of the protocol: 0 sent, 1 queued, 2 full, 3 too large, 4 closed. */
  send(
    slot: number,
    channel: number,
    mode: Mode,
    bytes: Uint8Array,
    offset: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt: number,
  ): number;
  /** Says CLOSE and ends the flow. */
  closeFlow(slot: number, code: number, reason: string): void;
}

/** What all peers of one listener or client share. `O` is the owner handed to the handlers. */
export interface BinaryPeerContext<O> {
  readonly registry: Registry<object>;
  readonly dispatcher: Dispatcher<O>;
  readonly port: FlowPort;
  readonly drops: SessionDrops;
  readonly acks: AckBatch<BinaryPeer<O>>;
  /** Room for one encoded message: BODY_BYTES_MAX and its id. */
  readonly scratch: Uint8Array;
  /** Called for messages without a handler; null: they are only counted. */
  readonly onUnhandled: ((owner: O, type: string, value: unknown) => void) | null;
  /** The peer broke the session's rules: the owner must end the connection with this code. */
  readonly onBroken: (owner: O, code: number, reason: string) => void;
  /** A `$hello` came (client). Null at the server, where it is a violation. */
  readonly onHello: ((owner: O, payload: unknown) => void) | null;
  /** A `$lead` came (client). Null at the server, where it is a violation. */
  readonly onLead: ((owner: O, report: LeadReport) => void) | null;
}

interface HeldMessage {
  channel: number;
  mode: number;
  messageId: number;
  bytes: Uint8Array;
}

class MutableMeta implements Meta {
  readonly wire = 'udp' as const;
  mode: Mode = MODE_RELIABLE_ORDERED;
  channel = 0;
  ageMs = 0;
}

const SEND_FULL = 2;
const SEND_TOO_LARGE = 3;
const RESULTS: readonly SendResult[] = ['sent', 'queued', 'full', 'full', 'full'];
const NO_OPTIONS: SendOptions = {};

export class BinaryPeer<O> {
  readonly wire = 'udp' as const;
  readonly slot: number;
  messagesIn = 0;
  messagesOut = 0;
  droppedOut = 0;
  readonly #context: BinaryPeerContext<O>;
  readonly #owner: O;
  readonly #meta = new MutableMeta();
  #received: ReceiveNumbers | null = null;
  #log: ByteSendLog | null = null;
  #ackMessages = 0;
  #ackBytes = 0;
  #owesAck = false;
  #isClosed = false;
  #isTooSmall = false;
  readonly #onWritable: (() => void)[] = [];
  /** The flow refused a message and has not told of room yet. */
  #isFull = false;
  /** The lane of which the log refused a message; −1: none. */
  #fullLane = -1;
  /** Messages ahead of $hello; null once it has come (and at the server, which sends it). */
  #held: HeldMessage[] | null;
  #heldBytes = 0;
  /** Ids the peer knows with our layout; null: the registries are equal. */
  #peerIds: Set<number> | null = null;

  constructor(context: BinaryPeerContext<O>, owner: O, slot: number, awaitsHello: boolean) {
    this.#context = context;
    this.#owner = owner;
    this.slot = slot;
    this.#held = awaitsHello ? [] : null;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** PARAMS came: when the registries differ, tell ours and speak JSON until theirs is known. */
  handleReady(peerRegistryHash: number): void {
    const { registry } = this.#context;
    if (peerRegistryHash === registry.hash) return;
    this.#peerIds = new Set();
    this.sendControl(
      '$types',
      registry.types.map((type) => [type.id, type.hash]),
    );
  }

  /** @throws MessageError when the value does not fit its type, or the type name is reserved */
  send(type: string, value: unknown, options: SendOptions = NO_OPTIONS): SendResult {
    const { registry, scratch } = this.#context;
    const known = registry.typeByName(type);
    if (known === undefined || (this.#peerIds !== null && !this.#peerIds.has(known.id))) {
      const length = registry.encodeAsJson(type, value, scratch, 0, scratch.length);
      return this.sendEncoded(undefined, scratch, length, options);
    }
    const length = registry.encode(type, value, scratch, 0, scratch.length);
    return this.sendEncoded(known, scratch, length, options);
  }

  /** Whether an encoding made for equal registries serves this peer too (see broadcast). */
  takesEncoded(type: MessageType | undefined): boolean {
    return this.#peerIds === null || type === undefined || this.#peerIds.has(type.id);
  }

  /** Sends bytes that the registry encoded; `type` undefined means JSON of an unregistered name. */
  sendEncoded(
    type: MessageType | undefined,
    bytes: Uint8Array,
    length: number,
    options: SendOptions = NO_OPTIONS,
  ): SendResult {
    if (options !== NO_OPTIONS) checkSendOptions(options);
    const mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    const channel = type === undefined ? 0 : type.channel;
    const isReliable = mode >= MODE_RELIABLE_UNORDERED;
    const lane = laneOf(channel, mode);
    if (isReliable) {
      checkReliableOptions(options);
      this.#log ??= new ByteSendLog();
      if (!this.#log.hasRoom(lane, length)) {
        this.#fullLane = lane;
        return 'full';
      }
    }
    const code = this.#context.port.send(
      this.slot,
      channel,
      mode,
      bytes,
      0,
      length,
      expiresUsOf(options),
      flowKey(type, mode, options.key),
      options.redundancy ?? 0,
      options.receipt ?? 0,
    );
    if (code === SEND_TOO_LARGE) this.#refuseTooLarge(length, mode);
    if (code >= SEND_FULL) {
      if (!isReliable) this.droppedOut++;
      this.#isFull ||= code === SEND_FULL;
      return 'full';
    }
    if (isReliable) (this.#log as ByteSendLog).push(lane, bytes, 0, length);
    this.messagesOut++;
    return RESULTS[code];
  }

  /** Sends one of the runtime's own JSON messages. They are few and small. */
  sendControl(name: string, payload: unknown): void {
    const { registry, scratch } = this.#context;
    const length = registry.runtime.encode(name, payload, scratch, 0, scratch.length);
    this.#sendControlBytes(length);
  }

  /** Tells how inputs arrive; the newest report is what counts. */
  sendLead(report: LeadReport): void {
    if (this.#isClosed) return;
    const { registry, scratch } = this.#context;
    const head = registry.runtime.encodeId(ID_LEAD, scratch, 0, scratch.length);
    this.#sendControlBytes(head + writeLead(report, scratch, head), MODE_UNRELIABLE_SEQUENCED);
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
    if (this.#isClosed) return;
    if (channel === CONTROL_CHANNEL) {
      this.#handleControl(bytes, offset, length);
      return;
    }
    if (this.#held !== null) {
      this.#hold(channel, mode, messageId, bytes.slice(offset, offset + length));
      return;
    }
    if (mode >= MODE_RELIABLE_UNORDERED) this.#countReliable(channel, mode, messageId, length);
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
    this.#meta.mode = mode as Mode;
    this.#meta.channel = channel;
    this.#meta.ageMs = ageUs / 1000;
    this.#dispatch(type);
  }

  /** $hello has been taken: what came ahead of it follows now. */
  releaseHeld(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    for (const message of held) {
      const { channel, mode, messageId, bytes } = message;
      this.handleMessage(channel, mode, messageId, bytes, 0, bytes.length, 0);
    }
  }

  /** Sends the session acknowledgement that is owed. */
  flushAck(): void {
    this.#owesAck = false;
    if (this.#ackMessages === 0 || this.#isClosed || this.#received === null) return;
    const { registry, scratch } = this.#context;
    const head = registry.runtime.encodeId(ID_ACK, scratch, 0, scratch.length);
    if (this.#sendControlBytes(head + writeAck(this.#received, scratch, head)) === SEND_FULL) {
      // Still owed: were it forgotten, the peer's log would stay full and nothing more would come.
      this.#oweAck();
      return;
    }
    this.#ackMessages = 0;
    this.#ackBytes = 0;
  }

  /** The peer's session acknowledges; see ByteSendLog. */
  acknowledge(lane: number, next: number): boolean {
    if (this.#log === null) return next === 0 && lane < SESSION_LANES;
    const isFine = this.#log.acknowledge(lane, next);
    if (this.#onWritable.length > 0) this.#tellWritable();
    return isFine;
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

  #tellWritable(): void {
    const hasLogRoom = this.#fullLane < 0 || this.#log?.isHalfEmpty(this.#fullLane) === true;
    if (!this.#isClosed && (this.#isFull || !hasLogRoom)) return;
    this.#fullLane = -1;
    for (const callback of this.#onWritable.splice(0)) callback();
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.port.closeFlow(this.slot, code, cutReason(reason));
    this.#tellWritable();
  }

  /** The flow is gone; nothing is sent any more. */
  handleClosed(): void {
    this.#isClosed = true;
    this.#tellWritable();
  }

  #fail(code: number, reason: string): void {
    this.#context.onBroken(this.#owner, code, reason);
  }

  #dispatch(type: MessageType | null): void {
    const { registry, dispatcher, drops, onUnhandled } = this.#context;
    const decoded = registry.decoded;
    const { name } = decoded;
    let isHandled: boolean;
    if (decoded.id !== 0 && type !== null) {
      const { bytes, bodyOffset, bodyLength } = decoded;
      const meta = this.#meta;
      isHandled = dispatcher.dispatchBytes(this.#owner, type, bytes, bodyOffset, bodyLength, meta);
      if (!isHandled && onUnhandled !== null) {
        onUnhandled(this.#owner, name, type.read(bytes, bodyOffset, bodyLength));
        return;
      }
    } else {
      const value = decoded.payload;
      isHandled = dispatcher.dispatchValue(this.#owner, name, type ?? undefined, value, this.#meta);
      if (!isHandled && onUnhandled !== null) {
        onUnhandled(this.#owner, name, value);
        return;
      }
    }
    if (!isHandled) drops.count(DROP_UNHANDLED);
  }

  #hold(channel: number, mode: number, messageId: number, bytes: Uint8Array): void {
    const held = this.#held as HeldMessage[];
    const isRoom =
      held.length < BEFORE_HELLO_MESSAGES_MAX &&
      this.#heldBytes + bytes.length <= BEFORE_HELLO_BYTES_MAX;
    if (mode >= MODE_RELIABLE_UNORDERED && isRoom) {
      held.push({ channel, mode, messageId, bytes });
      this.#heldBytes += bytes.length;
    } else {
      this.#context.drops.count(DROP_BEFORE_HELLO);
      if (mode >= MODE_RELIABLE_UNORDERED) this.#fail(CLOSE_PROTOCOL_ERROR, 'no $hello');
    }
  }

  #countReliable(channel: number, mode: number, messageId: number, length: number): void {
    this.#received ??= new ReceiveNumbers();
    const lane = laneOf(channel, mode);
    if (mode === MODE_RELIABLE_ORDERED) this.#received.deliverOrdered(lane);
    else this.#received.deliverUnordered(lane, messageId);
    this.#ackMessages++;
    this.#ackBytes += length;
    if (this.#ackMessages >= SESSION_ACK_MESSAGES || this.#ackBytes >= SESSION_ACK_BYTES) {
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

  #handleControl(bytes: Uint8Array, offset: number, length: number): void {
    const { registry, drops } = this.#context;
    const decoded = registry.decoded;
    let isFine = false;
    if (registry.decode(bytes, offset, length) === DECODE_RUNTIME) {
      if (decoded.id === ID_ACK) {
        isFine = readAck(decoded.bytes, decoded.bodyOffset, decoded.bodyLength, this);
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
    if (this.#held === null) onLead(this.#owner, report); // ahead of $hello it says nothing
    return true;
  }

  #handleControlFrame(name: string, payload: unknown): boolean {
    const { onHello } = this.#context;
    if (name === '$types') return this.#handleTypes(payload);
    if (name !== '$hello' || onHello === null || this.#held === null) return false;
    onHello(this.#owner, payload);
    return true;
  }

  #handleTypes(payload: unknown): boolean {
    const theirs = parseTypes(payload);
    if (theirs === null) return false;
    const { registry } = this.#context;
    const common = new Set<number>();
    for (const type of registry.types) {
      const hash = theirs.get(type.id);
      if (hash === undefined) continue;
      if (hash !== type.hash) {
        this.#fail(CLOSE_SCHEMA_MISMATCH, `schema-mismatch: type id ${type.id}`);
        return true;
      }
      common.add(type.id);
    }
    this.#peerIds = common;
    return true;
  }

  #sendControlBytes(length: number, mode: Mode = MODE_RELIABLE_ORDERED): number {
    const { port, scratch } = this.#context;
    const code = port.send(this.slot, CONTROL_CHANNEL, mode, scratch, 0, length, 0, 0, 0, 0);
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
    queueMicrotask(() => {
      if (!this.#isClosed) this.#fail(CLOSE_PROTOCOL_ERROR, 'params-too-small');
    });
  }
}

/**
 * A type travels in its declared mode and channel. As JSON (id 0) it may also come reliable-ordered
 * on channel 0, from a peer that does not know it.
 */
function isAsDeclared(
  type: MessageType | null,
  id: number,
  mode: number,
  channel: number,
): boolean {
  if (type !== null && type.mode === mode && type.channel === channel) return true;
  return id === 0 && mode === MODE_RELIABLE_ORDERED && channel === 0;
}
