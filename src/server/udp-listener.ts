/**
 * Players (and foreign raw flows) on UDP: a Runtime, and a peer for every ready flow.
 */
import { createHmac } from 'node:crypto';
import { BODY_BYTES_MAX } from '../messages/types.js';
import type { DurationHistogram } from '../ops/index.js';
import type { ClosedFlow, OpenedFlow, RuntimeHandler } from '../runtime/handler.js';
import { openServerRuntime, type ServerRuntimeOptions } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';
import { createConnectToken } from '../runtime/tokens.js';
import { AckBatch } from '../session/ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from '../session/binary-peer.js';
import {
  CLOSE_NORMAL,
  CLOSE_POLICY_VIOLATION,
  CLOSE_TRY_AGAIN_LATER,
} from '../session/close-codes.js';
import type { LinkStats } from '../session/connection-stats.js';
import { RESUME_FIRST_MESSAGE_MS, SESSION_ACK_ROUND_MS } from '../session/limits.js';
import { settledWithin } from '../session/settled-within.js';
import { RECEIPT_OUTCOMES } from '../session/types.js';
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import type { NativeHandle } from '../util/native-handle.js';
import { Scratch } from '../util/scratch.js';
import { createHello, createSession } from './hello.js';
import type { ListenerHost } from './host.js';
import { type AnyPeer, PlayerEntry, type PlayerLink } from './player-entry.js';
import { RawFlowEntry } from './raw-flow.js';
import type { TickTimes } from './tick-times.js';
import { type Admitted, TICKET_LIFETIME_S } from './tickets.js';
import { readUserData, writeUserData } from './user-data.js';

const FLOW_TIMEOUT_S = 5;
/** How long a closing server waits for acknowledgements; as long as for WebSockets' goodbyes. */
const CLOSE_WAIT_MS = 1000;
/** What a token says to its client about NX. */
const TOKEN_NX = { off: 'silent', allow: 'known', require: 'required' } as const;

export interface UdpListenerOptions extends Omit<ServerRuntimeOptions, 'registryHash'> {
  onTick: (ticksDue: number) => void;
  onRawOpen: (flow: RawFlowEntry) => void;
  onRawPayload: (flow: RawFlowEntry, bytes: Uint8Array) => void;
}

/** A flow without a player: it is not ready, or it is to carry a session on and has not said so. */
interface PendingFlow extends OpenedFlow {
  admitted: Admitted;
  /** False for a foreign backend's token: its player has no way to ask for another. */
  isResumable: boolean;
  /** Runs while it awaits `$resume`. */
  patience?: NodeJS.Timeout;
}

interface Goodbye {
  readonly code: number;
  readonly reason: string;
}

/** How netcode's timeout is told. */
const REASON_TIMEOUT = 'timeout';

export class UdpListener implements PlayerLink, RuntimeHandler {
  readonly wire = 'udp' as const;
  readonly address: { host: string; port: number };
  readonly #host: ListenerHost;
  readonly #options: UdpListenerOptions;
  readonly #runtime: Runtime;
  readonly #context: BinaryPeerContext<PlayerEntry>;
  readonly #messageAges: DurationHistogram | null;
  readonly #peers: (BinaryPeer<PlayerEntry> | null)[] = [];
  readonly #pending = new Map<number, PendingFlow>();
  /** Slots of those that are to begin a session, by player: netcode leaves one of each. */
  readonly #dials = new Map<string, number>();
  readonly #raw = new Map<number, RawFlowEntry>();
  /** How flows are to go; they are told when they can hear it. */
  readonly #refused = new Map<number, Goodbye>();

