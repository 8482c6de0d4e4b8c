/** The browser's own WebSocket for the realtime API (https://websockets.spec.whatwg.org). */
import { utf8Length } from '../../messages/text.js';
import { RealtimeDialError } from '../errors.js';
import { CLOSE_ABNORMAL, CLOSE_TOO_BIG, EventBuffer, type RealtimeSocket } from './socket.js';

/** The slice of the DOM's WebSocket used here; the DOM lib is not part of this build. */
interface DomSocket {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  close(code?: number, reason?: string): void;
}

export interface BrowserDial {
  /** With the ticket: a page can set no header. */
  url: string;
  readBytesMax: number;
  signal: AbortSignal;
}

/** Pages may not send 1009; this is the private code that stands for it. */
const CLOSE_TOO_BIG_SENT = 4009;

/** @throws RealtimeDialError status 0: browsers do not tell what the server answered */
export async function openBrowserRealtime(dial: BrowserDial): Promise<RealtimeSocket> {
  const { url, readBytesMax, signal } = dial;
  const socket = createSocket(url);
  const events = new EventBuffer();
  socket.onclose = ({ code, reason }) => events.onClose(code, reason);
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string' && utf8Length(data) > readBytesMax) {
      events.onClose(CLOSE_TOO_BIG, '');
      socket.close(CLOSE_TOO_BIG_SENT);
    } else events.onText(typeof data === 'string' ? data : null);
  };
  const giveUp = () => socket.close();
  signal.addEventListener('abort', giveUp);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(dialError('the WebSocket failed'));
      if (signal.aborted) giveUp();
    });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  return {
    start: (to) => events.start(to),
    close: (code, reason) => socket.close(code, reason),
    terminate() {
      socket.close();
      queueMicrotask(() => events.onClose(CLOSE_ABNORMAL, ''));
    },
    pause() {},
    resume() {},
  };
}

/** Throws at once for what the page may not do: ws: from https:, a policy's connect-src. */
function createSocket(url: string): DomSocket {
  const Dom = (globalThis as unknown as { WebSocket: new (url: string) => DomSocket }).WebSocket;
  try {
    return new Dom(url);
  } catch (cause) {
    throw dialError((cause as Error).message, cause);
  }
}

function dialError(message: string, cause?: unknown): RealtimeDialError {
  return new RealtimeDialError({ status: 0, retryAfter: 0, message }, { cause });
}
