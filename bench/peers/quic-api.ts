/** As much of @matrixai/quic as is used: https://github.com/MatrixAI/js-quic, its declarations. */
import { createHmac, randomBytes, randomFillSync, timingSafeEqual } from 'node:crypto';
import type { ReadableStream, WritableStream } from 'node:stream/web';
import { npmImport, npmModule } from './locks.js';

export interface QuicStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

interface QuicServer extends EventTarget {
  readonly port: number;
  start(where: { host: string; port: number }): Promise<void>;
}

interface QuicClient {
  readonly connection: { newStream(): QuicStream };
}

interface Library {
  QUICServer: new (options: object) => QuicServer;
  QUICClient: { createQUICClient(options: object): Promise<QuicClient> };
  events: Record<'EventQUICServerConnection' | 'EventQUICConnectionStream', { name: string }>;
}

interface SelfSigned {
  generate(names: object[], options: object): Promise<{ private: string; cert: string }>;
}

/** Without one, each event of a connection is written to stderr. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {}, getChild: () => SILENT };

export interface QuicHeard {
  onConnection(): void;
  onStream(stream: QuicStream): void;
}

/** Listens with a certificate made for this run. @returns the port */
export async function listenQuic(host: string, heard: QuicHeard): Promise<number> {
  const { QUICServer, events } = await npmImport<Library>('@matrixai/quic');
  const { generate } = npmModule<SelfSigned>('selfsigned');
  const names = [{ name: 'commonName', value: 'localhost' }];
  const made = await generate(names, { keyType: 'ec', algorithm: 'sha256' });
  const server = new QUICServer({
    crypto: { key: arrayBuffer(randomBytes(32)), ops: { sign, verify } },
    config: { key: made.private, cert: made.cert },
    logger: SILENT,
  });
  server.addEventListener(events.EventQUICServerConnection.name, heard.onConnection);
  server.addEventListener(events.EventQUICConnectionStream.name, (event) => {
    heard.onStream((event as Event & { detail: QuicStream }).detail);
  });
  await server.start({ host, port: 0 });
  return server.port;
}

/** Nobody signed the server's certificate but itself, so the client does not look at who did. */
export async function connectQuic(host: string, port: number): Promise<QuicClient> {
  const { QUICClient } = await npmImport<Library>('@matrixai/quic');
  const fill = async (data: ArrayBuffer): Promise<void> => {
    randomFillSync(new Uint8Array(data));
  };
  return QUICClient.createQUICClient({
    host,
    port,
    localHost: '0.0.0.0',
    crypto: { ops: { randomBytes: fill } },
    config: { verifyPeer: false },
    logger: SILENT,
  });
}

/** Of the tokens that prove a client's address. */
async function sign(key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> {
  const mac = createHmac('sha256', new Uint8Array(key)).update(new Uint8Array(data)).digest();
  return arrayBuffer(mac);
}

async function verify(key: ArrayBuffer, data: ArrayBuffer, mac: ArrayBuffer): Promise<boolean> {
  const expected = await sign(key, data);
  if (mac.byteLength !== expected.byteLength) return false;
  return timingSafeEqual(new Uint8Array(mac), new Uint8Array(expected));
}

/** Small buffers of Node's are views of a shared one. */
function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
