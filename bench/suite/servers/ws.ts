/**
 * Echo on what a Node game does today: bare `ws`, JSON, a text frame per message. No frame is
 * compressed (`ws` has that off), no socket waits for more (`ws` sets TCP_NODELAY), one closure per
 * connection and none per message.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { readArguments } from './arguments.js';
import { type BenchServer, serve } from './serve.js';

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  const server = new WebSocketServer({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  let echoed = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      socket.send(JSON.stringify(message));
      echoed += 1;
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    ready: { ready: `${host}:${port}` },
    mark: () => ({ echoed, connections: server.clients.size }),
  };
}

void serve(open);
