/**
 * Echo on udx-native: a reliable, ordered stream of bytes per flow, congestion-controlled, on one socket;
 * what a stream brings is written back. Messages have a fixed length, so bytes are messages.
 */
import { readArguments } from '../../suite/servers/arguments.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';
import { createUdx, HELLO_BYTES } from '../udx-api.js';

const MESSAGE_BYTES = 100;

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  const udx = createUdx();
  const socket = udx.createSocket();
  const known = new Set<number>();
  let bytes = 0;
  socket.on('message', (hello, from) => {
    if (hello.length !== HELLO_BYTES) return;
    const id = hello.readUInt32LE(0);
    if (!known.has(id)) {
      known.add(id);
      const stream = udx.createStream(id);
      stream.on('error', () => known.delete(id));
      stream.on('data', (data) => {
        stream.write(data);
        bytes += data.length;
      });
      stream.connect(socket, id, from.port, from.host);
      stream.setInteractive(true);
    }
    void socket.send(hello, from.port, from.host);
  });
  socket.bind(0, host);
  return {
    ready: { ready: `${host}:${socket.address().port}` },
    mark: () => ({ echoed: Math.floor(bytes / MESSAGE_BYTES), connections: known.size }),
  };
}

void serve(open);
