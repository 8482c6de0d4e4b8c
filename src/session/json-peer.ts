/**
 * A session's link on the WebSocket wire: `{"type","payload"}` text frames, the same guarantees as on
 * UDP. Sending is its outbox's. Phases are BinaryPeer's.
 */
import {
  MessageError,
  type MessageType,
  MODE_RELIABLE_ORDERED,
  type Mode,
} from '../messages/types.js';
import {
  CLOSE_POLICY_VIOLATION,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  cutReason,
} from './close-codes.js';
import { type LeadReport, numberField, parseLead } from './control.js';
import { dispatchValue } from './dispatch-message.js';
import { DROP_BAD_CONTROL, DROP_BAD_FRAME } from './drops.js';
import {
  JsonOutbox,
  type JsonOutboxContext,
  TEXT_CLOSED,
  TEXT_HELD,
  TEXT_OPEN,
} from './json-outbox.js';
import { SESSION_ACK_BYTES, SESSION_ACK_MESSAGES } from './limits.js';
import type { PeerContext, PeerStart, TextSocket } from './peer-context.js';
import type { Report } from './report.js';
import { RttClock } from './rtt-clock.js';
import type { LogSink, SessionPeer } from './session-peer.js';
import type { Meta, SendOptions, SendResult } from './types.js';

export interface JsonPeerContext<O>
  extends PeerContext<O, JsonPeer<O>>,
    Omit<JsonOutboxContext, 'registry'> {
  /** An exchange of clocks ended: round trip, server's clock less ours, our clock, ms. The client's. */
  readonly onClockSample: ((roundTripMs: number, offsetMs: number, nowMs: number) => void) | null;
  /** The clock that `$time` tells, ms; the server's only. */
  readonly serverTimeMs: (() => number) | null;
}

class MutableMeta implements Meta {
  readonly wire = 'json-ws' as const;
  mode: Mode = MODE_RELIABLE_ORDERED;
  channel = 0;
  readonly ageMs = 0;
}

const OPEN = 0;
const AWAITS_SERVER = 1;
const AWAITS_RESUME = 2;
const UNCONFIRMED = 3;
const FROZEN = 4;
const CLOSED = 5;
const PHASES = { linked: OPEN, 'awaits-server': AWAITS_SERVER, 'awaits-resume': AWAITS_RESUME };

export class JsonPeer<O> implements SessionPeer {
  readonly wire = 'json-ws' as const;
  /** Whom the handlers get; set with the session at a link that awaited `$resume`. */
  owner: O;
  messagesIn = 0;
  readonly clock = new RttClock();
  readonly #context: JsonPeerContext<O>;
  readonly #socket: TextSocket;
  readonly #outbox: JsonOutbox;
  readonly #meta = new MutableMeta();
  #phase: number;
  #isWatched = false;
  #framesIn = 0;
  #framesAcked = 0;
  #bytesSinceAck = 0;
  /** The AckBatch's round in which the first frame came that is not acknowledged. */
  #ackRound = 0;
  #owesAck = false;
  /** The server's last `$time`: its stamp, at the server's end; at the client's, when it came, too. */
  #toldMs = Number.NaN;
  #toldAtMs = Number.NaN;

