/** What owns the port of the HTTP face and makes WebSockets of upgrades. */
import { TransportError } from '../util/errors.js';
import type { Entrance, HttpFace } from './http-face.js';
import type { TlsMaterial } from './options.js';
import type { ServerSocket } from './server-socket.js';

/** A request that has not come as a whole after this long is given up. */
export const REQUEST_TIMEOUT_MS = 10_000;

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
  /** Else every upgrade is refused. */
  readonly hasWs: boolean;
  readonly face: HttpFace;
  /** Takes an upgraded socket, before anything is read from it. */
  readonly onSocket: (socket: ServerSocket, entrance: Entrance) => void;
}

export interface HttpFront {
  /** The package that carries its WebSockets. */
  readonly engine: 'ws' | 'uws';
  /** @throws TransportError address-in-use, permission-denied, bad-address */
  listen(): Promise<{ host: string; port: number }>;
  /** Frees the port and cuts what is not a WebSocket. */
  close(): Promise<void>;
}

export function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
): TransportError {
  const where = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new TransportError('address-in-use', `ggscale: TCP ${where} is already in use`);
  }
  if (error.code === 'EACCES') {
    return new TransportError('permission-denied', `ggscale: no permission to listen on ${where}`);
  }
  return new TransportError('bad-address', `ggscale: cannot listen on ${where}: ${error.message}`);
}
