/** Connections of @matrixai/quic, each with a socket of its own and one bidirectional stream. */
import type { WritableStreamDefaultWriter } from 'node:stream/web';
import { connectQuic, type QuicStream } from '../quic-api.js';
import type { Heard, LoadOptions, PeerClient } from './engine.js';
import { slicer } from './slicer.js';

export async function openQuic(
  { host, port, payloadBytes }: LoadOptions,
  heard: Heard,
): Promise<PeerClient> {
  const clients: object[] = [];
  const writers: WritableStreamDefaultWriter<Uint8Array>[] = [];
  const hear = async ({ readable }: QuicStream): Promise<void> => {
    const slice = slicer(payloadBytes, heard);
    for await (const data of readable) slice(data);
  };
  return {
    async open(flow) {
      const client = await connectQuic(host, port);
      clients.push(client); // held as long as the load runs
      const stream = client.connection.newStream();
      writers[flow] = stream.writable.getWriter();
      void hear(stream);
    },
    send(flow, message) {
      void writers[flow].write(Buffer.from(message));
    },
  };
}
