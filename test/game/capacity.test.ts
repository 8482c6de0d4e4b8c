/** A full server: who hears it, in which words, and what happens when a place is free again. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import { askTicketOnce } from '../../src/sdk/ticket.js';
import { askTicket } from './raw-support.js';
import { dial, listen, until, WIRES } from './support.js';

const FULL = { name: 'GGScaleError', status: 503, code: 'server-full', retryAfter: 5 };

/** The answer to an upgrade that is refused. */
function refusedUpgrade(port: number, ticket: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/game/ws?ticket=${ticket}`);
  return new Promise((resolve) => {
    socket.on('unexpected-response', (request, { statusCode, headers }) => {
      resolve({ status: statusCode, retryAfter: headers['retry-after'] });
      request.destroy();
    });
    socket.on('error', () => {});
  });
}

for (const wire of WIRES) {
  t.test(`${wire}: a full server says 503 and Retry-After 5, until a place is free`, async (t) => {
    const server = await listen({ maxPlayers: 1 });
    t.teardown(() => server.close());
    const origin = `http://127.0.0.1:${server.http.port}`;
    const anna = await dial(server, wire, 'anna');
    for (let i = 0; i < 3; i++) {
      t.match(await askTicket(server, 'berta'), {
        status: 503,
        retryAfter: '5',
        body: { code: 'server-full' },
      });
    }
    const request = { origin, sessionToken: 'berta', signal: null, resume: null };
    await t.rejects(askTicketOnce(request), FULL, 'typed at the client');
    const again = await dial(server, wire, 'anna');
    t.match(await anna.closed, { code: 1000 }, 'who has a place may come again');
    await again.close();
    await until(() => server.players.size === 0, 'the leave');
    const berta = await dial(server, wire, 'berta');
    t.equal(berta.state, 'open');
    t.match(await askTicket(server, 'anna'), { status: 503, retryAfter: '5' });
  });
}

t.test('json-ws: a ticket from before the server was full', async (t) => {
  const server = await listen({ maxPlayers: 1, udp: false });
  t.teardown(() => server.close());
  const { ticket } = (await askTicket(server, 'berta')).body;
  await dial(server, 'json-ws', 'anna');
  const refused = { status: 503, retryAfter: '5' };
  t.same(await refusedUpgrade(server.http.port, ticket), refused);
});

t.test('udp: a connect token from before the server was full, typed at the client', async (t) => {
  const server = await listen({ maxPlayers: 1 });
  const { body } = await askTicket(server, 'berta');
  // Answers with what the game server said while there was room.
  const past = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => past.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    past.close();
    past.closeAllConnections();
    await server.close();
  });
  await dial(server, 'udp', 'anna');
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' },
    WithHighPerformanceTransport({ fallback: 'error' }),
  );
  const address = `127.0.0.1:${(past.address() as AddressInfo).port}`;
  await t.rejects(client.dialGame(address, { sessionToken: 'berta' }), FULL);
  t.same([...server.players.keys()], ['anna']);
});

t.test(
  'no more flows than maxFlows: typed, with the time that is set, and freed by a leave',
  async (t) => {
    const server = await listen({ udp: { maxFlows: 1 } });
    t.teardown(() => server.close());
    const anna = await dial(server, 'udp', 'anna');
    await t.rejects(dial(server, 'udp', 'berta'), FULL);
    server.setAdmission({ retryAfterS: 9 });
    await t.rejects(dial(server, 'udp', 'berta'), { ...FULL, retryAfter: 9 });

    const events: object[] = [];
    const logger = { info() {}, warn: (fields: object) => void events.push(fields) };
    const client = new Client(
      { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger },
      WithHighPerformanceTransport(),
    );
    const address = `127.0.0.1:${server.http.port}`;
    const overWs = await client.dialGame(address, { sessionToken: 'carla' });
    t.equal(overWs.wire, 'json-ws', 'there is room on the other wire');
    t.same(events, [{ event: 'transport.fallback', reason: 'server-full', wire: 'json-ws' }]);

    await anna.close();
    await until(() => server.admission()?.flows === 0, 'the flow to be free');
    t.equal((await dial(server, 'udp', 'berta')).wire, 'udp');
  },
);

t.test(
  'a client without a deadline waits as it is told, and gets the place that is free',
  async (t) => {
    let asked = 0;
    const verifySession = (playerId: string) => {
      asked++;
      return { playerId };
    };
    const server = await listen({ maxPlayers: 1, udp: false, verifySession });
    t.teardown(() => server.close());
    const anna = await dial(server, 'json-ws', 'anna');
    server.setAdmission({ busy: true, retryAfterS: 1 });
    const berta = dial(server, 'json-ws', 'berta');
    await anna.close();
    await until(() => asked === 2, 'the first refusal');
    server.setAdmission({ busy: false });
    t.equal((await berta).state, 'open');
    t.equal(asked, 3);
  },
);
