/**
 * The HTTP face on uWebSockets.js, which owns its port and cannot share one with node:http. It times
 * out slow headers and bodies by itself (10 s); it has no TLS here (docs/adr/0018).
 */
import { lookup } from 'node:dns/promises';
import { STATUS_CODES } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SESSION_LOG_BYTES_MAX } from '../session/limits.js';
import { joinHostPort, plainAddress } from './addresses.js';
import type { Entrance } from './http-face.js';
import { type FrontOptions, type HttpFront, listenError } from './http-front.js';
import type { HttpAnswer } from './http-message.js';
import { FRAME_BYTES_MAX } from './server-socket.js';
import type { UwsApp, UwsModule, UwsRequest, UwsResponse, UwsWebSocket } from './uws-module.js';
import { binaryAddress, UwsHttpRequest } from './uws-request.js';
import { UwsSocket } from './uws-socket.js';

/** Beyond FRAME_BYTES_MAX a message closes with 1009; beyond this the library cuts, without a code. */
const PAYLOAD_BYTES_MAX = FRAME_BYTES_MAX * 2;
/** More than the session ever lets wait: what is beyond it is answers to pings of who does not read. */
const BACKLOG_BYTES_MAX = SESSION_LOG_BYTES_MAX * 4;
/**
 * The listener's pings end a silent peer after 20 s. This is for those that were said goodbye to and
 * never hang up: they are cut after 8 s.
 */
const IDLE_TIMEOUT_S = 28;
/** How long goodbyes have to arrive before what is left is cut: a round trip. */
const LINGER_MS = 500;

interface SocketData {
  entrance: Entrance;
  /** Set when the socket opens. */
  socket?: UwsSocket<SocketData>;
}

export class UwsFront implements HttpFront {
  readonly engine = 'uws';
  readonly #options: FrontOptions;
  readonly #uws: UwsModule;
  readonly #app: UwsApp;
  /** Of the listening socket. */
  #token: unknown = null;
  #lastGoodbyeMs = Number.NEGATIVE_INFINITY;

  constructor(options: FrontOptions, uws: UwsModule) {
    this.#options = options;
    this.#uws = uws;
    this.#app = uws.App();
    this.#app.ws<SocketData>('/*', {
      compression: uws.DISABLED,
      maxPayloadLength: PAYLOAD_BYTES_MAX,
      maxBackpressure: BACKLOG_BYTES_MAX,
      closeOnBackpressureLimit: 1,
      idleTimeout: IDLE_TIMEOUT_S,
      sendPingsAutomatically: false,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => this.#open(socket),
      message: (socket, message, isBinary) => {
        socket.getUserData().socket?.handleMessage(message, isBinary);
      },
      drain: (socket) => socket.getUserData().socket?.handleDrain(),
      ping: (socket) => socket.getUserData().socket?.handleAlive(),
      pong: (socket) => socket.getUserData().socket?.handleAlive(),
      close: (socket, code, reason) => {
        // Its user data are all that may still be asked for.
        const text = reason.byteLength === 0 ? '' : Buffer.from(reason).toString('utf8');
        socket.getUserData().socket?.handleClose(code, text);
      },
    });
    this.#app.any('/*', (response, request) => void this.#serve(response, request));
  }

  async listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    const { address } = await lookup(host).catch((error) => {
      throw listenError(error, host, port);
    });
    const token = await new Promise((resolve) => {
      this.#app.listen(address, port, this.#uws.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve);
    });
    if (token === false) throw await this.#whyNot(address);
    this.#token = token;
    return { host: plainAddress(address), port: this.#uws.us_socket_local_port(token) };
  }

  async close(): Promise<void> {
    if (this.#token === null) return;
    this.#uws.us_listen_socket_close(this.#token);
    this.#token = null;
    // A socket that was ended tells nothing more, so nobody knows when its peer has hung up.
    const lingerMs = this.#lastGoodbyeMs + LINGER_MS - performance.now();
    if (lingerMs > 0) await delay(lingerMs);
    this.#app.close();
  }

  /** The library does not say why it cannot listen; node:net does. */
  #whyNot(address: string): Promise<Error> {
    const { host, port } = this.#options;
    return new Promise((resolve) => {
      const probe = createServer();
      probe.once('error', (error) => resolve(listenError(error, host, port)));
      probe.listen({ host: address, port, exclusive: true }, () => {
        probe.close(() => resolve(listenError(new Error('refused by uWebSockets.js'), host, port)));
      });
    });
  }

  async #serve(response: UwsResponse, asked: UwsRequest): Promise<void> {
    const request = new UwsHttpRequest(response, asked, this.#options.host);
    const isHead = request.method === 'HEAD';
    request.collectBody(response);
    const answer = await this.#options.face.answer(request);
    // An answer to half a body would be lost in the reset that follows it.
    await request.bodyEnd;
    if (request.isAborted) return;
    response.cork(() => send(response, answer, isHead));
  }

  #upgrade(response: UwsResponse, asked: UwsRequest, context: unknown): void {
    if (!isUpgrade(asked)) {
      void this.#serve(response, asked);
      return;
    }
    const request = new UwsHttpRequest(response, asked, this.#options.host);
    const entrance = this.#options.face.admit(request);
    if (!('admitted' in entrance)) {
      send(response, entrance, false);
      return;
    }
    response.upgrade<SocketData>(
      { entrance },
      asked.getHeader('sec-websocket-key'),
      asked.getHeader('sec-websocket-protocol'),
      '', // no compression
      context,
    );
  }

  #open(opened: UwsWebSocket<SocketData>): void {
    const data = opened.getUserData();
    const address = joinHostPort(
      binaryAddress(opened.getRemoteAddress()),
      opened.getRemotePort?.() ?? 0,
    );
    const socket = new UwsSocket(opened, address, () => {
      this.#lastGoodbyeMs = performance.now();
    });
    data.socket = socket;
    try {
      this.#options.onSocket(socket, data.entrance);
    } catch (error) {
      this.#options.face.handleFailure(error);
      socket.terminate();
    }
  }
}

/** RFC 6455 §4.2.1; the library has looked at the key alone. */
function isUpgrade(request: UwsRequest): boolean {
  return (
    request.getHeader('upgrade').toLowerCase() === 'websocket' &&
    request.getHeader('sec-websocket-version') === '13'
  );
}

function send(response: UwsResponse, answer: HttpAnswer, isHead: boolean): void {
  const { status, headers, body, isLast } = answer;
  response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
  for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
  if (isHead) response.endWithoutBody(Buffer.byteLength(body), isLast);
  else response.end(body, isLast);
}
