/** Raw `fetch` and `ws` against a launch server, so that no SDK stands between the test and the wire. */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { SessionBody } from './accounts.js';

/** What the tests need of a launch server; a wrong one has the same. */
export interface Launch {
  url: string;
  publishableKey: string;
  secretKey: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: of any operation
  body: any;
}

export interface CallOptions {
  key?: string | null;
  token?: string;
  headers?: Record<string, string>;
}

export async function call(
  launch: Launch,
  method: string,
  path: string,
  body?: unknown,
  { key = launch.publishableKey, token, headers = {} }: CallOptions = {},
): Promise<Answer> {
  const response = await fetch(`${launch.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...(token !== undefined && { 'X-Session-Token': token }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

export function post(launch: Launch, path: string, body: unknown, player?: SessionBody) {
  return call(launch, 'POST', path, body, player && { token: player.access_token });
}

export async function signIn(launch: Launch): Promise<SessionBody> {
  const { body } = await post(launch, '/v1/auth/anonymous', undefined);
  return body;
}

/** A WebSocket whose frames, pings and end can be awaited, however early they came. */
export class RawSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #texts: string[] = [];
  readonly #waiting: ((text: string) => void)[] = [];

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#texts.push(text);
      else waiting(text);
    });
    socket.on('error', () => {}); // a close follows
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: `${reason}` }));
    });
  }

  text(): Promise<string> {
    const text = this.#texts.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export interface Rejection {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** The socket, or what came instead of 101. */
export async function tryConnect(
  launch: Launch,
  options: CallOptions & { ticket?: string; autoPong?: boolean } = {},
): Promise<RawSocket | Rejection> {
  const { key = launch.publishableKey, token, headers = {}, ticket, autoPong = true } = options;
  const query = ticket === undefined ? '' : `?ticket=${ticket}`;
  const socket = new WebSocket(`${launch.url.replace('http', 'ws')}/v1/ws${query}`, {
    perMessageDeflate: false,
    autoPong,
    headers: {
      ...(key !== null && { Authorization: `Bearer ${key}` }),
      ...(token !== undefined && { 'X-Session-Token': token }),
      ...headers,
    },
  });
  const raw = new RawSocket(socket);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(raw));
    socket.once('error', reject);
    socket.once('unexpected-response', async (_request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      socket.terminate();
    });
  });
}

export async function connect(launch: Launch, player: SessionBody): Promise<RawSocket> {
  const socket = await tryConnect(launch, { token: player.access_token });
  if (socket instanceof RawSocket) return socket;
  throw new Error(`refused with ${socket.status}: ${socket.text}`);
}
