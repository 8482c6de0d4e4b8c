/**
 * The turn: the one code path between the endpoint's rings and the protocol.
 *
 *   wake or request ──▶ turn
 *     drain      native: recvmmsg → open → rx ring (opened, payload, closed in one order)
 *     handle     each descriptor → protocol.handlePacket → pollEvent → handler
 *     timers     protocol.handleTimeout, handler deadline, tick
 *     transmit   protocol.pollTransmit straight into the tx arena
 *     flush      native: seal → sendmmsg; arms the one timer
 *
 * A driver only decides when `turn` runs. Sends outside a turn ask for one (or, with `tick`, wait
 * for the next tick). A turn inside a turn is refused: it would reorder.
 */
import {
  RX_CLOSED,
  RX_MIGRATED,
  RX_OPENED,
  RX_PAYLOAD,
  RX_REPLACED,
  TX_DISCONNECT,
  TX_PAYLOAD,
} from '../addon/layout.js';
import {
  EVENT_CLOSED,
  EVENT_DRAINED,
  EVENT_MESSAGE,
  EVENT_NONE,
  EVENT_RAW,
  EVENT_READY,
  EVENT_RECEIPT,
  EVENT_VIOLATION,
  EVENT_WRITABLE,
  ROLE_CLIENT,
  ROLE_SERVER,
  SEND_CLOSED,
  type Unacked,
} from '../protocol/index.js';
import { CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR } from '../util/close-codes.js';
import { PAYLOAD_BYTES } from '../util/limits.js';
import { timeDistanceUs, timeReached } from '../util/time.js';
import { netcodeCloseOf, REPLACED, readOpened, UNHEARD } from './flow-events.js';
import { type Goodbye, Goodbyes } from './goodbyes.js';
import type { RuntimeHandler } from './handler.js';
import { Lookahead } from './lookahead.js';
import type { RuntimeOptions } from './options.js';
import { RuntimeReadings } from './readings.js';
import { decodeReason, encodeReason } from './reason-text.js';
import { WakeTime } from './wake-time.js';

/** How late a protocol timer may be: the acknowledgement delay that peers allow for anyway. */
const DEADLINE_SLACK_US = 25_000;
/**
 * So long the protocol's timers wait while the kernel has more datagrams: the acknowledgements that they
 * wait for may be among them, and what they send otherwise makes a late process later.
 */
const TIMERS_WAIT_US_MAX = 100_000;

const FREE = 0;
const OPEN = 1;
/** Raw: a foreign peer whose payloads bypass the protocol on the way out. */
const RAW = 2;
/** CLOSE is on its way; the flow is freed at the end of the turn. */
const CLOSING = 3;
/** Closed, but CLOSE waits for the acknowledgements of what was sent before (Goodbyes). */
const PARTING = 4;
/** Another flow of its client took its place before PARAMS were known; it can be told only then. */
const REPLACED_EARLY = 5;

const NO_REASON = new Uint8Array(0);

