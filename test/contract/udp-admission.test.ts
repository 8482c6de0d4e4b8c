/** The fourth point of what must hold: who comes in by UDP, and how a player's connection ends. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t from 'tap';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import type { GameServer } from '../../src/server/index.js';
import { dial, listen, until, WIRES } from '../game/support.js';
import { UdpRelay } from '../support/relays.js';

const TICKET_PATH = '/v1/game/ticket';

async function ask(server: GameServer, session: string): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', 'X-Session-Token': session };
  const { host, port } = server.http;
  return fetch(`http://${host}:${port}${TICKET_PATH}`, { method: 'POST', headers, body: '{}' });
}

async function tokenFor(server: GameServer, session: string): Promise<Buffer> {
  const { connectToken } = (await (await ask(server, session)).json()) as { connectToken: string };
  return Buffer.from(connectToken, 'base64');
}

/** netcode 1.02, "connection request packet": what a client shows of its token. */
function requestOf(token: Buffer): Buffer {
  const VERSION_AND_PROTOCOL = token.subarray(0, 21);
  const EXPIRY_NONCE_SEALED = token.subarray(29, 1085);
  return Buffer.concat([Buffer.from([0]), VERSION_AND_PROTOCOL, EXPIRY_NONCE_SEALED]);
}

async function stranger(t: { teardown(work: () => unknown): void }): Promise<{
  socket: Socket;
  answers: Buffer[];
}> {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const answers: Buffer[] = [];
  socket.on('message', (datagram) => answers.push(datagram));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, answers };
}

t.test('4. The session JWT never crosses UDP in clear, nor does anything said', async (t) => {
  const relay = await UdpRelay.open();
  t.teardown(() => relay.close());
  const datagrams: Buffer[] = [];
  relay.onDatagram = (datagram) => datagrams.push(Buffer.from(datagram));
  const jwt = `eyJhbGciOiJIUzI1NiJ9.${'cGxheWVy'.repeat(12)}.c2lnbmF0dXJl`;
  const server = await listen({
    udp: { advertise: [relay.address] },
    verifySession: (token) => (token === jwt ? { playerId: 'the-player-id' } : null),
  });
  t.teardown(() => server.close());
  relay.serverPort = server.udp?.port ?? 0;
  server.on('echo', (player, value) => void player.send('echo', value));
  const client = new Client(
    { apiKey: 'the-api-key', baseUrl: 'http://127.0.0.1:1' },
    WithHighPerformanceTransport({ fallback: 'error' }),
  );
  client.setSessionToken(jwt);
  const connection = await client.dialGame(`http://127.0.0.1:${server.http.port}`);
  for (let i = 0; i < 20; i++) {
    connection.send('echo', `a word that nobody else should read ${i}`);
    await connection.readMessage();
  }
  await connection.switchTo('json-ws');
  await connection.switchTo('udp');
  await connection.close(4000, 'a reason to leave');
  await until(() => server.players.size === 0, 'the goodbye');

  t.ok(datagrams.length > 40, `${datagrams.length} datagrams seen`);
  const everything = Buffer.concat(datagrams);
  t.ok(everything.includes('NETCODE 1.02'), 'what is in clear can be found');
  const parts = [...jwt.split('.'), jwt.slice(10, 40)];
  for (const secret of [
    ...parts,
    ...parts.map((part) => Buffer.from(part).toString('base64').slice(0, 12)),
    'the-player-id',
    'the-api-key',
    'a word that nobody',
    'a reason to leave',
  ]) {
    t.notOk(everything.includes(secret), secret);
  }
});

