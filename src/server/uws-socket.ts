/** WebSockets of uWebSockets.js. */
import type { StreamFigures } from '../session/json-stats.js';
import { CLOSE_ABNORMAL, CLOSE_TOO_BIG } from '../util/close-codes.js';
import { FRAME_BYTES_MAX, type ServerSocket, type SocketEvents } from './server-socket.js';
import type { UwsWebSocket } from './uws-module.js';

/** What uWebSockets.js calls the end of TCP without a close frame: an accident, as is no reason at all. */
const TCP_END = 'Received TCP FIN';
/** RFC 6455 §5.2: a client's frames are masked. */
const MASK_BYTES = 4;

/** A broadcast gives the same string to one socket after the other: it is encoded once. */
let lastText = '';
let lastBytes: Uint8Array = Buffer.alloc(0);

/** Valid until the next call. */
function utf8Of(text: string): Uint8Array {
  if (text !== lastText) {
    lastBytes = Buffer.from(text, 'utf8');
    lastText = text;
  }
  return lastBytes;
}

/** RFC 6455 §5.2, without the mask; a frame of a message that travels whole. */
function headerBytes(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

export class UwsSocket<D> implements ServerSocket {
  readonly address: string;
  /** Null once it has ended: each call would throw. */
  #socket: UwsWebSocket<D> | null;
  readonly #onGoodbye: () => void;
  #events: SocketEvents | null = null;
  #framesIn = 0;
  #framesOut = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /** `onGoodbye`: a close frame of ours is on its way. */
  constructor(socket: UwsWebSocket<D>, address: string, onGoodbye: () => void) {
    this.#socket = socket;
    this.address = address;
    this.#onGoodbye = onGoodbye;
  }

  listen(events: SocketEvents): void {
    this.#events = events;
  }

  get bufferedAmount(): number {
    return this.#socket === null ? 0 : this.#socket.getBufferedAmount();
  }

  get figures(): StreamFigures {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
    };
  }

  /** Beyond `maxBackpressure` the socket ends by itself: nothing is dropped in silence. */
  send(text: string): void {
    if (this.#socket === null) return;
    const bytes = utf8Of(text);
    this.#framesOut++;
    this.#bytesOut += headerBytes(bytes.length) + bytes.length;
    this.#socket.send(bytes, false, false);
  }

  ping(): void {
    if (this.#socket === null) return;
    this.#bytesOut += headerBytes(0);
    this.#socket.ping();
  }

  close(code: number, reason: string): void {
    this.#end(code, reason, code, reason, false);
  }

  terminate(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.#tellLater(CLOSE_ABNORMAL, '', false);
    socket.close();
  }

  handleMessage(message: ArrayBuffer, isBinary: boolean): void {
    const { byteLength } = message;
    this.#framesIn++;
    this.#bytesIn += headerBytes(byteLength) + MASK_BYTES + byteLength;
    if (this.#socket === null) return;
    if (byteLength > FRAME_BYTES_MAX) this.#end(CLOSE_TOO_BIG, '', CLOSE_ABNORMAL, '', true);
    else if (isBinary) this.#events?.handleBinary();
    else this.#events?.handleText(Buffer.from(message).toString('utf8'));
  }

  handleDrain(): void {
    if (this.#socket !== null) this.#events?.handleWritten();
  }

  handleAlive(): void {
    this.#bytesIn += headerBytes(0) + MASK_BYTES;
    this.#events?.handleAlive();
  }

  /** Called for our own ends too, from within them: of those it has been told already. */
  handleClose(code: number, reason: string): void {
    if (this.#socket === null) return;
    this.#socket = null;
    const isBroken = code === CLOSE_ABNORMAL && reason !== '' && !reason.startsWith(TCP_END);
    this.#events?.handleClose(code, isBroken ? '' : reason, isBroken);
  }

  #end(code: number, reason: string, toldCode: number, toldReason: string, broken: boolean): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.#tellLater(toldCode, toldReason, broken);
    this.#onGoodbye();
    socket.end(code, reason);
  }

  /** Whoever closes is not told in the middle of it. */
  #tellLater(code: number, reason: string, isBroken: boolean): void {
    queueMicrotask(() => this.#events?.handleClose(code, reason, isBroken));
  }
}
