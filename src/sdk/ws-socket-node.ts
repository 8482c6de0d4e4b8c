/** The `ws` package's WebSocket, for Node. Loaded by `import()` only. */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { closeInfoOf } from '../session/close-codes.js';
import type { CloseInfo } from '../session/types.js';
import { GameDialError } from './errors.js';
import type { OpenSocket, SocketEvents } from './ws-socket.js';

export async function openNodeSocket(
  url: string,
  events: SocketEvents,
  signal: AbortSignal,
): Promise<OpenSocket> {
  if (signal.aborted) throw new GameDialError('ws-failed', 'given up');
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const early: string[] = [];
  let isStarted = false;
  let stream: Socket | null = null;
  let before = { in: 0, out: 0 };
  let ended: CloseInfo | null = null;
  const giveUp = () => socket.terminate();
  signal.addEventListener('abort', giveUp);
  socket.on('close', (code, reason) => {
    signal.removeEventListener('abort', giveUp);
    ended = closeInfoOf(code, reason.toString('utf8'));
    if (isStarted) events.onClose(ended);
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return;
    if (isStarted) events.onText(data.toString('utf8'));
    else early.push(data.toString('utf8'));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('upgrade', (response) => {
      stream = response.socket;
      before = { in: stream.bytesRead, out: stream.bytesWritten };
    });
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => {
      response.resume();
      reject(
        new GameDialError('ws-refused', `the game server refused: HTTP ${response.statusCode}`),
      );
      socket.terminate();
    });
    socket.on('error', (cause) => {
      reject(new GameDialError('ws-failed', `WebSocket failed: ${cause.message}`, { cause }));
    });
  });
  const onWritten = () => events.onDrain();
  return {
    start() {
      isStarted = true;
      for (const text of early.splice(0)) events.onText(text);
      if (ended !== null) events.onClose(ended);
    },
    send: (text) => socket.send(text, onWritten),
    close: (code, reason) => socket.close(code, reason),
    terminate: giveUp,
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    bytes: () => ({
      in: (stream?.bytesRead ?? 0) - before.in,
      out: (stream?.bytesWritten ?? 0) - before.out,
    }),
  };
}
