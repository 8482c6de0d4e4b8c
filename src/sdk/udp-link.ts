/**
 * A link over UDP. Loaded by `import()` only: this file pulls in the native addon.
 */
import { BODY_BYTES_MAX } from '../messages/types.js';
import type { FlowFigures } from '../runtime/flow-figures.js';
import type { ClosedFlow, RuntimeHandler } from '../runtime/handler.js';
import { openClientRuntime } from '../runtime/open.js';
import type { Runtime } from '../runtime/runtime.js';
import { AckBatch } from '../session/ack-batch.js';
import { BinaryPeer, type BinaryPeerContext } from '../session/binary-peer.js';
import { CLOSE_TRY_AGAIN_LATER } from '../session/close-codes.js';
import type { LinkStats } from '../session/connection-stats.js';
import { numberField } from '../session/control.js';
import { SESSION_ACK_ROUND_MS } from '../session/limits.js';
import { RECEIPT_OUTCOMES } from '../session/types.js';
import type { NxMode } from '../util/nx.js';
import { Scratch } from '../util/scratch.js';
import { GGScaleError } from './errors.js';
import type { Link, LinkHost } from './link.js';
import { linkContext } from './link-context.js';
import { UdpServerClock } from './udp-server-clock.js';

/** A client runtime has one flow. */
const SLOT = 0;
/** What NX's REFUSED says (docs/wire/nx.md), as the ticket endpoint would. */
const REFUSALS: readonly (string | undefined)[] = [undefined, 'server-full', 'server-busy'];
/** The launch contract's wait for a place, for a CLOSE that says none. */
const RETRY_AFTER_CAPACITY_S = 5;
/** Of a link that never opened. */
const NO_FIGURES: FlowFigures = {
  rttMs: Number.NaN,
  rttVarMs: Number.NaN,
  jitterMs: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  packetsLostIn: 0,
  resends: 0,
  droppedOut: 0,
  queuedBytes: 0,
  queueAgeMs: 0,
  packetsTrackedOut: 0,
  packetsLostOut: 0,
};

export class UdpLink implements Link, RuntimeHandler {
  readonly wire = 'udp' as const;
  /** Why the server has no place for us, and when it may; null: it was something else. */
  refusal: GGScaleError | null = null;
  readonly #host: LinkHost;
  readonly #connectToken: Uint8Array;
  readonly #nx: NxMode;
  #opened: { runtime: Runtime; peer: BinaryPeer<null>; clock: UdpServerClock } | null = null;
  readonly #acks: AckBatch<{ flushAck(): void }>;
  #isWatched = false;
  #isClosed = false;
  /** Figures at the end; the runtime forgets a flow that is gone. */
  #finalFigures: FlowFigures | null = null;

