/**
 * A link over WebSocket: text frames through a JsonPeer. Works in browsers.
 */
import { AckBatch } from '../session/ack-batch.js';
import { CLOSE_NORMAL } from '../session/close-codes.js';
import type { LinkStats } from '../session/connection-stats.js';
import { JsonPeer } from '../session/json-peer.js';
import { jsonStats } from '../session/json-stats.js';
import { SESSION_ACK_ROUND_MS } from '../session/limits.js';
import type { CloseInfo } from '../session/types.js';
import { ServerClock } from '../time/server-clock.js';
import type { Link, LinkHost } from './link.js';
import { linkContext } from './link-context.js';
import { type OpenSocket, openSocket, type SocketEvents } from './ws-socket.js';

const PING_INTERVAL_MS = 1000;
/** As RL1 does on UDP: a burst and some more make the clock good within two seconds. */
const FIRST_PINGS_MS = [0, 50, 100, 150, 200, 450, 700, 950, 1200, 1450, 1700, 1950];
const CLOSE_TIMEOUT_MS = 2000;
/** Pings without a frame in between after which the server is taken for dead, as it does us. */
const SILENT_PINGS_MAX = 20;

export class WsLink implements Link {
  readonly wire = 'json-ws' as const;
  readonly #host: LinkHost;
  readonly #url: string;
  readonly #acks: AckBatch<{ flushAck(): void }>;
  #peer: JsonPeer<null> | null = null;
  #socket: OpenSocket | null = null;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #pings: ReturnType<typeof setInterval> | null = null;
  #ackTimer: ReturnType<typeof setTimeout> | null = null;
  #isClosed = false;
  /** Resolves when the socket is closed; set by the first `close`. */
  #down: Promise<void> | null = null;
  #onDown: (() => void) | null = null;
  #framesIn = 0;
  #framesOut = 0;
  #silentPings = 0;
  readonly #serverClock = new ServerClock();
  readonly #connecting = new AbortController();

  constructor(host: LinkHost, origin: string, ticket: string) {
    this.#host = host;
    const path = `/v1/game/ws?ticket=${encodeURIComponent(ticket)}`;
    this.#url = origin.replace(/^http/, 'ws') + path;
    this.#acks = new AckBatch(() => {
      this.#ackTimer = setTimeout(() => this.#acks.flush(), SESSION_ACK_ROUND_MS);
    });
  }

  get peer(): JsonPeer<null> | null {
    return this.#peer;
  }

  async open(): Promise<void> {
    const host = this.#host;
    const events: SocketEvents = {
      onText: (text) => {
        this.#framesIn++;
        this.#silentPings = 0;
        this.#peer?.handleText(text);
      },
      onDrain: () => this.#peer?.handleSocketDrained(),
      onClose: (info) => this.#handleClosed(info),
    };
    const socket = await openSocket(this.#url, events, this.#connecting.signal);
    if (this.#isClosed) {
      socket.close(CLOSE_NORMAL, ''); // given up: the player the server has just let in goes again
      return;
    }
    this.#socket = socket;
    this.#peer = new JsonPeer(
      {
        ...linkContext(host, this, this.#acks),
        onDrained: () => host.handleDrained(this),
        nowMs: () => performance.now(),
        onClockSample: (roundTripMs, offsetMs, nowMs) => {
          this.#serverClock.sample(roundTripMs, offsetMs, nowMs);
        },
        serverTimeMs: null,
      },
      null,
      {
        send: (text) => {
          this.#framesOut++;
          socket.send(text);
        },
        close: (code, reason) => socket.close(code, reason),
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
      },
      'awaits-server',
    );
    host.handleReady(this);
    socket.start();
  }

  watchDrained(): void {
    this.#peer?.watchDrained();
  }

  stats(): LinkStats {
    const bytes = this.#socket?.bytes() ?? { in: 0, out: 0 };
    return jsonStats(this.#peer, {
      bytesIn: bytes.in,
      bytesOut: bytes.out,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
    });
  }

  serverTimeMs(): number {
    return this.#serverClock.nowMs(performance.now());
  }

  serverTimeErrorMs(): number {
    return this.#serverClock.errorMs(performance.now());
  }

  begin(serverTimeMs: number): void {
    this.#serverClock.begin(serverTimeMs, performance.now());
    for (const ms of FIRST_PINGS_MS) {
      this.#timers.push(setTimeout(() => this.#peer?.ping(), ms));
    }
    this.#pings = setInterval(() => this.#ping(), PING_INTERVAL_MS);
  }

  close(code: number, reason: string): Promise<void> {
    if (this.#isClosed || this.#socket === null) {
      this.#isClosed = true;
      this.#connecting.abort();
      return Promise.resolve();
    }
    // An attempt that is given up while the connection closes is closed by both.
    this.#down ??= this.#sayGoodbye(code, reason);
    return this.#down;
  }

  #sayGoodbye(code: number, reason: string): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket?.terminate(), CLOSE_TIMEOUT_MS);
      this.#onDown = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#stopTimers();
      if (this.#peer !== null && !this.#peer.isClosed) this.#peer.close(code, reason);
      else this.#socket?.close(code, reason);
    });
  }

  /** Counts pings, not time: a process that slept has not listened. */
  #ping(): void {
    if (++this.#silentPings > SILENT_PINGS_MAX) this.#socket?.terminate();
    else this.#peer?.ping();
  }

  #handleClosed(info: CloseInfo): void {
    this.#isClosed = true;
    this.#stopTimers();
    this.#peer?.handleGone();
    this.#host.handleClosed(this, info);
    this.#onDown?.();
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#pings !== null) clearInterval(this.#pings);
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
  }
}
