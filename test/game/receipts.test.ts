/** Receipts, pressure and channel options, as a game sees them, on both wires. */
import t from 'tap';
import {
  GameEvent,
  type GameEventValue,
  Snapshot,
  type SnapshotValue,
} from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { Client, type ReceiptOutcome } from '../../src/sdk/index.js';
import { dial, listen, until, WIRES } from './support.js';

interface Messages {
  GameEvent: GameEventValue;
  Snapshot: SnapshotValue;
  [unregistered: string]: unknown;
}

const registry = createRegistry({ GameEvent, Snapshot });
const EVENT = GameEvent.normalize({ kind: 1 }, false);

function snapshot(tick: number): SnapshotValue {
  return Snapshot.normalize({ tick }, false);
}

for (const wire of WIRES) {
  const options = { registry, udp: wire === 'udp' ? {} : (false as const) };

  t.test(`${wire}: a receipt tells both ends that the other has the message`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const atServer: unknown[] = [];
    server.onReceipt((player, receipt, outcome) => atServer.push([player.id, receipt, outcome]));
    const connection = await dial<Messages>(server, wire, 'anna', registry);
    const atClient: [number, ReceiptOutcome][] = [];
    const remove = connection.onReceipt((receipt, outcome) => atClient.push([receipt, outcome]));
    await until(() => server.players.size === 1, 'the player');
    const player = server.players.get('anna');
    player?.send('GameEvent', EVENT, { receipt: 1 });
    player?.send('Snapshot', snapshot(1), { receipt: 2, redundancy: 2 });
    player?.send('chat', 'hello', { receipt: 3 });
    player?.send('chat', 'nobody asks');
    connection.send('chat', 'hello', { receipt: 2 ** 31 - 1 });
    await until(() => atServer.length === 3 && atClient.length === 1, 'the receipts');
    t.same(
      atServer.sort((a, b) => (a as number[])[1] - (b as number[])[1]),
      [1, 2, 3].map((receipt) => ['anna', receipt, 'acked']),
    );
    t.same(atClient, [[2 ** 31 - 1, 'acked']]);
    remove();
    connection.send('chat', 'hello', { receipt: 5 });
    await connection.drained();
    t.equal(atClient.length, 1, 'the handler is gone');
    await connection.close();
  });

  t.test(`${wire}: the budget is what would leave at once, and 0 without a link`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const connection = await dial<Messages>(server, wire, 'anna', registry);
    await until(() => server.players.size === 1, 'the player');
    const player = server.players.get('anna');
    await until(() => (player?.budget() ?? 0) > 1000, 'the first budget');
    const whole = player?.budget() ?? 0;
    t.ok(connection.budget() > 1000, 'the client has one too');
    const bulk = 'x'.repeat(200_000);
    while (player?.send('chat', bulk) !== 'full');
    // The kernel takes a megabyte of a TCP stream at once; see json-peer.test.ts.
    if (wire === 'udp') t.ok((player?.budget() ?? whole) < whole / 2, 'less while much waits');
    await player?.drained();
    await until(() => (player?.budget() ?? 0) >= whole, 'and it is back');
    await connection.close();
    await until(() => player?.hasLeft === true, 'the goodbye');
    t.equal(player?.budget(), 0);
    t.equal(connection.budget(), 0);
  });

  t.test(`${wire}: a broadcast answers for each player`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const told: string[] = [];
    server.onReceipt((player, receipt, outcome) => told.push(`${player.id} ${receipt} ${outcome}`));
    const connections = await Promise.all(['a', 'b'].map((id) => dial(server, wire, id, registry)));
    await until(() => server.players.size === 2, 'both players');
    t.equal(server.broadcast('Snapshot', snapshot(3), { receipt: 3 }), 2);
    await until(() => told.length === 2, 'both receipts');
    t.same(told.sort(), ['a 3 acked', 'b 3 acked']);
    await Promise.all(connections.map((connection) => connection.close()));
  });

  t.test(`${wire}: what is asked for wrongly is refused by name`, async (t) => {
    const server = await listen<Messages>(options);
    t.teardown(() => server.close());
    const connection = await dial<Messages>(server, wire, 'anna', registry);
    for (const receipt of [0, -1, 1.5, 2 ** 31, '7' as never]) {
      t.throws(() => connection.send('Snapshot', snapshot(1), { receipt }), { code: 'bad-option' });
    }
    await connection.close();
  });

  t.test(
    `${wire}: after full, writable comes while much still waits, and small ones pass`,
    async (t) => {
      const server = await listen<Messages>(options);
      t.teardown(() => server.close());
      const connection = await dial<Messages>(server, wire, 'anna', registry);
      let received = 0;
      let small = 0;
      server.on('bulk', () => received++);
      server.on('small', () => small++);
      await connection.writable(); // at once
      let sent = 0;
      let waits = 0;
      while (sent < 40) {
        if (connection.send('bulk', 'x'.repeat(100_000)) !== 'full') {
          sent++;
          continue;
        }
        t.not(connection.send('small', waits), 'full', 'there is room for what is small');
        await connection.writable();
        waits++;
      }
      t.ok(waits > 0, `waited ${waits} times`);
      await connection.drained();
      await until(() => received === 40 && small === waits, 'all of it');
      const closing = connection.close();
      await connection.writable();
      await closing;
      await connection.writable();
    },
  );
}

t.test('udp: an urgent channel overtakes what was sent before it', async (t) => {
  for (const priority of [4, 0]) {
    const server = await listen<Messages>({ registry, udp: {}, channels: { 3: { priority } } });
    t.teardown(() => server.close());
    const connection = await dial<Messages>(server, 'udp', 'anna', registry);
    const order: string[] = [];
    connection.on('chat', () => order.push('chat'));
    connection.on('GameEvent', () => order.push('event'));
    await until(() => server.players.size === 1, 'the player');
    const player = server.players.get('anna');
    for (let i = 0; i < 60; i++) player?.send('chat', 'x'.repeat(100));
    player?.send('GameEvent', EVENT);
    await until(() => order.length === 61, 'all messages');
    t.equal(order.indexOf('event') === 0, priority === 0, `priority ${priority}`);
    await connection.close();
  }
});

t.test('channel options are checked at both ends', async (t) => {
  const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' });
  const wrong: [Record<string, never>, RegExp][] = [
    [{ 31: {} as never }, /channel numbers 0…30/],
    [{ x: {} as never }, /channel numbers/],
    [{ 3: { priority: 8 } as never }, /channels\[3\]\.priority/],
    [{ 3: { weight: 0 } as never }, /channels\[3\]\.weight/],
    [{ 3: { wieght: 2 } as never }, /wieght/],
    [{ 3: 1 as never }, /channels\[3\]/],
  ];
  for (const [channels, message] of wrong) {
    await t.rejects(listen({ channels }), { code: 'bad-option', message });
    await t.rejects(client.dialGame('127.0.0.1:1', { channels }), { code: 'bad-option', message });
  }
});
