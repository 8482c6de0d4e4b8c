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
import { CLOSE_POLICY_VIOLATION, CLOSE_TRY_AGAIN_LATER } from '../session/close-codes.js';
import { SESSION_ACK_DELAY_MS } from '../session/limits.js';
import { type ConnectionStats, RECEIPT_OUTCOMES } from '../session/types.js';
import type { AdmissionSettings, AdmissionStatus } from '../util/admission.js';
import { createHello } from './hello.js';
import type { ListenerHost } from './host.js';
import { PlayerEntry, type PlayerLink } from './player-entry.js';
import { RawFlowEntry } from './raw-flow.js';
import type { TickTimes } from './tick-times.js';
import { TICKET_LIFETIME_S } from './tickets.js';
import { readUserData, writeUserData } from './user-data.js';

const FLOW_TIMEOUT_S = 5;
/** What a token says to its client about NX. */
const TOKEN_NX = { off: 'silent', allow: 'known', require: 'required' } as const;

export interface UdpListenerOptions extends Omit<ServerRuntimeOptions, 'registryHash'> {
  onTick: (ticksDue: number) => void;
  onRawOpen: (flow: RawFlowEntry) => void;
  onRawPayload: (flow: RawFlowEntry, bytes: Uint8Array) => void;
}

interface PendingFlow extends OpenedFlow {
  playerId: string;
}

export class UdpListener implements PlayerLink, RuntimeHandler {
  readonly wire = 'udp' as const;
  readonly address: { host: string; port: number };
  readonly #host: ListenerHost;
  readonly #options: UdpListenerOptions;
  readonly #runtime: Runtime;
  readonly #context: BinaryPeerContext<PlayerEntry>;
  readonly #messageAges: DurationHistogram | null;
  readonly #players: (PlayerEntry | null)[] = [];
  readonly #pending = new Map<number, PendingFlow>();
  readonly #raw = new Map<number, RawFlowEntry>();
  readonly #drainWatchers = new Map<number, (() => void)[]>();

  /** @throws TransportError address-in-use, permission-denied, bad-address, addon-missing … */
  constructor(host: ListenerHost, options: UdpListenerOptions) {
    this.#host = host;
    this.#options = options;
    this.#messageAges = host.messageAges;
    this.#runtime = openServerRuntime({ ...options, registryHash: host.registry.hash }, this);
    this.address = this.#runtime.address();
    this.#context = {
      registry: host.registry,
      dispatcher: host.dispatcher,
      port: this.#runtime,
      drops: host.drops,
      acks: new AckBatch(() => this.#armAcks()),
      scratch: new Uint8Array(BODY_BYTES_MAX + 64),
      onUnhandled: null,
      onBroken: (player, code, reason) => player.end(code, reason),
      onHello: null,
      onLead: null,
    };
  }

