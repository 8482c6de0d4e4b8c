/**
 * Echo on bare `ws`: an answer per frame, in a text frame. What it is, and which `ws` carries it, is the
 * caller's. No frame is compressed (`ws` has that off), no socket waits for more (`ws` sets TCP_NODELAY),
 * one closure per connection and none per message.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { RawData, WebSocketServer } from 'ws';
import { readArguments } from './arguments.js';
import { type BenchServer, serve } from './serve.js';

export type WsServerClass = typeof WebSocketServer;
/** Of a frame as it came: text or bytes to send back. */
export type WsAnswer = (data: RawData) => RawData | string;

const AS_TEXT = { binary: false } as const;

export function serveWsEcho(Server: WsServerClass, answer: WsAnswer): void {
  void serve(() => open(Server, answer));
}

async function open(Server: WsServerClass, answer: WsAnswer): Promise<BenchServer> {
  const { host } = readArguments();
  const server = new Server({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  let echoed = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => {
      socket.send(answer(data), AS_TEXT);
      echoed += 1;
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    ready: { ready: `${host}:${port}` },
    mark: () => ({ echoed, connections: server.clients.size }),
  };
}
