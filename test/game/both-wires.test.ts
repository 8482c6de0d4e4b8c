import t from 'tap';
import { ErrConnectionClosed, TransportError } from '../../src/sdk/index.js';
import type { Player } from '../../src/server/index.js';
import { dial, listen, until, WIRES } from './support.js';

interface Chat {
  [type: string]: unknown;
}

for (const wire of WIRES) {
  t.test(`${wire}: unregistered messages go both ways, in order, with equal values`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const received: unknown[] = [];
    server.on('say', (player, value) => {
      received.push(value);
      t.equal(player.send('said', { by: player.id, value }), 'sent');
    });
    const connection = await dial(server, wire, 'anna');
    t.equal(connection.wire, wire);
    t.equal(connection.playerId, 'anna');
    t.equal(connection.state, 'open');
    const sent = [];
    for (let i = 0; i < 100; i++) {
      const value = { i, text: 'ä€😀'.repeat(i % 7), list: [1.5, null, true] };
      sent.push(value);
      t.not(connection.send('say', value), 'full');
    }
    for (let i = 0; i < 100; i++) {
      const message = await connection.readMessage();
      t.same(message, { type: 'said', value: { by: 'anna', value: sent[i] } });
    }
    t.same(received, sent);
    await connection.drained();
    await connection.close();
    t.equal(connection.state, 'closed');
    t.throws(() => connection.send('say', 1), ErrConnectionClosed);
    await t.rejects(connection.readMessage(), ErrConnectionClosed);
    await until(() => server.players.size === 0, 'the player to leave');
  });

  t.test(`${wire}: both ends learn code and reason of a close`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const leaves: unknown[] = [];
    server.onLeave((player, info) => leaves.push([player.id, info]));
    const first = await dial(server, wire, 'anna');
    await first.close(4100, 'going home');
    await until(() => leaves.length === 1, 'the leave');
    t.same(leaves[0], ['anna', { code: 4100, reason: 'going home', wasClean: true }]);
    const second = await dial(server, wire, 'berta');
    (server.players.get('berta') as Player<Chat>).close(4200, 'you are out');
    t.same(await second.closed, { code: 4200, reason: 'you are out', wasClean: true });
    t.equal(leaves.length, 2);
  });

  t.test(`${wire}: messages sent from onJoin reach handlers set after the dial`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    server.onJoin((player) => {
      player.send('welcome', 1);
      player.send('welcome', 2);
      player.send('other', 3);
    });
    const connection = await dial(server, wire, 'anna');
    const values: unknown[] = [];
    connection.on('welcome', (value) => values.push(value));
    await until(() => values.length === 2, 'both welcomes');
    t.same(values, [1, 2]);
    t.same(await connection.readMessage(), { type: 'other', value: 3 });
    await connection.close();
  });

  t.test(`${wire}: a throwing handler affects its own message only`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const errors: string[] = [];
    const seen: unknown[] = [];
    server.onError((error, where) => errors.push(`${where}: ${(error as Error).message}`));
    server.on('n', (_player, value) => {
      if (value === 1) throw new Error('one');
      seen.push(value);
    });
    const connection = await dial(server, wire, 'anna');
    for (let i = 0; i < 4; i++) connection.send('n', i);
    await until(() => seen.length === 3, 'the other messages');
    t.same(seen, [0, 2, 3]);
    t.same(errors, ['on n: one']);
    await connection.close();
  });

  t.test(
    `${wire}: a 256 KiB message arrives whole, a larger one is refused before it leaves`,
    async (t) => {
      const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
      t.teardown(() => server.close());
      const connection = await dial(server, wire, 'anna');
      server.on('blob', (player, value) => player.send('length', (value as string).length));
      const length = 256 * 1024 - 64;
      t.not(connection.send('blob', 'x'.repeat(length)), 'full');
      t.same(await connection.readMessage(), { type: 'length', value: length });
      t.throws(() => connection.send('blob', 'x'.repeat(256 * 1024)), {
        code: 'message-too-large',
      });
      t.equal(connection.state, 'open');
      await connection.close();
    },
  );

  t.test(`${wire}: rooms and broadcasts reach their members only`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    server.onJoin((player) => {
      if (player.id !== 'c') server.room('ab').join(player);
    });
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((id) => dial(server, wire, id)));
    await until(() => server.players.size === 3, 'all three');
    t.equal(server.room('ab').broadcast('note', 'ab only'), 2);
    t.equal(server.broadcast('note', 'all'), 3);
    for (const connection of [a, b]) {
      t.same(await connection.readMessage(), { type: 'note', value: 'ab only' });
      t.same(await connection.readMessage(), { type: 'note', value: 'all' });
    }
    t.same(await c.readMessage(), { type: 'note', value: 'all' });
    await a.close();
    await until(() => server.room('ab').size === 1, 'a to leave the room');
    await Promise.all([b.close(), c.close()]);
  });

  t.test(`${wire}: back-pressure says full and recovers, nothing is lost`, async (t) => {
    const server = await listen<Chat>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const connection = await dial(server, wire, 'anna');
    let count = 0;
    server.on('bulk', (_player, value) => {
      t.equal((value as { n: number }).n, count);
      count++;
    });
    const padding = 'y'.repeat(10_000);
    let accepted = 0;
    let fulls = 0;
    while (accepted < 300) {
      const result = connection.send('bulk', { n: accepted, padding });
      if (result === 'full') {
        fulls++;
        await connection.drained();
      } else {
        accepted++;
      }
    }
    await until(() => count === 300, 'all bulk messages');
    t.ok(fulls > 0, 'the sender was told');
    await connection.close();
  });
}

t.test('options that make no sense are refused by name', async (t) => {
  await t.rejects(listen({ tickHz: -1 }), { code: 'bad-option', message: /tickHz is -1/ });
  await t.rejects(listen({ port: 70_000 }), { code: 'bad-option', message: /port is 70000/ });
  await t.rejects(listen({ prot: 1 } as never), { code: 'bad-option', message: /prot/ });
  await t.rejects(listen({ dev: false }), { code: 'bad-option', message: /TLS/ });
  await t.rejects(listen({ udp: { privateKey: 'abc' } }), { code: 'bad-key' });
  const error = await listen({ host: '203.0.113.1', dev: true }).catch((e: unknown) => e);
  t.ok(error instanceof TransportError, 'dev off loopback');
});

t.test('a port in use is a typed error and leaves nothing open', async (t) => {
  const server = await listen({ udp: false });
  t.teardown(() => server.close());
  await t.rejects(listen({ port: server.http.port, udp: false }), { code: 'address-in-use' });
});
