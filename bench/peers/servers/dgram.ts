/** Echo on bare node:dgram: a datagram is sent back as it came, nothing is parsed. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readArguments } from '../../suite/servers/arguments.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';

/** As every server of the benchmark has. */
const BUFFER_BYTES = 4 << 20;

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
  });
  let echoed = 0;
  let refused = 0;
  const onSent = (error: Error | null): void => {
    if (error !== null) refused += 1;
  };
  socket.on('message', (data, { port, address }) => {
    socket.send(data, port, address, onSent);
    echoed += 1;
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  return {
    ready: { ready: `${host}:${socket.address().port}` },
    mark: () => ({ echoed, drops: { 'send-refused': refused } }),
  };
}

void serve(open);
