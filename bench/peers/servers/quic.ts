/**
 * Echo on @matrixai/quic (Cloudflare's quiche over node:dgram): a connection with one bidirectional stream
 * per flow; what a stream brings is written back. Messages have a fixed length, so bytes are messages.
 */
import { readArguments } from '../../suite/servers/arguments.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';
import { listenQuic, type QuicStream } from '../quic-api.js';

const MESSAGE_BYTES = 100;

async function open(): Promise<BenchServer> {
  const { host } = readArguments();
  let connections = 0;
  let bytes = 0;
  const echo = async ({ readable, writable }: QuicStream): Promise<void> => {
    const writer = writable.getWriter();
    for await (const data of readable) {
      await writer.write(data);
      bytes += data.length;
    }
  };
  const port = await listenQuic(host, {
    onConnection: () => {
      connections += 1;
    },
    onStream: echo,
  });
  return {
    ready: { ready: `${host}:${port}` },
    mark: () => ({ echoed: Math.floor(bytes / MESSAGE_BYTES), connections }),
  };
}

void serve(open);
