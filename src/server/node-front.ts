/** The HTTP face on node:http or node:https, its WebSockets on the `ws` package. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { plainAddress } from './addresses.js';
import {
  type FrontOptions,
  type HttpFront,
  listenError,
  REQUEST_TIMEOUT_MS,
} from './http-front.js';
import {
  BODY_BYTES_MAX,
  bodyAborted,
  bodyTooLarge,
  type HttpAnswer,
  type HttpRequest,
} from './http-message.js';
import { NodeSocket } from './node-socket.js';
import { FRAME_BYTES_MAX } from './server-socket.js';

export class NodeFront implements HttpFront {
  readonly engine = 'ws';
  readonly #options: FrontOptions;
  readonly #server: Server;
  /** From the first upgrade on: a server without WebSockets never loads them. */
  #sockets: WebSocketServer | null = null;
  #isClosed = false;

  constructor(options: FrontOptions) {
    this.#options = options;
    const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
      send(response, await options.face.answer(new NodeRequest(request)));
    };
    this.#server =
      options.tls === null ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS;
    this.#server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      void this.#upgrade(request, stream as Socket, head);
    });
  }

  listen(): Promise<{ host: string; port: number }> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(listenError(error, host, port));
      });
      this.#server.listen({ host, port, exclusive: true }, () => {
        const address = this.#server.address() as AddressInfo;
        resolve({ host: plainAddress(address.address), port: address.port });
      });
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      this.#sockets?.close();
    });
  }

  async #upgrade(request: IncomingMessage, stream: Socket, head: Buffer): Promise<void> {
    stream.on('error', () => stream.destroy());
    const { face, hasWs, onSocket } = this.#options;
    const protocol = request.headers.upgrade?.toLowerCase();
    if (protocol !== 'websocket' && request.method === 'GET') {
      // Clients that offer h2c with their first request take an answer in HTTP/1.1 (RFC 9110 §7.8).
      void face.answer(new NodeRequest(request)).then((answer) => answerPlainly(stream, answer));
      return;
    }
    try {
      // Before admission: who is let in is there at once, to be counted, replaced and revoked.
      if (hasWs && this.#sockets === null) {
        const sockets = await createSockets();
        this.#sockets ??= sockets;
        if (this.#isClosed) stream.destroy();
        if (stream.destroyed) return;
      }
      const entrance = face.admit(new NodeRequest(request));
      if (!('admitted' in entrance)) {
        answerPlainly(stream, entrance);
        return;
      }
      this.#sockets?.handleUpgrade(request, stream, head, (socket) => {
        onSocket(new NodeSocket(socket, stream), entrance);
      });
    } catch (error) {
      face.handleFailure(error);
      stream.destroy();
    }
  }
}

async function createSockets(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
    clientTracking: false,
    autoPong: false,
  });
}

class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly remoteAddress: string;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.method = message.method ?? '';
    this.target = message.url ?? '/';
    this.remoteAddress = plainAddress(message.socket.remoteAddress ?? '');
    this.#message = message;
  }

  get localAddress(): string {
    return plainAddress(this.#message.socket.localAddress ?? '');
  }

  header(name: string): string | undefined {
    // Only Set-Cookie is a list.
    return this.#message.headers[name] as string | undefined;
  }

  readBody(): Promise<Buffer> {
    const message = this.#message;
    const chunks: Buffer[] = [];
    let length = 0;
    // Listeners, because an async iterator of a stream costs more than all the rest of a short request.
    return new Promise((resolve, reject) => {
      message.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= BODY_BYTES_MAX) {
          chunks.push(chunk);
          return;
        }
        message.removeAllListeners('data').pause();
        reject(bodyTooLarge());
      });
      message.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
      message.on('error', () => reject(bodyAborted()));
      message.on('close', () => reject(bodyAborted())); // after `end` it says nothing new
    });
  }
}

function send(response: ServerResponse, { status, headers, body, isLast }: HttpAnswer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (isLast) response.setHeader('Connection', 'close');
  response.end(body);
}

/** Answers what does not become a WebSocket as HTTP, then closes. */
function answerPlainly(stream: Duplex, { status, headers, body }: HttpAnswer): void {
  // The peer may never hang up, and nobody else watches this socket.
  stream.once('finish', () => stream.destroy());
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n${fields.join('')}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
