/**
 * The third point of what must hold: with the option and without a UDP path the client falls back to
 * JSON, says so once, and promises no less (test/game/resume.test.ts, sdk-compat/udp-dies.test.ts).
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import {
  Client,
  type HighPerformanceOptions,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import type { GameServer } from '../../src/server/index.js';
import { listen } from '../game/support.js';
import { runProgram } from './run-program.js';

function addressOf(server: GameServer): string {
  return `http://${server.http.host}:${server.http.port}`;
}

function echo(server: GameServer): void {
  server.on('echo', (player, value) => player.send('echo', value));
}

function dialLogged(server: GameServer, options: HighPerformanceOptions, hint?: 'tcp' | 'udp') {
  const events: { event: string; reason: string }[] = [];
  const logger = { info() {}, warn: (fields: object) => events.push(fields as never) };
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger },
    WithHighPerformanceTransport(options),
  );
  const address = addressOf(server);
  const match = hint === undefined ? { address } : { address, protocolHint: hint };
  return { events, connected: client.dialGame(match, { sessionToken: 'anna' }) };
}

const ANSWER = { type: 'echo', value: { text: 'hello' } };

t.test('3. Addon missing: WebSocket, and one event that says so', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  echo(server);
  const env = { GGSCALE_TRANSPORT_ADDON: '/nonexistent/addon.node' };
  const outcome = await runProgram(addressOf(server), 'udp', env);
  t.match(outcome, { wire: 'json-ws', answer: ANSWER, hasAddon: false });
  t.match(outcome.events, [{ event: 'transport.fallback', reason: 'addon-missing' }]);
  t.equal(outcome.events.length, 1);
});

t.test('3. Server without UDP, and hint tcp: WebSocket, and one event that says so', async (t) => {
  const server = await listen({ udp: false });
  t.teardown(() => server.close());
  for (const [hint, reason] of [
    [undefined, 'server-has-no-udp'],
    ['tcp', 'hint-tcp'],
  ] as const) {
    const { events, connected } = dialLogged(server, {}, hint);
    const connection = await connected;
    t.equal(connection.wire, 'json-ws');
    t.match(events, [{ event: 'transport.fallback', reason }]);
    await connection.close();
    const refused = dialLogged(server, { fallback: 'error' }, hint);
    await t.rejects(refused.connected, { name: 'GameDialError', code: reason });
    t.same(refused.events, []);
  }
});

t.test(
  '3. Handshake unanswered: WebSocket after the timeout, and one event that says so',
  async (t) => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    t.teardown(() => silent.close());
    const server = await listen({ udp: { advertise: [`127.0.0.1:${silent.address().port}`] } });
    t.teardown(() => server.close());
    const { events, connected } = dialLogged(server, { handshakeTimeoutMs: 50 });
    const connection = await connected;
    t.equal(connection.wire, 'json-ws');
    t.match(events, [{ event: 'transport.fallback', reason: 'handshake-timeout' }]);
    t.equal(events.length, 1);
    await connection.close();
  },
);

t.test('3. No UDP path for long: a player who dials again and again is let in', async (t) => {
  const silent = createSocket('udp4');
  await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const server = await listen({ udp: { advertise: [`127.0.0.1:${silent.address().port}`] } });
  t.teardown(() => server.close());
  // More dials than unused tickets are allowed.
  for (let i = 0; i < 6; i++) {
    const { connected } = dialLogged(server, { handshakeTimeoutMs: 20 });
    const connection = await connected;
    t.equal(connection.wire, 'json-ws');
    await connection.close();
  }
});

t.test('a ticket request on a connection that was closed meanwhile is repeated', async (t) => {
  let requests = 0;
  const http = createServer((request, response) => {
    requests++;
    if (requests <= 2) request.socket.destroy();
    else response.writeHead(401, { 'Content-Type': 'text/plain' }).end('no');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.teardown(() => http.close());
  const { port } = http.address() as AddressInfo;
  const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' });
  const dial = () => client.dialGame(`127.0.0.1:${port}`, { sessionToken: 'a' });
  await t.rejects(dial(), { name: 'RequestError', kind: 'connect' }, 'twice is not by chance');
  t.equal(requests, 2);
  requests = 1;
  await t.rejects(dial(), { name: 'GGScaleError', status: 401 });
  t.equal(requests, 3);
});

t.test('a dial can be aborted, before and during', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' });
  for (const signal of [AbortSignal.abort(), AbortSignal.timeout(0)]) {
    await t.rejects(client.dialGame(addressOf(server), { sessionToken: 'a', signal }), {
      name: 'RequestError',
    });
  }
});

t.test('what is no game server gives typed errors', async (t) => {
  const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' });
  await t.rejects(client.dialGame('127.0.0.1:1', { sessionToken: 'a' }), { name: 'RequestError' });
  await t.rejects(client.dialGame('not a host', { sessionToken: 'a' }), { code: 'bad-address' });
  for (const address of ['127.0.0.1:80@example.com', 'https://anna:hunter2@example.com']) {
    const message = /^(?!.*(example|hunter2)).*without user info/;
    await t.rejects(client.dialGame(address), { code: 'bad-address', message });
  }
  const server = await listen();
  t.teardown(() => server.close());
  await t.rejects(client.dialGame(addressOf(server)), { name: 'GGScaleError', status: 401 });
});
