/**
 * The game on bare `ws` and JSON. It gets the same care: a snapshot becomes text, and the text bytes,
 * once per room; ticks have an absolute schedule.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { takeInput } from '../../../examples/brawler/game/step.js';
import { TickClock } from '../../../src/server/tick-clock.js';
import { Arena } from './arena.js';
import { readArguments } from './arguments.js';
import { BulkTurns, bulkText } from './bulk-turns.js';
import { type BenchServer, serve } from './serve.js';

const AS_TEXT = { binary: false } as const;

async function open(): Promise<BenchServer> {
  const { host, tickHz, bulkBytes } = readArguments();
  const server = new WebSocketServer({ host, port: 0, backlog: 4096 });
  await once(server, 'listening');
  const arena = new Arena(tickHz, () => {
    const sockets: WebSocket[] = [];
    const tell = (type: string, payload: object): number => {
      const bytes = Buffer.from(JSON.stringify({ type, payload }));
      for (const socket of sockets) socket.send(bytes, AS_TEXT);
      return sockets.length;
    };
    return {
      sockets,
      snapshot: (value: object) => tell('Snapshot', value),
      event: (value: object) => tell('GameEvent', value),
    };
  });
  let messagesIn = 0;
  server.on('connection', (socket) => {
    const { table, index } = arena.seat();
    const fighter = table.match.fighters[index];
    const { sockets } = table.channel;
    sockets.push(socket);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type !== 'Input') return;
      messagesIn += 1;
      takeInput(fighter, payload);
    });
  });
  const payload = { seq: 0, sentUs: 0, text: bulkText(bulkBytes) };
  const turns = new BulkTurns<WebSocket>(tickHz, (socket) => {
    const bytes = Buffer.from(JSON.stringify({ type: 'Bulk', payload }));
    return new Promise((resolve) => socket.send(bytes, AS_TEXT, () => resolve()));
  });
  const clock = new TickClock(tickHz, (ticksDue) => {
    arena.run(ticksDue);
    if (bulkBytes > 0 && !arena.isStill) turns.run(server.clients);
  });
  const { port } = server.address() as AddressInfo;
  return {
    ready: { ready: `${host}:${port}` },
    mark: () => ({
      echoed: messagesIn + arena.messagesOut,
      events: arena.eventsOut,
      connections: server.clients.size,
      drops: { 'ticks-skipped': arena.ticksSkipped },
    }),
    run: () => {
      arena.isStill = false;
    },
    pause: () => {
      arena.isStill = true;
    },
    close: () => clock.close(),
  };
}

void serve(open);
