/** How connections end: reasons of any length, peers that never answer, closes from anywhere. */
import { connect } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import type { GameServer, LeaveInfo, Player } from '../../src/server/index.js';
import { dial, listen, until, WIRES } from './support.js';

interface Messages {
  [type: string]: unknown;
}

const LONG = '€'.repeat(100); // 300 B; a WebSocket takes 123, RL1 64

async function ticketFor(server: GameServer<Messages>, playerId: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.http.port}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Session-Token': playerId },
    body: '{}',
  });
  return ((await response.json()) as { ticket: string }).ticket;
}

for (const wire of WIRES) {
  const options = { udp: wire === 'udp' ? {} : (false as const) };

  t.test(`${wire}: a long reason is cut between characters, at each end`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const leaves: LeaveInfo[] = [];
    server.onLeave((_player, info) => leaves.push(info));
    const first = await dial(server, wire, 'anna');
    (server.players.get('anna') as Player<Messages>).close(4001, LONG);
    const expected = { code: 4001, reason: '€'.repeat(21), wasClean: true };
    t.same(await first.closed, expected);
    const second = await dial(server, wire, 'anna');
    await second.close(4001, LONG);
    await until(() => leaves.length === 2, 'the second leave');
    t.same(leaves[1], expected);
    const third = await dial(server, wire, 'anna');
    await server.close(4001, LONG);
    t.same(await third.closed, expected);
  });

  t.test(
    `${wire}: codes and reasons that may not be sent are refused before anything closes`,
    async (t) => {
      const server = await listen<Messages>(options);
      t.teardown(() => server.close());
      const connection = await dial(server, wire, 'anna');
      for (const code of [1006, 5, 70_000, Number.NaN, 1000.5]) {
        await t.rejects(server.close(code), {
          name: 'RangeError',
          message: /1000, 1001 or in 3000/,
        });
        await t.rejects(connection.close(code), RangeError);
      }
      const player = server.players.get('anna') as Player<Messages>;
      for (const reason of [null, 5, {}] as never[]) {
        const refused = {
          code: 'bad-option',
          message: /^ggscale: reason is .*, accepted: a string/,
        };
        await t.rejects(server.close(1000, reason), refused);
        await t.rejects(connection.close(1000, reason), refused);
        t.throws(() => player.close(1000, reason), refused);
      }
      t.equal(connection.state, 'open');
      t.equal(server.players.size, 1);
      await server.close(1000, 'over');
      t.match(await connection.closed, { code: 1000, reason: 'over' });
    },
  );

  t.test(`${wire}: a server may be closed from each of its handlers`, async (t) => {
    for (const place of ['onJoin', 'onLeave', 'onTick', 'message'] as const) {
      const server = await listen<Messages>({ ...options, tickHz: 200 });
      t.teardown(() => server.close());
      let isClosed = false;
      let after = 0;
      let closing: Promise<void> | null = null;
      const end = () => {
        if (isClosed) after++;
        isClosed = true;
        closing ??= server.close(1000, place);
      };
      if (place === 'onJoin') server.onJoin(end);
      if (place === 'onLeave') server.onLeave(end);
      if (place === 'message') server.on('end', end);
      const connection = await dial(server, wire, 'anna').catch(() => null);
      if (place === 'onTick') server.onTick(end);
      if (place === 'message') connection?.send('end', null);
      if (place === 'onLeave') void connection?.close();
      await until(() => closing !== null, `${place} to close the server`);
      await closing;
      await connection?.closed;
      t.equal(server.players.size, 0, place);
      t.equal(after, 0, `${place}: no handler runs after the close`);
    }
  });

  t.test(`${wire}: figures outlive the connection`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    server.on('echo', (player, value) => player.send('echo', value));
    const connection = await dial(server, wire, 'anna');
    connection.send('echo', 'x');
    await connection.readMessage();
    await connection.close();
    const { bytesIn, bytesOut, packetsIn, packetsOut, messagesIn } = connection.stats();
    t.equal(messagesIn, 1);
    for (const figure of [bytesIn, bytesOut, packetsIn, packetsOut]) t.ok(figure > 0);
    t.ok(Math.abs(connection.serverTime() - server.nowMs()) < 60_000);
  });
}

t.test('json-ws: who breaks the rules is gone at once, goodbye or not', async (t) => {
  const server = await listen<Messages>({ udp: false });
  t.teardown(() => server.close());
  const leaves: LeaveInfo[] = [];
  server.onLeave((_player, info) => leaves.push(info));
  const ticket = await ticketFor(server, 'anna');
  // A client that reads and answers nothing: not even the close frame.
  const socket = connect(server.http.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.write(
    `GET /v1/game/ws?ticket=${ticket} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await until(() => server.players.size === 1, 'the join');
  const text = Buffer.from('{"type":"$nonsense"}');
  const masked = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
  socket.write(masked);
  await until(() => server.players.size === 0, 'the leave');
  t.match(leaves, [{ code: 1002 }]);
  await server.close();
  t.pass('the close does not wait for it');
});

t.test('a refused upgrade that never hangs up does not hold the server', async (t) => {
  const server = await listen<Messages>({ udp: false });
  t.teardown(() => server.close());
  const socket = connect({ port: server.http.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.write(
    'GET /v1/game/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n' +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  await new Promise((resolve) => socket.on('end', resolve));
  t.match(answer, /^HTTP\/1.1 401 [\s\S]*ticket refused/);
  await server.close();
  t.pass('closed');
});

t.test('json-ws: clients that are sending learn how the server ended', async (t) => {
  const server = await listen<Messages>({ udp: false });
  t.teardown(() => server.close());
  const ticket = await ticketFor(server, 'anna');
  const socket = new WebSocket(`ws://127.0.0.1:${server.http.port}/v1/game/ws?ticket=${ticket}`);
  const ended = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const frame = `{"type":"x","payload":"${'y'.repeat(100_000)}"}`;
  for (let i = 0; i < 50; i++) socket.send(frame);
  await until(() => server.stats()['json-ws'].messagesIn > 0, 'the first message');
  await server.close();
  t.equal(await ended, 1001);
});

t.test('closing twice waits for the same end', async (t) => {
  const server = await listen<Messages>({ udp: false });
  const order: string[] = [];
  const first = server.close().then(() => order.push('first'));
  await server.close();
  order.push('second');
  await first;
  t.same(order, ['first', 'second']);
});

for (const wire of WIRES) {
  t.test(`${wire}: who is sent away by onJoin hears code and reason, and joins once`, async (t) => {
    const waysOut: [string, number, (server: GameServer, player: Player<Messages>) => void][] = [
      ['player.close', 4001, (_, player) => player.close(4001, 'banned')],
      ['server.revoke', 1008, (server, player) => server.revoke(player.id, 'banned')],
      ['server.close', 4002, (server) => void server.close(4002, 'banned')],
    ];
    for (const tickHz of [0, 60]) {
      for (const [name, code, leave] of waysOut) {
        const server = await listen({ udp: wire === 'udp' ? {} : false, tickHz });
        t.teardown(() => server.close());
        let joins = 0;
        server.onJoin((player) => {
          joins++;
          player.send('why', 'you know why');
          leave(server, player);
        });
        const connection = await dial(server, wire, 'anna');
        const info = await connection.closed;
        t.same(info, { code, reason: 'banned', wasClean: true }, `${name} at ${tickHz} Hz`);
        t.equal(joins, 1);
        t.same(await connection.readMessage(), { type: 'why', value: 'you know why' });
      }
    }
  });
}
