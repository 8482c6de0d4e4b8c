/** Echo servers for the load's own test: each wire with as little around it as it takes. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { WebSocketServer } from 'ws';
import { GameEvent, Input, Snapshot } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import type { Registry } from '../../src/messages/types.js';
import { GameServer } from '../../src/server/index.js';
import { Bulk, Echo } from '../suite/generated/index.js';

/** A server, and the arguments of a load for it. */
export interface Opened {
  readonly args: string[];
  close(): unknown;
}

export interface GameOptions {
  /** The arguments are those of the WebSocket wire. */
  ws?: boolean;
  udp?: { privateKey: string };
  tickHz?: number;
}

const echoText = (bytes: { toString(): string }) => JSON.stringify(JSON.parse(bytes.toString()));
const stampUs = () => Number((process.hrtime.bigint() / 1000n) & 0xffffffffn);

/** A GameServer, on both wires. */
async function gameServer<R extends object>(
  registry: Registry<R>,
  { ws = false, ...options }: GameOptions = {},
): Promise<Opened & { server: GameServer<R> }> {
  const server = await GameServer.listen<R>({
    dev: true,
    registry,
    ticketsPerSecondPerAddress: 1e6,
    admission: { handshakesPerPrefix: null, packetsPerFlow: null, bytesPerFlow: null },
    ...options,
  });
  const face = `127.0.0.1:${server.http.port}`;
  const udp = ['--wire', 'udp-rl1', '--server', `127.0.0.1:${server.udp?.port}`];
  const args = ws ? ['--wire', 'json-ws', '--server', face] : udp;
  args.push('--tickets', face, '--registry-hash', `${registry.hash}`);
  return { server, args, close: () => server.close() };
}

export async function echoServer(options?: GameOptions): Promise<Opened> {
  const opened = await gameServer(createRegistry({ Echo }), options);
  opened.server.on('Echo', (player, value) => player.send('Echo', value));
  return opened;
}

/** What the load expects of every text. */
const text = 'abcdefghijklmnopqrstuvwxyz'.repeat(10_000).slice(0, 250_000);

/** Nobody looks at what is in them. */
const SNAPSHOT = { matchState: 0 as const, players: [], boomerangs: [] };
const EVENT = {
  kind: 1,
  actor: 1,
  target: 2,
  object: 0,
  direction: 0,
  damage: 0,
  x: 0,
  y: 0,
  charge: 0,
} as const;

/** Each tick a snapshot with the time at which it was made; now and then an event, and what is large. */
export async function matchServer(options?: GameOptions): Promise<Opened> {
  const registry = createRegistry({ Input, Snapshot, GameEvent, Bulk });
  const opened = await gameServer(registry, { ...options, tickHz: 60 });
  const { server } = opened;
  const acked = new Map<string, number>();
  server.on('Input', (player, { inputs }) => acked.set(player.id, inputs[0].seq));
  server.onTick(({ tick }) => {
    const timeRemainingMs = stampUs();
    for (const player of server.players.values()) {
      const ackSeq = acked.get(player.id) ?? 0;
      player.send('Snapshot', { ...SNAPSHOT, tick, ackSeq, timeRemainingMs });
      if (tick % 8 === 0) player.send('GameEvent', { ...EVENT, tick });
      if (tick % 16 === 0) player.send('Bulk', { seq: tick, sentUs: timeRemainingMs, text });
    }
  });
  return opened;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** `ws` and nothing else. */
export async function bareWebSocket(): Promise<Opened> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    socket.on('message', (bytes) => socket.send(echoText(bytes)));
  });
  const args = ['--wire', 'json-ws', '--server', await listen(server)];
  const close = () => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  };
  return { args, close };
}

export async function bareHttp(): Promise<Opened> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => response.end(echoText(Buffer.concat(chunks))));
  });
  const args = ['--wire', 'json-http', '--server', await listen(server)];
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { args, close };
}

export async function bareDatagrams(): Promise<Opened> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => socket.send(echoText(bytes), port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const args = ['--wire', 'json-dgram', '--server', `127.0.0.1:${socket.address().port}`];
  return { args, close: () => socket.close() };
}