  /** @throws TransportError address-in-use, permission-denied, bad-address, addon-missing … */
  constructor(host: ListenerHost, options: UdpListenerOptions) {
    this.#host = host;
    this.#options = options;
    this.#messageAges = host.messageAges;
    this.#runtime = openServerRuntime({ ...options, registryHash: host.registry.hash }, this);
    this.address = this.#runtime.address();
    this.#context = {
      nowMs: () => host.nowMs(),
      registry: host.registry,
      dispatcher: host.dispatcher,
      port: this.#runtime,
      drops: host.drops,
      acks: new AckBatch(() => this.#armAcks()),
      scratch: new Scratch(BODY_BYTES_MAX + 64),
      onUnhandled: null,
      onBroken: (peer, code, reason) => this.#handleBroken(peer, code, reason),
      onHello: null,
      onLead: null,
      onResumed: null,
      onResume: (peer, payload) => this.#handleResume(peer, payload),
      onConfirmed: (peer) => peer.owner.serverSession.handleConfirmed(peer),
      onReceipt: (peer, receipt, outcome) => host.handleReceipt(peer.owner, receipt, outcome),
      onDrained: (peer) => {
        if (peer === peer.owner?.peer) peer.owner.watchDrained();
      },
      onClosed: (peer) => this.#forget(peer),
    };
  }

  /** A connect token (2048 B) for this listener at `serverAddresses`. */
  mintToken(
    playerId: string,
    ticketId: Uint8Array,
    serverAddresses: string[],
    isResume: boolean,
  ): Uint8Array {
    const { protocolId, privateKey, nx } = this.#options;
    // Keyed, so that client ids on the wire do not tell player ids.
    const digest = createHmac('sha256', privateKey).update(`client-id ${playerId}`).digest();
    return createConnectToken({
      protocolId,
      privateKey,
      clientId: digest.readBigUInt64LE(0),
      serverAddresses,
      expireSeconds: TICKET_LIFETIME_S,
      timeoutSeconds: FLOW_TIMEOUT_S,
      userData: writeUserData(ticketId, playerId, isResume),
      nx: TOKEN_NX[nx],
    });
  }

  get ticks(): TickTimes | null {
    return this.#host.ticks;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  stats(peer: AnyPeer): LinkStats {
    const { slot, messagesIn, messagesOut, droppedOut, heldAgeMs } =
      peer as BinaryPeer<PlayerEntry>;
    const figures = this.#runtime.figures(slot);
    figures.droppedOut += droppedOut;
    figures.queueAgeMs = Math.max(figures.queueAgeMs, heldAgeMs);
    return { wire: 'udp', messagesIn, messagesOut, ...figures };
  }

  watchDrained(peer: AnyPeer): void {
    this.#runtime.watchDrained((peer as BinaryPeer<PlayerEntry>).slot);
  }

  features(): Record<string, boolean | number | string> {
    return this.#runtime.features();
  }

  /** Datagrams and packets refused since the start, by reason. */
  drops(): Record<string, number> {
    return this.#runtime.drops();
  }

  nativeNs(): number {
    return this.#runtime.nativeNs();
  }

  /** @throws TransportError closed */
  nativeHandle(): NativeHandle {
    return this.#runtime.nativeHandle();
  }

  /** @throws TransportError bad-option, closed */
  setAdmission(settings: AdmissionSettings): void {
    this.#runtime.setAdmission(settings);
  }

  admission(): AdmissionStatus {
    return this.#runtime.admission();
  }

