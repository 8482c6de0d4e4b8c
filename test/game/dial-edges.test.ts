/** Dials that go wrong leave nothing behind and tell why; tickets are good for one connection. */
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import { listen, until } from './support.js';

interface Messages {
  [type: string]: unknown;
}

/** A game server in name: it mints, and `onUpgrade` does the rest. */
async function fakeServer(
  t: { teardown(work: () => void): void },
  onUpgrade: (socket: Socket, ws: () => Promise<WebSocket>) => void,
) {
  const sockets = new Set<Socket>();
  const upgrader = new WebSocketServer({ noServer: true });
  const server = createHttpServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ ticket: 't', connectToken: null, expiresInSeconds: 30 }));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    onUpgrade(
      socket as Socket,
      () => new Promise((resolve) => upgrader.handleUpgrade(request, socket, head, resolve)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HELLO = {
  session: '00',
  secret: 'x',
  resumeWindowMs: 1,
  player: 'anna',
  serverTimeMs: 0,
};

function client(webSocketHandshakeTimeoutMs = 15_000): Client {
  return new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1', webSocketHandshakeTimeoutMs });
}

t.test('a server that accepts and never upgrades: the socket goes with the dial', async (t) => {
  let ended = 0;
  const controller = new AbortController();
  const address = await fakeServer(t, (socket) => {
    socket.on('error', () => {});
    socket.on('end', () => ended++); // half-open: an HTTP server's sockets do not close themselves
    socket.resume();
    controller.abort();
  });
  const dialled = client().dialGame(address, { sessionToken: 'a', signal: controller.signal });
  await t.rejects(dialled, { name: 'RequestError', kind: 'canceled' });
  await until(() => ended === 1, 'the socket to be cut');
});

t.test('an abort says whether it was a timeout, in each phase', async (t) => {
  const address = await fakeServer(t, (socket) => socket.on('error', () => {}).resume());
  const timeout = client().dialGame(address, {
    sessionToken: 'a',
    signal: AbortSignal.timeout(50),
  });
  await t.rejects(timeout, { name: 'RequestError', kind: 'timeout' });
  const controller = new AbortController();
  const canceled = client().dialGame(address, { sessionToken: 'a', signal: controller.signal });
  controller.abort();
  await t.rejects(canceled, { name: 'RequestError', kind: 'canceled' });
});

t.test('a second $hello ends the connection', async (t) => {
  const address = await fakeServer(t, async (_socket, upgrade) => {
    const ws = await upgrade();
    ws.send(JSON.stringify({ type: '$hello', payload: HELLO }));
    ws.on('message', (data) => {
      if (String(data).includes('"again"')) {
        ws.send(JSON.stringify({ type: '$hello', payload: HELLO }));
      }
    });
  });
  const connection = await client().dialGame(address, { sessionToken: 'a' });
  connection.send('again', null);
  t.match(await connection.closed, { code: 1002, reason: 'second $hello' });
});

t.test('a dial that is closed with 1000 before $hello was replaced', async (t) => {
  const address = await fakeServer(t, async (_socket, upgrade) => (await upgrade()).close(1000));
  const failed = client().dialGame(address, { sessionToken: 'a' });
  await t.rejects(failed, { name: 'GameDialError', code: 'replaced' });
});

t.test('a busy server that asks for a long wait is told on at once', async (t) => {
  const server = createHttpServer((_request, response) => {
    response.writeHead(503, { 'Retry-After': '86400' });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await t.rejects(client().dialGame(address, { sessionToken: 'a' }), {
    name: 'GGScaleError',
    status: 503,
    retryAfter: 86_400,
  });
});

t.test('arguments that make no sense give typed errors', async (t) => {
  for (const address of [undefined, null, 5, {}, { address: 5 }, 'ftp://x', '']) {
    await t.rejects(client().dialGame(address as never), { code: 'bad-address' });
  }
  const address = await fakeServer(t, () => {});
  for (const sessionToken of ['line\nbreak', '€']) {
    await t.rejects(client().dialGame(address, { sessionToken }), {
      name: 'RequestError',
      kind: 'encode',
    });
  }
  const base = { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' };
  for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', null]) {
    const options = { ...base, webSocketHandshakeTimeoutMs: value as never };
    if (value !== null) t.throws(() => new Client(options), { code: 'bad-option' }, String(value));
    const udp = { handshakeTimeoutMs: value as never };
    if (value !== null) {
      t.throws(() => WithHighPerformanceTransport(udp), { code: 'bad-option' }, String(value));
    }
  }
});

t.test('one minting is one connection: the ticket of a WebSocket spends its token', async (t) => {
  const server = await listen<Messages>();
  t.teardown(() => server.close());
  const origin = `http://127.0.0.1:${server.http.port}`;
  const response = await fetch(`${origin}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Session-Token': 'anna' },
    body: '{}',
  });
  const minted = (await response.json()) as { ticket: string };
  const ws = new WebSocket(`${origin.replace('http', 'ws')}/v1/game/ws?ticket=${minted.ticket}`);
  await new Promise((resolve) => ws.once('open', resolve));
  t.teardown(() => ws.terminate());
  // A client that is handed the very same answer must not get a second connection out of it.
  const proxy = createHttpServer((_request, answer) => answer.end(JSON.stringify(minted)));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => proxy.close());
  const udp = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' },
    WithHighPerformanceTransport({ fallback: 'error' }),
  );
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await t.rejects(udp.dialGame(address, { sessionToken: 'anna' }), { name: 'GameDialError' });
  t.equal(server.players.get('anna')?.wire, 'json-ws');
  t.equal(server.players.size, 1);
});
