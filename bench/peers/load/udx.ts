/** Streams of udx-native, all on one socket. */
import { createUdx, HELLO_BYTES, type UdxStream } from '../udx-api.js';
import type { Heard, LoadOptions, PeerClient } from './engine.js';
import { slicer } from './slicer.js';

const HELLO_AGAIN_MS = 200;

export async function openUdx(
  { host, port, payloadBytes }: LoadOptions,
  heard: Heard,
): Promise<PeerClient> {
  const udx = createUdx();
  const socket = udx.createSocket();
  const streams: UdxStream[] = [];
  const opening = new Map<number, () => void>();
  socket.on('message', (hello) => {
    if (hello.length === HELLO_BYTES) opening.get(hello.readUInt32LE(0))?.();
  });
  socket.bind(0, '0.0.0.0');
  return {
    open(flow) {
      const id = flow + 1;
      const stream = udx.createStream(id);
      streams[flow] = stream;
      stream.on('data', slicer(payloadBytes, heard));
      stream.on('error', (error) => {
        throw error;
      });
      stream.connect(socket, id, port, host);
      stream.setInteractive(true);
      const hello = Buffer.alloc(HELLO_BYTES);
      hello.writeUInt32LE(id, 0);
      return new Promise((resolve) => {
        const say = (): unknown => socket.send(hello, port, host);
        const again = setInterval(say, HELLO_AGAIN_MS);
        opening.set(id, () => {
          clearInterval(again);
          opening.delete(id);
          resolve();
        });
        say();
      });
    },
    send(flow, message) {
      streams[flow].write(Buffer.from(message));
    },
  };
}
