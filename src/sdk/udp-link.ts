/**
 * A game channel over UDP. Loaded by `import()` only: this file pulls in the native addon.
 */
import { BODY_BYTES_MAX } from '../messages/types.js';
import type { FlowFigures } from '../runtime/flow-figures.js';
import type { ClosedFlow, RuntimeHandler } from '../runtime/handler.js';
import { openClientRuntime } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';
import { AckBatch } from '../session/ack-batch.js';
import { BinaryPeer } from '../session/binary-peer.js';
import { type Hello, type LeadReport, numberField } from '../session/control.js';
import { SESSION_ACK_DELAY_MS } from '../session/limits.js';
import {
  type ConnectionStats,
  RECEIPT_OUTCOMES,
  type SendOptions,
  type SendResult,
} from '../session/types.js';
import type { NxMode } from '../util/nx.js';
import type { Link, LinkHost } from './link.js';
import { UdpServerClock } from './udp-server-clock.js';

/**
 * Opens a socket and starts the handshake; $hello follows as a message.
 *
 * @throws TransportError addon-missing, unsupported-runtime, bad-token …
 */
export async function openUdpLink(
  host: LinkHost,
  connectToken: Uint8Array,
  nx: NxMode,
): Promise<void> {
  host.attach(new UdpLink(host, connectToken, nx));
}

/** A client runtime has one flow. */
const SLOT = 0;

class UdpLink implements Link, RuntimeHandler {
  readonly wire = 'udp' as const;
  readonly #host: LinkHost;
  readonly #runtime: Runtime;
  readonly #acks: AckBatch<BinaryPeer<null>>;
  readonly #peer: BinaryPeer<null>;
  #drainWatchers: (() => void)[] = [];
  #isClosed = false;
  readonly #serverClock: UdpServerClock;
  /** Figures at the end; the runtime forgets a flow that is gone. */
  #finalFigures: FlowFigures | null = null;

  constructor(host: LinkHost, connectToken: Uint8Array, nx: NxMode) {
    this.#host = host;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] & 0x7fffffff;
    this.#runtime = openClientRuntime(
      { connectToken, nx, registryHash: host.registry.hash, channels: host.channels, seed },
      this,
    );
    this.#serverClock = new UdpServerClock(this.#runtime, SLOT);
    this.#acks = new AckBatch(() => {
      const delayUs = SESSION_ACK_DELAY_MS * 1000;
      this.#runtime.setHandlerDeadline((this.#runtime.nowUs + delayUs) | 0);
    });
    const context = {
      registry: host.registry,
      dispatcher: host.dispatcher as never,
      port: this.#runtime,
      drops: host.drops,
      acks: this.#acks,
      scratch: new Uint8Array(BODY_BYTES_MAX + 64),
      onUnhandled: (_owner: null, type: string, value: unknown) => {
        host.handleUnhandled(type, value);
      },
      onLead: (_owner: null, report: LeadReport) => host.handleLead(report),
      onBroken: (_owner: null, code: number, reason: string) => host.fail(code, reason),
      onHello: (_owner: null, payload: unknown) => {
        host.handleHello(payload);
        this.#peer.releaseHeld();
      },
    };
    this.#peer = new BinaryPeer<null>(context, null, SLOT, true);
  }

  send(type: string, value: unknown, options?: SendOptions): SendResult {
    return this.#peer.send(type, value, options);
  }

  watchDrained(callback: () => void): void {
    if (this.#isClosed || !this.#runtime.isOpen(SLOT)) {
      callback();
      return;
    }
    this.#drainWatchers.push(callback);
    this.#runtime.watchDrained(SLOT);
  }

  watchWritable(callback: () => void): void {
    this.#peer.watchWritable(callback);
  }

  stats(): ConnectionStats {
    const { messagesIn, messagesOut, droppedOut } = this.#peer;
    const figures = this.#finalFigures ?? this.#runtime.figures(SLOT);
    return {
      wire: 'udp',
      messagesIn,
      messagesOut,
      ...figures,
      droppedOut: droppedOut + figures.droppedOut,
    };
  }

  serverTimeMs(): number {
    return this.#serverClock.nowMs(performance.now());
  }

  serverTimeErrorMs(): number {
    return this.#serverClock.errorMs(performance.now());
  }

  handleHello(hello: Hello, payload: unknown): void {
    const clockUs = numberField(payload, 'clockUs') | 0;
    this.#serverClock.begin(hello.serverTimeMs, clockUs, performance.now());
  }

  close(code: number, reason: string): Promise<void> {
    if (!this.#isClosed) {
      this.#keepFigures();
      this.#isClosed = true;
      this.#peer.close(code, reason);
      this.#runtime.close(code, reason);
      this.handleDrained();
    }
    return Promise.resolve();
  }

  handleFlowOpened(): void {}

  handleFlowReady(_slot: number, registryHash: number): void {
    this.#peer.handleReady(registryHash);
  }

  handleMessage(
    _slot: number,
    channel: number,
    mode: number,
    messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    ageUs: number,
  ): void {
    this.#peer.handleMessage(channel, mode, messageId, bytes, offset, length, ageUs);
  }

  handleRawPayload(): void {}

  handleFlowMoved(): void {}

  handleFlowClosed(_slot: number, closed: ClosedFlow): void {
    this.#keepFigures();
    this.#peer.handleClosed();
    this.#host.handleClosed(closed);
    this.handleDrained();
    // After this turn: closing inside it would free what it is working on.
    queueMicrotask(() => void this.close(closed.code, closed.reason));
  }

  handleDrained(): void {
    for (const callback of this.#drainWatchers.splice(0)) callback();
  }

  handleReceipt(_slot: number, receipt: number, outcome: number): void {
    this.#host.handleReceipt(receipt, RECEIPT_OUTCOMES[outcome]);
  }

  handleWritable(): void {
    this.#peer.handleWritable();
  }

  #keepFigures(): void {
    this.#finalFigures ??= { ...this.#runtime.figures(SLOT), queuedBytes: 0 };
  }

  handleTick(): void {}

  handleDeadline(): void {
    this.#acks.flush();
  }
}
