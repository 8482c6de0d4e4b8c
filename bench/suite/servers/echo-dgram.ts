/** Echo on node:dgram: an answer per datagram. What it is, and so what it costs, is the caller's. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readArguments } from './arguments.js';
import { BUFFER_BYTES } from './limits.js';
import { type BenchServer, serve } from './serve.js';

export function serveDgramEcho(answer: (data: Buffer) => Buffer | string): void {
  void serve(() => open(answer));
}

async function open(answer: (data: Buffer) => Buffer | string): Promise<BenchServer> {
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
    socket.send(answer(data), port, address, onSent);
    echoed += 1;
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  return {
    ready: { ready: `${host}:${socket.address().port}` },
    mark: () => ({ echoed, drops: { 'send-refused': refused } }),
  };
}
