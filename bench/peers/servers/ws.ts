/** Echo on bare `ws`: a frame is sent back as the bytes it came as, nothing is parsed. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type * as Ws from 'ws';
import { readArguments } from '../../suite/servers/arguments.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';
import { npmModule } from '../locks.js';

const AS_TEXT = { binary: false };

async function open(): Promise<BenchServer> {
  const { WebSocketServer } = npmModule<typeof Ws>('ws');
  const { host } = readArguments();
  const server = new WebSocketServer({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  let echoed = 0;
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => {
      socket.send(data, AS_TEXT);
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