export class Runtime extends RuntimeReadings {
  readonly #handler: RuntimeHandler;
  readonly #lookahead: Lookahead;
  readonly #role: number;
  readonly #isTicked: boolean;
  /** With short ticks no protocol timer is worth a wake of its own; netcode's need no turn. */
  readonly #servesDeadlinesAtTick: boolean;
  readonly #maxPayloadBytes: number;
  readonly #defer: (callback: () => void) => void;
  readonly #generation: Uint32Array;
  readonly #state: Uint8Array;
  readonly #closing: number[] = [];
  readonly #goodbyes = new Goodbyes();
  readonly #owes = (slot: number) => this.protocol.hasUnacked(slot);
  readonly #runRequested = () => {
    this.#isRequested = false;
    this.turn();
  };
  #isRequested = false;
  #isInTurn = false;
  /** `close` was called inside a turn: it takes effect at its end. */
  #isEnding = false;
  #isClosed = false;
  /** Of the last look at the protocol's timers. */
  #timersUs = 0;
  #hasHandlerDeadline = false;
  #handlerDeadlineUs = 0;
  readonly #wake = new WakeTime();

  constructor(options: RuntimeOptions) {
    super(options.endpoint, options.protocol);
    this.#handler = options.handler;
    this.#lookahead = new Lookahead(options.endpoint, options.protocol, options.handler);
    this.#role = options.role === 'server' ? ROLE_SERVER : ROLE_CLIENT;
    this.#isTicked = options.driver === 'tick';
    this.#servesDeadlinesAtTick = this.#isTicked && options.tickIntervalUs <= DEADLINE_SLACK_US;
    this.#maxPayloadBytes = options.maxPayloadBytes;
    this.#defer = options.defer ?? queueMicrotask;
    this.#generation = new Uint32Array(options.maxFlows);
    this.#state = new Uint8Array(options.maxFlows);
  }

  /** Generation of a live flow, 0 when the slot is free. */
  generationOf(slot: number): number {
    return this.#generation[slot];
  }

  isOpen(slot: number): boolean {
    return this.#state[slot] === OPEN || this.#state[slot] === RAW;
  }

  /** Runs one turn: at a wake of the endpoint, or because it was asked for. */
  turn(): void {
    if (this.#isInTurn || this.#isClosed) return;
    this.#isInTurn = true;
    const endpoint = this.endpoint;
    try {
      endpoint.drain();
      this.#handleReceived();
      const nowUs = endpoint.nowUs;
      if (!endpoint.more || timeDistanceUs(nowUs, this.#timersUs) > TIMERS_WAIT_US_MAX) {
        this.#timersUs = nowUs;
        this.protocol.handleTimeout(nowUs);
      }
      this.#drainEvents(nowUs);
      if (this.#hasHandlerDeadline && timeReached(nowUs, this.#handlerDeadlineUs)) {
        this.#hasHandlerDeadline = false;
        this.#handler.handleDeadline();
      }
      // Any drain may take ticks off the schedule, whatever woke it.
      if (endpoint.ticksDue > 0) this.#handler.handleTick(endpoint.ticksDue);
    } finally {
      this.#isInTurn = false;
      this.#finish();
      if (this.#isEnding) this.#shutDown();
    }
  }

  /** Asks for a turn soon: at the end of the current task (`immediate`) or at the next tick. */
  requestTurn(): void {
    if (this.#isTicked || this.#isInTurn || this.#isRequested || this.#isClosed) return;
    this.#isRequested = true;
    this.#defer(this.#runRequested);
  }

  /** Calls `handleDeadline` in the turn at or after `deadlineUs`. */
  setHandlerDeadline(deadlineUs: number): void {
    this.#handlerDeadlineUs = deadlineUs;
    this.#hasHandlerDeadline = true;
    this.requestTurn();
  }

  /** Hands a message to the protocol; returns its SEND_ number. See BinaryPeer's FlowPort. */
  send(
    slot: number,
    channel: number,
    mode: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    expiresUs: number,
    key: number,
    redundancy: number,
    receipt: number,
  ): number {
    if (this.#state[slot] !== OPEN) return SEND_CLOSED;
    const code = this.protocol.send(
      slot,
      this.endpoint.nowUs,
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
    this.requestTurn();
    return code;
  }

  /** A bare payload (1…1200 B) to a raw flow. False when there is no room now. */
  sendRaw(slot: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#state[slot] !== RAW || length < 1 || length > PAYLOAD_BYTES) return false;
    const endpoint = this.endpoint;
    const at = endpoint.txReserve(length, slot);
    if (at < 0) return false;
    endpoint.bytes.set(bytes.subarray(offset, offset + length), at);
    endpoint.txCommit(TX_PAYLOAD, slot, this.#generation[slot], length);
    this.requestTurn();
    return true;
  }

  /**
   * Says CLOSE, then disconnects and frees: when what was sent before has been acknowledged, at most two
   * seconds from now; or at once, when it has gone elsewhere. Nothing of the flow is heard any more.
   */
  closeFlow(slot: number, code: number, reason: string, isAtOnce = false): void {
    const state = this.#state[slot];
    if (state !== OPEN && state !== RAW) return;
    const bytes = encodeReason(reason);
    if (state === OPEN && !isAtOnce && this.protocol.isReady(slot)) {
      this.#part(slot, code, bytes);
    } else {
      this.#sayGoodbye(slot, code, bytes);
    }
    this.requestTurn();
  }

  /** Nothing of it is heard or acknowledged any more. Answers what its peer may not have delivered. */
  freezeFlow(slot: number): Unacked {
    if (this.#state[slot] !== OPEN) return { streams: [], messages: [] };
    this.protocol.part(slot);
    return this.protocol.unacked(slot);
  }

  /** Resolves when no flow that was closed waits for acknowledgements. */
  parted(): Promise<void> {
    return this.#goodbyes.said();
  }

  /** `handleDrained` is called once nothing reliable of the flow is unacknowledged. */
  watchDrained(slot: number): void {
    this.protocol.watchDrained(slot);
    this.requestTurn();
  }

  /**
   * A client's flow: begins the handshake; returns its slot. `localHost` as at Endpoint.connect.
   *
   * @throws TransportError bad-token, bad-address, bad-option (no room for another flow)
   */
  connect(connectToken: Uint8Array, localHost?: string): number {
    const { slot, generation } = this.endpoint.connect(connectToken, localHost);
    // The flow before it ended outside of a turn, and the word of it is still in the ring.
    if (this.#generation[slot] !== 0) this.#endUnheard(slot);
    this.#generation[slot] = generation;
    this.requestTurn();
    return slot;
  }

  /** Closes every flow with the code at once, sends what that needs and closes the endpoint. */
  close(code: number, reason: string): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    if (!this.#isInTurn) this.#transmit();
    this.#sayAll(this.#goodbyes.takeAll());
    const bytes = encodeReason(reason);
    for (let slot = 0; slot < this.#state.length; slot++) {
      if (this.isOpen(slot)) this.#sayGoodbye(slot, code, bytes);
      else if (this.#state[slot] === REPLACED_EARLY) this.#disconnect(slot);
    }
    if (this.#isInTurn) return;
    this.#finish();
    this.#shutDown();
  }

  #shutDown(): void {
    this.#isClosed = true;
    this.endpoint.close();
  }

  #handleReceived(): void {
    const endpoint = this.endpoint;
    const protocol = this.protocol;
    try {
      while (!this.#isEnding) {
        this.#lookahead.next();
        if (!endpoint.rxPoll()) break;
        const { slot, kind } = endpoint;
        if (kind === RX_PAYLOAD) {
          if (this.#generation[slot] !== endpoint.generation) continue;
          const { arrivalUs, offset, length } = endpoint;
          protocol.handlePacket(slot, endpoint.nowUs, arrivalUs, endpoint.bytes, offset, length);
          this.#drainEvents(arrivalUs);
        } else if (kind === RX_OPENED) {
          this.#handleOpened();
        } else if (kind === RX_CLOSED) {
          this.#handleNetcodeClosed();
        } else if (kind === RX_MIGRATED && this.#generation[slot] === endpoint.generation) {
          protocol.pathChanged(slot, endpoint.nowUs, (endpoint.aux0 & 1) !== 0);
          const address = endpoint.flowAddress(slot, endpoint.generation);
          if (address !== null) this.#handler.handleFlowMoved(slot, address);
        } else if (kind === RX_REPLACED && this.#generation[slot] === endpoint.generation) {
          this.#handleReplaced(slot);
        }
      }
    } finally {
      endpoint.rxRelease();
    }
  }

  /** It is served for a moment more (docs/wire/netcode.md): one that parts goes on parting. */
  #handleReplaced(slot: number): void {
    if (this.#state[slot] === PARTING) return;
    // Before the goodbye, which forgets what was sent: the session may go on elsewhere.
    if (!this.#isKnown(slot)) this.#handler.handleFlowClosed(slot, REPLACED);
    if (this.#state[slot] === OPEN && !this.protocol.isReady(slot)) {
      this.#state[slot] = REPLACED_EARLY;
    } else {
      this.#sayGoodbye(slot, CLOSE_NORMAL, NO_REASON);
    }
  }

  #handleOpened(): void {
    const { slot, generation, nowUs } = this.endpoint;
    this.#generation[slot] = generation;
    this.#state[slot] = OPEN;
    this.protocol.openFlow(slot, this.#role, nowUs, this.#maxPayloadBytes);
    this.#handler.handleFlowOpened(readOpened(this.endpoint));
  }

  #handleNetcodeClosed(): void {
    const { slot, generation, aux0, aux1 } = this.endpoint;
    if (this.#generation[slot] !== generation) return;
    const isKnown = this.#isKnown(slot);
    if (!isKnown) this.#handler.handleFlowClosed(slot, netcodeCloseOf(aux0, aux1));
    this.#free(slot);
  }

  #endUnheard(slot: number): void {
    if (!this.#isKnown(slot)) this.#handler.handleFlowClosed(slot, UNHEARD);
    this.#free(slot);
  }

  #drainEvents(arrivalUs: number): void {
    const protocol = this.protocol;
    const event = protocol.event;
    for (;;) {
      const kind = protocol.pollEvent();
      if (kind === EVENT_NONE) return;
      const slot = event.slot;
      if (this.#state[slot] > CLOSING) {
        this.#handleLateEvent(kind, slot);
      } else if (kind === EVENT_MESSAGE) {
        const ageUs = Math.max(0, timeDistanceUs(this.endpoint.nowUs, arrivalUs));
        this.#handler.handleMessage(
          slot,
          event.channel,
          event.mode,
          event.messageId,
          event.bytes,
          event.offset,
          event.length,
          ageUs,
        );
      } else {
        this.#handleColdEvent(kind, slot);
      }
    }
  }

  /** The handler knows that the flow is over. Its peer may close first; what else it says is late. */
  #handleLateEvent(kind: number, slot: number): void {
    if (kind === EVENT_CLOSED || kind === EVENT_VIOLATION) this.#disconnect(slot);
    else if (kind === EVENT_READY) this.#part(slot, CLOSE_NORMAL, NO_REASON);
  }

  #part(slot: number, code: number, reason: Uint8Array): void {
    this.#state[slot] = PARTING;
    this.protocol.part(slot);
    this.#goodbyes.add(slot, code, reason, this.endpoint.nowUs);
  }

  #handleColdEvent(kind: number, slot: number): void {
    const { event } = this.protocol;
    switch (kind) {
      case EVENT_READY:
        this.#handler.handleFlowReady(slot, event.registryHash);
        break;
      case EVENT_RAW:
        if (this.#state[slot] === CLOSING) break; // a payload behind the close
        this.#state[slot] = RAW;
        this.#handler.handleRawPayload(slot, event.bytes, event.offset, event.length);
        break;
      case EVENT_CLOSED: {
        const { code, bytes, offset, length } = event;
        this.#endByPeer(slot, code, decodeReason(bytes, offset, length));
        break;
      }
      case EVENT_VIOLATION:
        this.#endByPeer(slot, CLOSE_PROTOCOL_ERROR, `protocol violation ${event.code}`);
        break;
      case EVENT_DRAINED:
        this.#handler.handleDrained(slot);
        break;
      case EVENT_RECEIPT:
        this.#handler.handleReceipt(slot, event.receipt, event.code);
        break;
      case EVENT_WRITABLE:
        this.#handler.handleWritable(slot);
        break;
    }
  }

  #endByPeer(slot: number, code: number, reason: string): void {
    if (this.#state[slot] === CLOSING || this.#state[slot] === FREE) return;
    this.#handler.handleFlowClosed(slot, { code, reason, wasClean: true });
    this.#disconnect(slot);
  }

  /** Whether the handler knows, or asked for it, that the flow is over. */
  #isKnown(slot: number): boolean {
    return this.#state[slot] >= CLOSING;
  }

  #sayGoodbye(slot: number, code: number, reason: Uint8Array): void {
    const state = this.#state[slot];
    if (state === OPEN || state > CLOSING) {
      this.protocol.close(slot, this.endpoint.nowUs, code, reason);
    }
    this.#disconnect(slot);
  }

  #disconnect(slot: number): void {
    if (this.#state[slot] === PARTING) this.#goodbyes.remove(slot);
    this.#state[slot] = CLOSING;
    this.#closing.push(slot);
  }

  #sayDueGoodbyes(): void {
    this.#sayAll(this.#goodbyes.takeDue(this.endpoint.nowUs, this.#owes));
    this.#transmit();
    this.#goodbyes.tellIfSaid();
  }

  #sayAll(goodbyes: Iterable<Goodbye>): void {
    for (const { slot, code, reason } of goodbyes) this.#sayGoodbye(slot, code, reason);
  }

  /** Transmit, disconnect what is closing, arm, flush. */
  #finish(): void {
    const endpoint = this.endpoint;
    this.#transmit();
    if (!this.#goodbyes.isEmpty) this.#sayDueGoodbyes();
    while (this.#closing.length > 0) {
      const slot = this.#closing[this.#closing.length - 1];
      if (this.#state[slot] === CLOSING) {
        if (endpoint.txReserve(0, slot) < 0) {
          // More goodbyes than the ring holds; when it stays full, a WRITABLE wake goes on.
          endpoint.flush();
          if (endpoint.txReserve(0, slot) < 0) break;
        }
        endpoint.txCommit(TX_DISCONNECT, slot, this.#generation[slot], 0);
        this.#free(slot);
      }
      this.#closing.pop();
    }
    this.#armDeadline();
    endpoint.flush();
  }

  #transmit(): void {
    const endpoint = this.endpoint;
    const protocol = this.protocol;
    const capacity = this.#maxPayloadBytes;
    for (;;) {
      const slot = protocol.nextTransmitSlot;
      if (slot < 0) return;
      let at = endpoint.txReserve(capacity, slot);
      if (at < 0) {
        endpoint.flush();
        at = endpoint.txReserve(capacity, slot);
        if (at < 0) return; // the kernel is full, or a thread busy: a WRITABLE wake goes on from here
      }
      const length = protocol.transmitNext(endpoint.nowUs, endpoint.bytes, at, capacity);
      if (length > 0) endpoint.txCommit(TX_PAYLOAD, slot, this.#generation[slot], length);
    }
  }

  #armDeadline(): void {
    const { protocol } = this;
    const wake = this.#wake;
    wake.clear();
    if (protocol.hasDeadline) wake.by(protocol.deadlineUs);
    if (this.#hasHandlerDeadline) wake.by(this.#handlerDeadlineUs);
    if (!this.#goodbyes.isEmpty) wake.by(this.#goodbyes.deadlineUs);
    if (!wake.isSet || this.#servesDeadlinesAtTick) this.endpoint.clearDeadline();
    else this.endpoint.setDeadline(wake.us);
  }

  #free(slot: number): void {
    if (this.#state[slot] === PARTING) this.#goodbyes.remove(slot);
    if (this.#state[slot] !== FREE) this.protocol.freeFlow(slot);
    this.#state[slot] = FREE;
    this.#generation[slot] = 0;
  }
}
