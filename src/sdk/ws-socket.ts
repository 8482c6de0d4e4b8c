/**
 * A WebSocket with one face: `ws` in Node, the global WebSocket in browsers. `ws` is imported only
 * where it runs, so browser bundles stay free of it.
 */
import { CLOSE_NORMAL, closeInfoOf } from '../session/close-codes.js';
import type { CloseInfo } from '../session/types.js';
import { GameDialError } from './errors.js';

/** RFC 6455 lets an endpoint send these; browsers allow only 1000 and 3000–4999. */
const CLOSE_FALLBACK_BROWSER = 4000;

export interface SocketEvents {
  onText(text: string): void;
  onDrain(): void;
  onClose(info: CloseInfo): void;
}

export interface OpenSocket {
  /** Events begin here; what came earlier follows first. */
  start(): void;
  send(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  readonly bufferedAmount: number;
  /** TCP stream bytes since the upgrade (payload bytes where the platform hides them). */
  bytes(): { in: number; out: number };
}

/** `signal` cuts a socket that is still connecting: a server may accept and never answer. */
export function openSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  const isNode = typeof process === 'object' && process.versions?.node !== undefined;
  return isNode ? openNodeSocket(url, events, signal) : openBrowserSocket(url, events, signal);
}

async function openNodeSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  const { WebSocket } = await import('ws');
  if (signal.aborted) throw new GameDialError('ws-failed', 'given up');
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const early: string[] = [];
  let isStarted = false;
  let stream: import('node:net').Socket | null = null;
  let before = { in: 0, out: 0 };
  let ended: CloseInfo | null = null;
  const giveUp = () => socket.terminate();
  signal.addEventListener('abort', giveUp);
  socket.on('close', (code, reason) => {
    signal.removeEventListener('abort', giveUp);
    ended = closeInfoOf(code, reason.toString('utf8'));
    if (isStarted) events.onClose(ended);
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    if (isStarted) events.onText(data.toString('utf8'));
    else early.push(data.toString('utf8'));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('upgrade', (response) => {
      stream = response.socket;
      before = { in: stream.bytesRead, out: stream.bytesWritten };
    });
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      reject(
        new GameDialError('ws-refused', `the game server refused: HTTP ${response.statusCode}`),
      );
      socket.terminate();
    });
    socket.on('error', (cause) => {
      reject(new GameDialError('ws-failed', `WebSocket failed: ${cause.message}`, { cause }));
    });
  });
  const onWritten = () => events.onDrain();
  return {
    start() {
      isStarted = true;
      for (const text of early.splice(0)) events.onText(text);
      if (ended !== null) events.onClose(ended);
    },
    send: (text) => socket.send(text, onWritten),
    close: (code, reason) => socket.close(code, reason),
    terminate: giveUp,
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    bytes: () => ({
      in: (stream?.bytesRead ?? 0) - before.in,
      out: (stream?.bytesWritten ?? 0) - before.out,
    }),
  };
}

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

async function openBrowserSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  const Dom = (globalThis as unknown as { WebSocket: new (url: string) => DomSocket }).WebSocket;
  const socket = new Dom(url);
  const early: string[] = [];
  const bytes = { in: 0, out: 0 };
  let isStarted = false;
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') return;
    bytes.in += data.length;
    if (isStarted) events.onText(data);
    else early.push(data);
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new GameDialError('ws-failed', 'WebSocket failed'));
    signal.addEventListener('abort', () => socket.close(CLOSE_NORMAL, ''));
  });
  socket.onclose = ({ code, reason }) => events.onClose(closeInfoOf(code, reason));
  const close = (code: number, reason: string) => {
    const isAllowed = code === CLOSE_NORMAL || code >= 3000;
    socket.close(isAllowed ? code : CLOSE_FALLBACK_BROWSER, reason);
  };
  return {
    start() {
      isStarted = true;
      for (const text of early.splice(0)) events.onText(text);
    },
    send(text) {
      bytes.out += text.length;
      socket.send(text);
      // A browser tells no drain; looking again soon serves the newest unreliable messages.
      if (socket.bufferedAmount > 0) setTimeout(() => events.onDrain(), 16);
    },
    close,
    terminate: () => close(CLOSE_NORMAL, ''),
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    bytes: () => ({ ...bytes }),
  };
}