  constructor(context: JsonPeerContext<O>, owner: O, socket: TextSocket, start: PeerStart) {
    this.#context = context;
    this.owner = owner;
    this.#socket = socket;
    this.#phase = PHASES[start];
    const state = start === 'linked' ? TEXT_OPEN : TEXT_HELD;
    this.#outbox = new JsonOutbox(context, socket, state, (receipt, outcome) => {
      context.onReceipt(this, receipt, outcome);
    });
  }

  get isClosed(): boolean {
    return this.#phase === CLOSED;
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** How long the oldest message that has not left has waited, ms. */
  get queueAgeMs(): number {
    return this.#outbox.queueAgeMs;
  }

  /** As `queueAgeMs`, of what waits for a link. */
  get heldAgeMs(): number {
    return this.#outbox.heldAgeMs;
  }

  get messagesOut(): number {
    return this.#outbox.messagesOut;
  }

  get droppedOut(): number {
    return this.#outbox.droppedOut;
  }

  /** Whether everything reliable has been acknowledged by the peer's session. */
  get isDrained(): boolean {
    return this.#outbox.isDrained;
  }

  get hasUnsent(): boolean {
    return this.#outbox.hasUnsent;
  }

  /** See `Player.budget`. */
  budget(): number {
    return this.#outbox.budget;
  }

  /** @throws MessageError when the value does not fit its type, or the type name is reserved */
  send(type: string, value: unknown, options?: SendOptions): SendResult {
    return this.#outbox.send(type, value, options);
  }

  /** Sends a frame that the registry encoded. `type` undefined: an unregistered name. */
  sendText(
    type: MessageType | undefined,
    text: string,
    options?: SendOptions,
    name?: string,
  ): SendResult {
    return this.#outbox.sendText(type, text, options, name);
  }

  /** Calls back once a sender that was told `full` has room again, or on close. */
  watchWritable(callback: () => void): void {
    this.#outbox.watchWritable(callback);
  }

  sendControl(name: string, payload: unknown): void {
    if (this.#phase < FROZEN) this.#outbox.sendControl(name, payload);
  }

  /** Tells how inputs arrive. */
  sendLead(report: LeadReport): void {
    this.#outbox.sendLead(report);
  }

  /** One round-trip sample; the host calls it about once a second. */
  ping(): void {
    const nowMs = this.#context.nowMs();
    const isTold = !Number.isNaN(this.#toldMs);
    // What the server said last, and how long ago that came: so it learns the round trip too.
    const echo = isTold ? { server: this.#toldMs, held: nowMs - this.#toldAtMs } : {};
    this.sendControl('$ping', { t: nowMs, ...echo });
  }

  /** A text frame. Refusals are counted; only a broken session message closes. */
  handleText(text: string): void {
    if (this.#phase !== OPEN && !this.#admits()) return;
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
    if (this.#phase === AWAITS_RESUME) this.#fail(CLOSE_POLICY_VIOLATION, 'no $resume');
    if (this.#phase === AWAITS_SERVER) this.#fail(CLOSE_PROTOCOL_ERROR, 'no $hello');
    if (this.#phase !== OPEN) return;
    this.#countFrame(text.length);
    this.#dispatch(frame.type, frame.payload);
  }

  handleSocketDrained(): void {
    this.#outbox.handleSocketDrained();
  }

  flushAck(): void {
    this.#owesAck = false;
    if (this.#phase >= FROZEN || this.#framesIn === this.#framesAcked) return;
    // A peer that sends and does not read is not answered without bound.
    if (this.#outbox.isClogged || !this.#context.acks.isDue(this.#ackRound)) this.#oweAck();
    else this.confirm();
  }

  confirm(): void {
    this.#framesAcked = this.#framesIn;
    this.#bytesSinceAck = 0;
    this.sendControl('$ack', { frames: this.#framesIn });
  }

  /** `onDrained` of the context is called once everything reliable has been acknowledged. */
  watchDrained(): void {
    this.#isWatched = true;
    this.#tellDrained();
  }

  close(code: number, reason: string): void {
    if (this.#phase === CLOSED) return;
    this.#setPhase(CLOSED, TEXT_CLOSED);
    this.#socket.close(code, cutReason(reason));
    this.#context.onClosed?.(this);
  }

  /** The socket is gone. */
  handleGone(): void {
    this.freeze();
  }

  freeze(): void {
    if (this.#phase < FROZEN) this.#setPhase(FROZEN, TEXT_HELD);
  }

  report(): Report {
    return { frames: this.#framesIn };
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
    this.#setPhase(isConfirmed ? OPEN : UNCONFIRMED, TEXT_OPEN);
    this.#outbox.flush();
  }

  #setPhase(phase: number, out: number): void {
    this.#phase = phase;
    this.#outbox.setState(out);
  }

  #fail(code: number, reason: string): void {
    this.#context.onBroken(this, code, reason);
  }

  /** Whether a frame may be looked at in a phase that is not OPEN. TCP keeps what must come first. */
  #admits(): boolean {
    if (this.#phase >= FROZEN) return false;
    if (this.#phase === UNCONFIRMED) {
      this.#phase = OPEN;
      this.#context.onConfirmed?.(this);
    }
    return true;
  }

  #countFrame(length: number): void {
    if (this.#framesIn === this.#framesAcked) this.#ackRound = this.#context.acks.round;
    this.#framesIn++;
    this.#bytesSinceAck += length;
    const unacked = this.#framesIn - this.#framesAcked;
    const isDue = unacked >= SESSION_ACK_MESSAGES || this.#bytesSinceAck >= SESSION_ACK_BYTES;
    if (isDue && !this.#outbox.isClogged) {
      this.confirm();
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
    const type = this.#context.registry.typeByName(name);
    this.messagesIn++;
    this.#meta.mode = type === undefined ? MODE_RELIABLE_ORDERED : type.mode;
    this.#meta.channel = type === undefined ? 0 : type.channel;
    dispatchValue(this.#context, this.owner, name, type, value, this.#meta);
  }

  #handleControl(name: string, payload: unknown): boolean {
    switch (name) {
      case '$ack':
        return this.#handleAck(numberField(payload, 'frames'));
      case '$ping': {
        const t = numberField(payload, 't');
        if (!Number.isFinite(t)) return false;
        this.#answerPing(t, payload);
        return true;
      }
      case '$time':
        this.#handleTime(numberField(payload, 't'), numberField(payload, 'server'));
        return true;
      case '$lead':
        return this.#handleLead(parseLead(payload));
      default:
        return this.#handleFirst(name, payload);
    }
  }

  #handleFirst(name: string, payload: unknown): boolean {
    const context = this.#context;
    let handler: ((peer: this, payload: unknown) => void) | null = null;
    if (name === '$hello') handler = context.onHello;
    if (this.#phase === AWAITS_SERVER && name === '$resumed') handler = context.onResumed;
    if (this.#phase === AWAITS_RESUME && name === '$resume') handler = context.onResume;
    if (handler === null) return false;
    handler(this, payload);
    return true;
  }

  #answerPing(t: number, payload: unknown): void {
    const { serverTimeMs, nowMs } = this.#context;
    if (serverTimeMs !== null) {
      const now = nowMs();
      this.clock.arrive(t, now);
      const heldMs = numberField(payload, 'held');
      const isLast = numberField(payload, 'server') === this.#toldMs;
      if (isLast && heldMs >= 0) this.clock.sample(this.#toldMs + heldMs, now);
    }
    if (this.#outbox.isClogged) return; // a lost sample; see flushAck
    const server = serverTimeMs === null ? 0 : serverTimeMs();
    this.#toldMs = server;
    this.sendControl('$time', { t, server });
  }

  /** RFC 5905 §8, with one stamp of the server for arrival and answer. */
  #handleTime(sentMs: number, serverMs: number): void {
    const { nowMs, onClockSample, serverTimeMs } = this.#context;
    const now = nowMs();
    if (serverTimeMs === null && Number.isFinite(serverMs)) {
      this.clock.arrive(serverMs, now);
      this.#toldMs = serverMs;
      this.#toldAtMs = now;
    }
    if (!this.clock.sample(sentMs, now) || !Number.isFinite(serverMs)) return;
    const roundTripMs = now - sentMs;
    onClockSample?.(roundTripMs, serverMs - (sentMs + roundTripMs / 2), now);
  }

  #handleLead(report: LeadReport | null): boolean {
    const { onLead } = this.#context;
    if (report === null || onLead === null) return false;
    onLead(this, report);
    return true;
  }

  #handleAck(frames: number): boolean {
    if (!Number.isInteger(frames) || frames < 0) return false;
    if (!this.#outbox.acknowledge(frames)) return false;
    if (this.#outbox.hasUnsent) this.#outbox.flush();
    this.#tellDrained();
    return true;
  }

  #tellDrained(): void {
    if (!this.#isWatched || !this.#outbox.isDrained) return;
    this.#isWatched = false;
    this.#context.onDrained(this);
  }
}
