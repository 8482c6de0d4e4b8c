/**
 * The browser's own WebSocket (https://websockets.spec.whatwg.org). What it hides or forbids is made up
 * for here: no `drain` event, close codes 1000 and 3000–4999 only, no way to cut a connection.
 */
import { utf8Length } from '../messages/text.js';
import {
  CLOSE_ABNORMAL,
  CLOSE_LINK_LOST,
  CLOSE_NORMAL,
  closeInfoOf,
} from '../session/close-codes.js';
import type { CloseInfo } from '../session/types.js';
import { GameDialError } from './errors.js';
import type { OpenSocket, SocketEvents } from './ws-socket.js';

/** Stands for the codes that browsers refuse to send (1002, 1008 …). */
const CLOSE_FALLBACK = 4000;
/** How often a socket that holds unsent bytes is looked at: about once a frame. */
const DRAIN_POLL_MS = 16;
/** What clients add to each frame (RFC 6455 §5.2). */
const MASK_BYTES = 4;

/** The slice of the DOM's WebSocket used here; the DOM lib is not part of this build. */
interface DomSocket {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** @throws GameDialError ws-failed: refused, unreachable, given up; browsers do not tell which */
export async function openBrowserSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  if (signal.aborted) throw new GameDialError('ws-failed', 'given up');
  const socket = createSocket(url);
  const open = new BrowserSocket(socket, events);
  const giveUp = () => socket.close(CLOSE_NORMAL, '');
  signal.addEventListener('abort', giveUp);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new GameDialError('ws-failed', 'WebSocket failed'));
    });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  return open;
}

/** Throws at once for what the page may not do: ws: from https:, a policy's connect-src. */
function createSocket(url: string): DomSocket {
  const Dom = (globalThis as unknown as { WebSocket: new (url: string) => DomSocket }).WebSocket;
  try {
    return new Dom(url);
  } catch (cause) {
    throw new GameDialError('ws-failed', `WebSocket failed: ${(cause as Error).message}`, {
      cause,
    });
  }
}

class BrowserSocket implements OpenSocket {
  readonly #socket: DomSocket;
  readonly #events: SocketEvents;
  #early: string[] | null = [];
  #ended: CloseInfo | null = null;
  #drainTimer: ReturnType<typeof setTimeout> | null = null;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(socket: DomSocket, events: SocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.onmessage = ({ data }) => this.#handleMessage(data);
    socket.onclose = ({ code, reason }) => this.#handleEnded(closeInfoOf(code, reason));
  }

  start(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const text of early) this.#events.onText(text);
    if (this.#ended !== null) this.#events.onClose(this.#ended);
  }

  send(text: string): void {
    this.#bytesOut += frameBytes(text) + MASK_BYTES;
    this.#socket.send(text);
    this.#watchDrain();
  }

  close(code: number, reason: string): void {
    const isAllowed = code === CLOSE_NORMAL || code >= 3000;
    this.#socket.close(isAllowed ? code : CLOSE_FALLBACK, reason);
  }

  /**
   * The browser goes on waiting for the peer's close frame; nobody else does. The code tells a server
   * that still hears us that the link is lost, not the player.
   */
  terminate(): void {
    this.#socket.close(CLOSE_LINK_LOST, '');
    queueMicrotask(() => {
      this.#handleEnded({ code: CLOSE_ABNORMAL, reason: '', wasClean: false });
    });
  }

  get bufferedAmount(): number {
    return this.#ended === null ? this.#socket.bufferedAmount : 0;
  }

  bytes(): { in: number; out: number } {
    return { in: this.#bytesIn, out: this.#bytesOut };
  }

  #handleMessage(data: unknown): void {
    if (typeof data !== 'string' || this.#ended !== null) return;
    this.#bytesIn += frameBytes(data);
    if (this.#early === null) this.#events.onText(data);
    else this.#early.push(data);
  }

  #handleEnded(info: CloseInfo): void {
    if (this.#ended !== null) return;
    this.#ended = info;
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    if (this.#early === null) this.#events.onClose(info);
  }

  /** Looks again and again until nothing is left: the last look is what wakes a full sender. */
  #watchDrain(): void {
    if (this.#drainTimer !== null || this.bufferedAmount === 0) return;
    this.#drainTimer = setTimeout(() => {
      this.#drainTimer = null;
      this.#events.onDrain();
      this.#watchDrain();
    }, DRAIN_POLL_MS);
  }
}

/** A text frame without compression: servers of this package agree to none. RFC 6455 §5.2. */
function frameBytes(text: string): number {
  const payload = utf8Length(text);
  return payload + (payload < 126 ? 2 : payload < 65_536 ? 4 : 10);
}