  /** A connect token (2048 B) for this listener at `serverAddresses`. */
  mintToken(playerId: string, ticketId: Uint8Array, serverAddresses: string[]): Uint8Array {
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
      userData: writeUserData(ticketId, playerId),
      nx: TOKEN_NX[nx],
    });
  }

  get ticks(): TickTimes | null {
    return this.#host.ticks;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  stats(player: PlayerEntry): ConnectionStats {
    const { slot, messagesIn, messagesOut, droppedOut } = player.peer as BinaryPeer<PlayerEntry>;
    const figures = this.#runtime.figures(slot);
    figures.droppedOut += droppedOut;
    return { wire: 'udp', messagesIn, messagesOut, ...figures };
  }

  watchDrained(player: PlayerEntry, callback: () => void): void {
    const { slot } = player.peer as BinaryPeer<PlayerEntry>;
    const waiting = this.#drainWatchers.get(slot);
    if (waiting === undefined) this.#drainWatchers.set(slot, [callback]);
    else waiting.push(callback);
    this.#runtime.watchDrained(slot);
  }

  features(): Record<string, boolean | number | string> {
    return this.#runtime.features();
  }

  /** Datagrams and packets refused since the start, by reason. */
  drops(): Record<string, number> {
    return this.#runtime.drops();
  }

  /** @throws TransportError bad-option, closed */
  setAdmission(settings: AdmissionSettings): void {
    this.#runtime.setAdmission(settings);
  }

  admission(): AdmissionStatus {
    return this.#runtime.admission();
  }

  /** Takes in what the kernel still holds: goodbyes among it. */
  settle(): void {
    this.#runtime.turn();
  }

  close(code: number, reason: string): void {
    this.#runtime.close(code, reason);
  }

  handleFlowOpened(flow: OpenedFlow): void {
    const user = readUserData(flow.userData, flow.clientId);
    if (user.ticketId !== null && !this.#host.tickets.consumeId(user.ticketId)) {
      this.#runtime.closeFlow(flow.slot, CLOSE_POLICY_VIOLATION, 'ticket-spent');
      return;
    }
    this.#raw.delete(flow.slot); // of an earlier flow that we closed
    this.#pending.set(flow.slot, { ...flow, playerId: user.playerId });
  }

  handleFlowReady(slot: number, registryHash: number): void {
    const flow = this.#pending.get(slot);
    if (flow === undefined) return;
    this.#pending.delete(slot);
    if (this.#host.isFull(flow.playerId)) {
      this.#runtime.closeFlow(slot, CLOSE_TRY_AGAIN_LATER, 'server-full');
      return;
    }
    const player = new PlayerEntry(flow.playerId, flow.address, this, (entry, info) => {
      this.#host.release(entry, info);
      this.#forget(slot);
    });
    const peer = new BinaryPeer(this.#context, player, slot, false);
    player.peer = peer;
    this.#players[slot] = player;
    const hello = createHello(flow.playerId, this.#host);
    peer.sendControl('$hello', { ...hello, clockUs: this.#runtime.clockUs() });
    peer.handleReady(registryHash);
    this.#host.admit(player);
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
    const player = this.#players[slot];
    if (player === null || player === undefined) return;
    this.#messageAges?.observe(ageUs);
    const peer = player.peer as BinaryPeer<PlayerEntry>;
    peer.handleMessage(channel, mode, messageId, bytes, offset, length, ageUs);
  }

  handleRawPayload(slot: number, bytes: Uint8Array, offset: number, length: number): void {
    const flow = this.#raw.get(slot) ?? this.#openRaw(slot);
    this.#options.onRawPayload(flow, bytes.subarray(offset, offset + length));
  }

  handleFlowMoved(slot: number, address: string): void {
    const player = this.#players[slot];
    if (player !== null && player !== undefined) player.address = address;
    const pending = this.#pending.get(slot);
    if (pending !== undefined) pending.address = address;
    const raw = this.#raw.get(slot);
    if (raw !== undefined) raw.address = address;
  }

  handleFlowClosed(slot: number, closed: ClosedFlow): void {
    this.#pending.delete(slot);
    this.#raw.delete(slot);
    const player = this.#players[slot];
    if (player === null || player === undefined) return;
    this.#host.release(player, closed);
    player.peer.handleClosed();
    this.#forget(slot);
  }

  handleDrained(slot: number): void {
    const waiting = this.#drainWatchers.get(slot);
    this.#drainWatchers.delete(slot);
    for (const callback of waiting ?? []) callback();
  }

  handleReceipt(slot: number, receipt: number, outcome: number): void {
    const player = this.#players[slot];
    if (player === null || player === undefined) return;
    this.#host.handleReceipt(player, receipt, RECEIPT_OUTCOMES[outcome]);
  }

  handleWritable(slot: number): void {
    (this.#players[slot]?.peer as BinaryPeer<PlayerEntry> | undefined)?.handleWritable();
  }

  handleTick(ticksDue: number): void {
    this.#options.onTick(ticksDue);
  }

  handleDeadline(): void {
    this.#context.acks.flush();
  }

  #openRaw(slot: number): RawFlowEntry {
    const opened = this.#pending.get(slot);
    this.#pending.delete(slot);
    const clientId = opened?.clientId ?? 0n;
    const flow = new RawFlowEntry(clientId, opened?.address ?? '', slot, this.#runtime);
    this.#raw.set(slot, flow);
    this.#options.onRawOpen(flow);
    return flow;
  }

  #forget(slot: number): void {
    this.#players[slot] = null;
    this.handleDrained(slot);
  }

  #armAcks(): void {
    this.#runtime.setHandlerDeadline((this.#runtime.nowUs + SESSION_ACK_DELAY_MS * 1000) | 0);
  }
}
