/** WebSockets of the `ws` package. */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { StreamFigures } from '../session/json-stats.js';
import { joinHostPort, plainAddress } from './addresses.js';
import type { ServerSocket, SocketEvents } from './server-socket.js';

/** Above this many bytes in the socket, a ping is not answered: the peer does not read. */
const PONG_BACKLOG_BYTES = 64 * 1024;

export class NodeSocket implements ServerSocket {
  readonly address: string;
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  /** Bytes that were on the stream before the first frame: the HTTP upgrade. */
  readonly #readBefore: number;
  readonly #writtenBefore: number;
  #framesIn = 0;
  #framesOut = 0;
  /** The kernel took a frame. The stream's 'drain' comes only above its own mark. */
  #onWritten: () => void = () => {};

  constructor(socket: WebSocket, stream: Socket) {
    this.#socket = socket;
    this.#stream = stream;
    this.#readBefore = stream.bytesRead;
    this.#writtenBefore = stream.bytesWritten;
    this.address = joinHostPort(plainAddress(stream.remoteAddress ?? ''), stream.remotePort ?? 0);
  }

  listen(events: SocketEvents): void {
    const socket = this.#socket;
    let isBroken = false;
    this.#onWritten = () => events.handleWritten();
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.#framesIn++;
      if (isBinary) events.handleBinary();
      else events.handleText((data as Buffer).toString('utf8'));
    });
    socket.on('pong', () => events.handleAlive());
    socket.on('ping', (data: Buffer) => {
      events.handleAlive();
      if (socket.bufferedAmount <= PONG_BACKLOG_BYTES) socket.pong(data);
    });
    // A 'close' event always follows.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      isBroken = error.code?.startsWith('WS_ERR_') ?? false;
    });
    socket.on('close', (code: number, reason: Buffer) => {
      events.handleClose(code, reason.toString('utf8'), isBroken);
    });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get figures(): StreamFigures {
    return {
      bytesIn: this.#stream.bytesRead - this.#readBefore,
      bytesOut: this.#stream.bytesWritten - this.#writtenBefore,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
    };
  }

  send(text: string): void {
    this.#framesOut++;
    this.#socket.send(text, this.#onWritten);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  ping(): void {
    this.#socket.ping();
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