  /** Ends the player's flows that have no session yet. */
  revoke(playerId: string, reason: string): void {
    for (const [slot, { admitted }] of [...this.#pending]) {
      if (admitted.session.playerId !== playerId) continue;
      const peer = this.#peers[slot];
      this.#takePending(slot);
      if (peer === null || peer === undefined) {
        this.#refused.set(slot, { code: CLOSE_POLICY_VIOLATION, reason });
      } else {
        peer.close(CLOSE_POLICY_VIOLATION, reason);
      }
    }
  }

  /** Another connection of the player was let in: a flow from before, not ready yet, is too late. */
  replaceDial(playerId: string): void {
    const slot = this.#dials.get(playerId);
    if (slot === undefined) return;
    this.#takePending(slot);
    this.#refused.set(slot, { code: CLOSE_NORMAL, reason: '' });
  }

  /** Takes in what the kernel still holds: goodbyes among it. */
  settle(): void {
    this.#runtime.turn();
  }

  /** Call after every player has been ended; what was sent to them has a second to arrive. */
  async close(code: number, reason: string): Promise<void> {
    this.#runtime.turn();
    await settledWithin(CLOSE_WAIT_MS, this.#runtime.parted());
    this.#runtime.close(code, reason);
  }

  handleFlowOpened(flow: OpenedFlow): void {
    const user = readUserData(flow.userData, flow.clientId);
    const admitted = this.#host.tickets.consumeToken(user);
    this.#raw.delete(flow.slot); // of an earlier flow that we closed
    if (admitted === null) {
      this.#refused.set(flow.slot, { code: CLOSE_POLICY_VIOLATION, reason: 'ticket-spent' });
      return;
    }
    this.#refused.delete(flow.slot);
    this.#pending.set(flow.slot, {
      ...flow,
      admitted,
      isResumable: user.ticketId !== null,
    });
    if (!admitted.isResume) this.#dials.set(admitted.session.playerId, flow.slot);
  }