t.test(
  '4. The address is proven before any state is held or any larger reply is sent',
  async (t) => {
    const server = await listen();
    t.teardown(() => server.close());
    const { port } = server.udp as { port: number };
    const { socket, answers } = await stranger(t);
    let sentBytes = 0;
    const send = (datagram: Buffer) => {
      sentBytes += datagram.length;
      socket.send(datagram, port, '127.0.0.1');
    };
    const request = requestOf(await tokenFor(server, 'anna'));
    t.equal(request.length, 1078);
    for (let i = 0; i < 50; i++) send(request);
    await until(() => answers.length > 0, 'a challenge');
    t.ok(
      answers.every((answer) => answer.length < request.length),
      'a challenge is smaller',
    );

    // Nothing is answered that no token stands behind. The last one tells that all were looked at.
    const before = server.stats().drops;
    const answered = answers.length;
    for (let length = 0; length <= 1400; length += 100) send(Buffer.alloc(length, 0x5a));
    for (const at of [1, 14, 22, 30, 60, 1077]) {
      const spoiled = Buffer.from(request);
      spoiled[at] ^= 1;
      send(spoiled);
    }
    const dropped = () =>
      Object.entries(server.stats().drops).reduce((sum, [k, n]) => sum + n - (before[k] ?? 0), 0);
    await until(() => dropped() >= 20, 'all to be dropped');
    t.equal(answers.length, answered);
    const repliedBytes = answers.reduce((sum, { length }) => sum + length, 0);
    t.ok(repliedBytes < sentBytes, `${repliedBytes} B for ${sentBytes} B`);
    t.match(server.admission(), { flows: 0 }, 'no flow is held');
    t.equal(server.players.size, 0);
  },
);

t.test(
  '4. A refusal at capacity carries Retry-After 5, and who has a place keeps it',
  async (t) => {
    const server = await listen({ maxPlayers: 2 });
    t.teardown(() => server.close());
    const inside = [await dial(server, 'udp', 'anna'), await dial(server, 'json-ws', 'berta')];
    const refused = await ask(server, 'carl');
    t.equal(refused.status, 503);
    t.equal(refused.headers.get('retry-after'), '5');
    t.match(await refused.json(), { code: 'server-full' });
    for (const connection of inside) t.equal(connection.state, 'open');
    await inside[0].close();
    await until(() => server.players.size === 1, 'a free place');
    t.equal((await ask(server, 'carl')).status, 200);
  },
);

for (const first of WIRES) {
  for (const second of WIRES) {
    t.test(
      `4. The newer connection wins with a normal close: ${first}, then ${second}`,
      async (t) => {
        const server = await listen();
        t.teardown(() => server.close());
        const leaves: unknown[] = [];
        server.onLeave((player, { code }) => leaves.push([player.id, player.wire, code]));
        server.on('echo', (player, value) => void player.send('echo', value));
        const older = await dial(server, first, 'anna');
        const newer = await dial(server, second, 'anna');
        t.same(await older.closed, { code: 1000, reason: '', wasClean: true });
        t.same(leaves, [['anna', first, 1000]]);
        newer.send('echo', 'still here');
        t.same(await newer.readMessage(), { type: 'echo', value: 'still here' });
        t.equal(server.players.get('anna')?.wire, second);
      },
    );
  }
}

for (const wire of WIRES) {
  t.test(`4. ${wire}: a ticket lets one connection in, once`, async (t) => {
    const server = await listen({ verifySession: (token) => ({ playerId: token }) });
    t.teardown(() => server.close());
    let asked = 0;
    const { fetch } = globalThis;
    let body = '';
    globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
      asked++;
      // The second dial is shown the ticket of the first.
      const response = await fetch(...args);
      if (asked === 1) body = await response.clone().text();
      return asked === 1 ? response : new Response(body);
    };
    t.teardown(() => {
      globalThis.fetch = fetch;
    });
    const first = await dial(server, wire, 'anna');
    const second = await dial(server, wire, 'mallory').catch((error: unknown) => error);
    t.match(second, wire === 'udp' ? { name: 'GameDialError' } : { code: 'ws-refused' });
    t.equal(first.state, 'open', 'who came first stays');
    t.same([...server.players.keys()], ['anna']);
  });

  t.test(`4. ${wire}: revocation ends the flow at once`, async (t) => {
    const server = await listen();
    t.teardown(() => server.close());
    const connection = await dial(server, wire, 'anna');
    server.revoke('anna');
    t.same(await connection.closed, { code: 1008, reason: 'revoked', wasClean: true });
    t.equal(server.players.size, 0);
    if (wire === 'udp') await until(() => server.admission()?.flows === 0, 'the flow to be freed');
  });
}

t.test('4. Revocation within 30 s: a longer interval of asking is refused', async (t) => {
  const revalidate = () => true;
  // 25 s, and 5 s for an answer. What the hook does: test/game/revocation.test.ts.
  await t.rejects(listen({ revalidate, revalidateMs: 25_001 }), { message: /revalidateMs/ });
  const server = await listen({ revalidate, revalidateMs: 25_000, udp: false });
  await server.close();
});
