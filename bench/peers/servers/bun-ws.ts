/** Echo on Bun.serve's WebSocket (uWebSockets in C++): a frame is sent back as it came. */
import { readArguments } from '../../suite/servers/arguments.js';
import { bun, type Echo, serveOnBun } from './bun.js';

const BAD_REQUEST = 400;

async function open(): Promise<Echo> {
  const { host } = readArguments();
  let echoed = 0;
  const server = bun().serve({
    hostname: host,
    port: 0,
    fetch(request, server) {
      return server.upgrade(request) ? undefined : new Response('', { status: BAD_REQUEST });
    },
    websocket: {
      perMessageDeflate: false,
      idleTimeout: 0, // the load rests while others are measured
      message(socket, data) {
        socket.send(data);
        echoed += 1;
      },
    },
  });
  return { ready: { ready: `${host}:${server.port}` }, mark: () => ({ echoed }) };
}

void serveOnBun(open);