  handleFlowReady(slot: number, registryHash: number): void {
    const goodbye = this.#refused.get(slot);
    if (goodbye !== undefined) this.#refuse(slot, goodbye.code, goodbye.reason);
    const flow = this.#pending.get(slot);
    if (flow === undefined) return;
    const { session, verifiedMs, isResume } = flow.admitted;
    if (isResume) {
      this.#awaitResume(flow, registryHash);
      return;
    }
    this.#takePending(slot);
    const refusal = this.#host.refusal(session.playerId);
    if (refusal !== null) {
      this.#refuse(slot, CLOSE_TRY_AGAIN_LATER, refusal.code);
      return;
    }
    const { handleEnd } = this.#host;
    const player = new PlayerEntry(session, flow.address, this, flow.isResumable, handleEnd);
    const peer = new BinaryPeer(this.#context, player, slot, 'linked');
    player.begin(createSession(peer));
    this.#peers[slot] = peer;
    const hello = createHello(player, this.#host);
    peer.greet({ ...hello, clockUs: this.#runtime.clockUs() });
    peer.handleReady(registryHash);
    this.#host.admit(player, verifiedMs);
  }

  handleMessage(
    slot: number,
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ageUs: number,
  ): void {
    const peer = this.#peers[slot];
    if (peer === null || peer === undefined) return;
    this.#messageAges?.observe(ageUs);
    peer.handleMessage(channel, mode, messageId, bytes, offset, length, ageUs);
  }

  touch(slot: number): number {
    return this.#peers[slot]?.touch() ?? 0;
  }

  handleRawPayload(slot: number, bytes: Uint8Array, offset: number, length: number): void {
    if (this.#refused.has(slot)) {
      this.#runtime.closeFlow(slot, CLOSE_POLICY_VIOLATION, '');
      return;
    }
    const flow = this.#raw.get(slot) ?? this.#openRaw(slot);
    this.#options.onRawPayload(flow, bytes.subarray(offset, offset + length));
  }

  handleFlowMoved(slot: number, address: string): void {
    const peer = this.#peers[slot];
    if (peer !== null && peer !== undefined && peer === peer.owner?.peer) {
      peer.owner.address = address;
    }
    const pending = this.#pending.get(slot);
    if (pending !== undefined) pending.address = address;
    const raw = this.#raw.get(slot);
    if (raw !== undefined) raw.address = address;
  }

  handleFlowClosed(slot: number, closed: ClosedFlow): void {
    this.#takePending(slot);
    this.#raw.delete(slot);
    this.#refused.delete(slot);
    const peer = this.#peers[slot];
    if (peer === null || peer === undefined) return;
    this.#peers[slot] = null;
    const player: PlayerEntry | null = peer.owner;
    peer.handleGone();
    if (player === null) return;
    const { code, reason, wasClean, isReplaced } = closed;
    // Silence; or another flow of this client: a dial, or its session goes on there.
    const isLost = isReplaced === true || (!wasClean && reason === REASON_TIMEOUT);
    this.#host.handleLinkDown(player, peer, { code, reason, wasClean }, !isLost);
  }

  handleDrained(slot: number): void {
    const peer = this.#peers[slot];
    peer?.owner?.handleDrained(peer);
  }

  handleReceipt(slot: number, receipt: number, outcome: number): void {
    this.#peers[slot]?.handleReceipt(receipt, RECEIPT_OUTCOMES[outcome]);
  }

  handleWritable(slot: number): void {
    this.#peers[slot]?.handleWritable();
  }

  handleTick(ticksDue: number): void {
    this.#options.onTick(ticksDue);
  }

  handleDeadline(): void {
    this.#context.acks.flush();
  }

  /** Its client hears no CLOSE before our PARAMS, which leave at the end of this turn. */
  #refuse(slot: number, code: number, reason: string): void {
    this.#refused.delete(slot);
    const generation = this.#runtime.generationOf(slot);
    setImmediate(() => {
      if (this.#runtime.generationOf(slot) !== generation) return;
      this.#runtime.closeFlow(slot, code, reason);
    });
  }

  #openRaw(slot: number): RawFlowEntry {
    const opened = this.#takePending(slot);
    const clientId = opened?.clientId ?? 0n;
    const flow = new RawFlowEntry(clientId, opened?.address ?? '', slot, this.#runtime);
    this.#raw.set(slot, flow);
    this.#options.onRawOpen(flow);
    return flow;
  }

  /** The flow of a ticket for resuming: it says nothing before its client's `$resume`. */
  #awaitResume(flow: PendingFlow, registryHash: number): void {
    const { slot } = flow;
    const peer = new BinaryPeer<PlayerEntry>(this.#context, null as never, slot, 'awaits-resume');
    this.#peers[slot] = peer;
    peer.handleReady(registryHash);
    flow.patience = setTimeout(() => {
      if (this.#pending.get(slot) === flow) peer.close(CLOSE_POLICY_VIOLATION, 'no $resume');
    }, RESUME_FIRST_MESSAGE_MS).unref();
  }

  #takePending(slot: number): PendingFlow | undefined {
    const flow = this.#pending.get(slot);
    if (flow === undefined) return undefined;
    this.#pending.delete(slot);
    const { playerId } = flow.admitted.session;
    if (this.#dials.get(playerId) === slot) this.#dials.delete(playerId);
    clearTimeout(flow.patience);
    return flow;
  }

  #handleResume(peer: BinaryPeer<PlayerEntry>, payload: unknown): void {
    const flow = this.#takePending(peer.slot);
    if (flow === undefined) return;
    const clock = () => ({ serverTimeMs: this.#host.nowMs(), clockUs: this.#runtime.clockUs() });
    const { admitted, address } = flow;
    this.#host.resume(peer, { admitted, address, link: this, clock }, payload);
  }

  #handleBroken(peer: BinaryPeer<PlayerEntry>, code: number, reason: string): void {
    const player: PlayerEntry | null = peer.owner;
    if (player !== null && player.peer === peer) player.end(code, reason);
    else peer.close(code, reason);
  }

  #forget(peer: BinaryPeer<PlayerEntry>): void {
    this.#takePending(peer.slot);
    if (this.#peers[peer.slot] === peer) this.#peers[peer.slot] = null;
  }

  #armAcks(): void {
    this.#runtime.setHandlerDeadline((this.#runtime.nowUs + SESSION_ACK_ROUND_MS * 1000) | 0);
  }
}
