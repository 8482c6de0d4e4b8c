/** A server's end of a WebSocket, whichever library carries it. */
import { BODY_BYTES_MAX } from '../messages/types.js';
import type { StreamFigures } from '../session/json-stats.js';
import type { TextSocket } from '../session/peer-context.js';

/** A frame is a body and its envelope; what is larger closes with 1009. */
export const FRAME_BYTES_MAX = BODY_BYTES_MAX + 1024;

export interface ServerSocket extends TextSocket {
  /** `ip:port` of the TCP peer. */
  readonly address: string;
  /** Since the upgrade. */
  readonly figures: StreamFigures;
  /** Called once, before anything is read. */
  listen(events: SocketEvents): void;
  ping(): void;
  /** Cuts the connection; `handleClose` follows with 1006. */
  terminate(): void;
}

export interface SocketEvents {
  handleText(text: string): void;
  handleBinary(): void;
  /** A ping or pong came. */
  handleAlive(): void;
  /** The kernel took what waited: `bufferedAmount` may have gone down. */
  handleWritten(): void;
  /**
   * The end, once. Code and reason are those of the peer's close frame, 1005 without any, 1006 when none
   * came. `isBroken`: the peer broke RFC 6455, its end is no accident.
   */
  handleClose(code: number, reason: string, isBroken: boolean): void;
}