  constructor(host: LinkHost, connectToken: Uint8Array, nx: NxMode) {
    this.#host = host;
    this.#connectToken = connectToken;
    this.#nx = nx;
    this.#acks = new AckBatch(() => {
      const runtime = this.#opened?.runtime;
      runtime?.setHandlerDeadline((runtime.nowUs + SESSION_ACK_ROUND_MS * 1000) | 0);
    });
  }

  get peer(): BinaryPeer<null> | null {
    return this.#opened?.peer ?? null;
  }

  /**
   * Opens a socket and starts the handshake.
   *
   * @throws TransportError addon-missing, unsupported-runtime, bad-token …
   */
  async open(): Promise<void> {
    const host = this.#host;
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] & 0x7fffffff;
    const { channels, registry } = host;
    const { hash: registryHash } = registry;
    const connectToken = this.#connectToken;
    const runtime = openClientRuntime(
      { connectToken, nx: this.#nx, registryHash, channels, seed },
      this,
    );
    const context: BinaryPeerContext<null> = {
      ...linkContext(host, this, this.#acks),
      port: runtime,
      nowMs: () => performance.now(),
      scratch: new Scratch(BODY_BYTES_MAX + 64),
      onDrained: () => {
        if (this.#isWatched) this.watchDrained();
      },
    };
    const peer = new BinaryPeer<null>(context, null, SLOT, 'awaits-server');
    this.#opened = { runtime, peer, clock: new UdpServerClock(runtime, SLOT) };
  }

  watchDrained(): void {
    this.#isWatched = true;
    this.#opened?.runtime.watchDrained(SLOT);
  }

  stats(): LinkStats {
    const peer = this.#opened?.peer;
    const { messagesIn = 0, messagesOut = 0, droppedOut = 0, heldAgeMs = 0 } = peer ?? {};
    const figures = this.#finalFigures ?? this.#opened?.runtime.figures(SLOT) ?? NO_FIGURES;
    return {
      wire: 'udp',
      messagesIn,
      messagesOut,
      ...figures,
      droppedOut: droppedOut + figures.droppedOut,
      queueAgeMs: Math.max(heldAgeMs, figures.queueAgeMs),
    };
  }

  serverTimeMs(): number {
    return this.#opened?.clock.nowMs(performance.now()) ?? Number.NaN;
  }

  serverTimeErrorMs(): number {
    return this.#opened?.clock.errorMs(performance.now()) ?? Number.POSITIVE_INFINITY;
  }

  begin(serverTimeMs: number, payload: unknown): void {
    const clockUs = numberField(payload, 'clockUs') | 0;
    this.#opened?.clock.begin(serverTimeMs, clockUs, performance.now());
  }

  close(code: number, reason: string): Promise<void> {
    this.#opened?.peer.close(code, reason);
    this.#closeRuntime(code, reason);
    return Promise.resolve();
  }

  handleFlowOpened(): void {}

  handleFlowReady(_slot: number, registryHash: number): void {
    this.#opened?.peer.handleReady(registryHash);
    this.#host.handleReady(this);
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
    this.#opened?.peer.handleMessage(channel, mode, messageId, bytes, offset, length, ageUs);
  }

  handleRawPayload(): void {}

  handleFlowMoved(): void {}

  handleFlowClosed(_slot: number, closed: ClosedFlow): void {
    const { code, reason, wasClean } = closed;
    this.refusal = refusalOf(closed);
    this.#keepFigures();
    this.#opened?.peer.handleGone();
    this.#host.handleClosed(this, { code, reason, wasClean });
    // After this turn: closing inside it would free what it is working on.
    // The peer stays: what is sent meanwhile goes into its log.
    queueMicrotask(() => this.#closeRuntime(code, reason));
  }

  handleDrained(): void {
    if (this.#opened?.peer.hasUnsent) return;
    this.#isWatched = false;
    this.#host.handleDrained(this);
  }

  handleReceipt(_slot: number, receipt: number, outcome: number): void {
    this.#opened?.peer.handleReceipt(receipt, RECEIPT_OUTCOMES[outcome]);
  }

  handleWritable(): void {
    this.#opened?.peer.handleWritable();
  }

  handleTick(): void {}

  handleDeadline(): void {
    this.#acks.flush();
  }

  #closeRuntime(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keepFigures();
    this.#opened?.runtime.close(code, reason);
  }

  #keepFigures(): void {
    const figures = this.#opened?.runtime.figures(SLOT) ?? NO_FIGURES;
    this.#finalFigures ??= { ...figures, queuedBytes: 0, queueAgeMs: 0 };
  }
}

/** The same error as on the way of tickets: which of the two says it first is a race. */
function refusalOf({ code, reason, refusal }: ClosedFlow): GGScaleError | null {
  const named = code === CLOSE_TRY_AGAIN_LATER ? reason : REFUSALS[refusal?.code ?? 0];
  if (named === undefined) return null;
  return new GGScaleError({
    status: 503,
    code: named,
    message: 'no room for another player now',
    requestId: '',
    retryAfter: refusal?.retryAfterS ?? RETRY_AFTER_CAPACITY_S,
  });
}
