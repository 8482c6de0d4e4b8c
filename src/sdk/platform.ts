/** What differs between Node and browsers. */
import { TransportError } from '../util/errors.js';

/** False in browsers and their workers: no UDP sockets, no `ws`. */
export const isNode = typeof process === 'object' && process.versions?.node !== undefined;

/**
 * The file that pulls in the native addon; bundles for browsers have `not-in-browsers` in its place.
 *
 * @throws TransportError unsupported-platform
 */
export async function loadUdpLink(): Promise<typeof import('./udp-link.js')> {
  if (isNode) return import('./udp-link.js');
  throw new TransportError('unsupported-platform', 'ggscale: browsers have no UDP sockets');
}

/**
 * The file of sessions in files; bundles for browsers have `not-in-browsers` in its place.
 *
 * @throws TransportError unsupported-platform
 */
export async function loadSessionFile(): Promise<typeof import('./auth/session-file.js')> {
  if (isNode) return import('./auth/session-file.js');
  throw new TransportError('unsupported-platform', 'ggscale: browsers have no session files');
}

/**
 * The file that pulls in `ws` for the realtime API; bundles for browsers have `not-in-browsers`.
 *
 * @throws TransportError unsupported-platform
 */
export async function loadRealtimeSocket(): Promise<typeof import('./realtime/node-socket.js')> {
  if (isNode) return import('./realtime/node-socket.js');
  throw new TransportError(
    'unsupported-platform',
    'ggscale: browsers have a WebSocket of their own',
  );
}
