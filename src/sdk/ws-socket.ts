/**
 * A WebSocket with one face: `ws` in Node, the global WebSocket in browsers. Each is imported only
 * where it runs.
 */
import type { CloseInfo } from '../session/types.js';
import { isNode } from './platform.js';
import { openBrowserSocket } from './ws-socket-browser.js';

export interface SocketEvents {
  onText(text: string): void;
  onDrain(): void;
  /** Once, after everything else. */
  onClose(info: CloseInfo): void;
}

export interface OpenSocket {
  /** Events begin here; what came earlier follows first. */
  start(): void;
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Takes it down without waiting for the peer, and not as a goodbye; `onClose` follows soon. */
  terminate(): void;
  readonly bufferedAmount: number;
  /** TCP stream bytes since the upgrade; in browsers those of the text frames. */
  bytes(): { in: number; out: number };
}

/**
 * `signal` cuts a socket that is still connecting: a server may accept and never answer.
 *
 * @throws GameDialError ws-failed; ws-refused (Node only: browsers hide the answer)
 */
export async function openSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  if (!isNode) return openBrowserSocket(url, events, signal);
  const { openNodeSocket } = await import('./ws-socket-node.js');
  return openNodeSocket(url, events, signal);
}
