/** The `ws` package's WebSocket for the realtime API. Node only: loaded by `import()`. */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { RealtimeDialError, RequestError } from '../errors.js';
import { retryAfterSeconds } from '../http/error-body.js';
import { CLOSE_TOO_BIG, EventBuffer, type RealtimeSocket } from './socket.js';

export interface NodeDial {
  url: string;
  headers: Record<string, string>;
  readBytesMax: number;
  /** Cuts a socket that is still connecting. */
  signal: AbortSignal;
}

/** Of what the server answers instead of the upgrade, in the message. */
const REFUSAL_BYTES_MAX = 4096;
/** Of silence, then the kernel asks the peer. */
const KEEP_ALIVE_MS = 30_000;

/** @throws RealtimeDialError; RequestError encode */
export function openNodeRealtime(dial: NodeDial): Promise<RealtimeSocket> {
  const { signal } = dial;
  const socket = createSocket(dial);
  const events = new EventBuffer();
  let isTooBig = false;
  const giveUp = () => socket.terminate();
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  // We only listen: that the path is gone (another network, a NAT that forgot) would never be noticed.
  socket.once('upgrade', ({ socket: tcp }) => tcp.setKeepAlive(true, KEEP_ALIVE_MS));
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    events.onText(isBinary ? null : data.toString('utf8'));
  });
  socket.on('close', (code, reason) => {
    signal.removeEventListener('abort', giveUp);
    events.onClose(isTooBig ? CLOSE_TOO_BIG : code, reason.toString('utf8'));
  });
  return new Promise<RealtimeSocket>((resolve, reject) => {
    socket.once('open', () => {
      signal.removeEventListener('abort', giveUp);
      resolve({
        start: (to) => events.start(to),
        close: (code, reason) => socket.close(code, reason),
        terminate: giveUp,
        pause: () => socket.pause(),
        resume: () => socket.resume(),
      });
    });
    socket.once('unexpected-response', (_request, response) => {
      refusalOf(response).then((refusal) => {
        reject(refusal);
        socket.terminate();
      });
    });
    socket.on('error', (cause: Error & { code?: unknown }) => {
      isTooBig ||= cause.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
      const { message } = cause;
      reject(new RealtimeDialError({ status: 0, retryAfter: 0, message }, { cause }));
    });
  });
}

/** Throws at once for a key or token that fits no header. */
function createSocket({ url, headers, readBytesMax }: NodeDial): WebSocket {
  const limits = { maxPayload: readBytesMax, perMessageDeflate: false, followRedirects: false };
  try {
    return new WebSocket(url, { headers, ...limits });
  } catch (cause) {
    throw new RequestError('encode', 'a header cannot be encoded', { cause });
  }
}

/** The refusal, once as much of its body as is told is here, or it has broken off. */
function refusalOf(response: IncomingMessage): Promise<RealtimeDialError> {
  const { statusCode = 0, statusMessage = '', headers } = response;
  let text = '';
  response.setEncoding('utf8');
  return new Promise((resolve) => {
    response.on('data', (chunk: string) => {
      text += chunk.slice(0, REFUSAL_BYTES_MAX - text.length);
      if (text.length >= REFUSAL_BYTES_MAX) done();
    });
    const done = () => {
      const retryAfter = retryAfterSeconds(headers['retry-after']);
      const message = text.trim() || statusMessage;
      resolve(new RealtimeDialError({ status: statusCode, retryAfter, message }));
    };
    response.on('end', done);
    response.on('error', done);
    response.on('close', done);
  });
}
