/** What connections and players tell about themselves, on both wires and at both ends. */
import t from 'tap';
import { Snapshot } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import type { ConnectionStats, GameServer, Player } from '../../src/server/index.js';
import { type Messages, place } from './resume-support.js';
import { dial, listen, until, WIRES } from './support.js';

function playerOf(server: GameServer<Messages>, id = 'anna'): Player<Messages> {
  return server.players.get(id) as Player<Messages>;
}

/** What must hold whenever anybody looks. */
function wrongIn(stats: ConnectionStats): string[] {
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(stats)) {
    if (name === 'wire') continue;
    const isUnknown = Number.isNaN(value) && (name === 'rttMs' || name === 'rttVarMs');
    if (!isUnknown && !(value >= 0 && value < 1e12)) wrong.push(`${name} is ${value}`);
  }
  for (const name of ['lossIn', 'lossOut', 'quality'] as const) {
    if (stats[name] > 1) wrong.push(`${name} is ${stats[name]}`);
  }
  return wrong;
}

for (const wire of WIRES) {
  t.test(`${wire}: both ends tell round trip, rates and quality`, async (t) => {
    const server = await listen<Messages>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const beforeMs = performance.now();
    const connection = await dial(server, wire, 'anna');
    const openMs = performance.now();
    const player = playerOf(server);
    let came = 0;
    server.on('up', (_player, value) => player.send('down', value));
    connection.on('down', () => came++);
    for (let i = 0; i < 20; i++) connection.send('up', 'x'.repeat(500));
    await until(() => came === 20, 'the echoes');
    const endMs = performance.now();
    const here = connection.stats();
    const there = player.stats();
    const laterMs = performance.now();
    for (const stats of [here, there]) {
      t.same(wrongIn(stats), []);
      t.match(stats, { wire, messagesIn: 20, messagesOut: 20, lossIn: 0, lossOut: 0 });
      // Over the time since it opened, which lies between these.
      for (const name of ['messagesIn', 'messagesOut', 'bytesIn', 'bytesOut'] as const) {
        const rate = stats[`${name}PerSecond`];
        t.ok(rate >= (stats[name] * 1000) / (laterMs - beforeMs), `${name} ${rate}, at least`);
        t.ok(rate <= (stats[name] * 1000) / (endMs - openMs), `${name} ${rate}, at most`);
      }
      t.ok(stats.bytesOut > 10_000);
    }
    await until(() => connection.stats().rttMs >= 0, "the client's round trip");
    await until(() => player.stats().rttMs >= 0, "the server's round trip");
    for (const end of [connection, player]) {
      const { rttMs, quality } = end.stats();
      t.ok(rttMs > 0 && rttMs < 1000, `${rttMs} ms`);
      t.ok(quality > 0.5, `quality ${quality} on the loopback`);
    }
    await connection.close();
    t.equal(connection.stats().quality, 0, 'no link');
    await until(() => player.hasLeft, 'the leave');
    t.match(player.stats(), { quality: 0, messagesIn: 20, messagesOut: 20 });
  });
}

t.test(
  'udp: loss is told at both ends for the direction it is in, and lowers quality',
  async (t) => {
    const { server, udp, dial } = await place(t);
    const connection = await dial('anna', { fallback: 'error' });
    const player = playerOf(server);
    let count = 0;
    udp.loses = (isToServer) => isToServer && ++count % 4 === 0;
    const isTold = () => {
      connection.send('up', 1);
      player.send('down', 1);
      return connection.stats().lossOut > 0.15 && player.stats().lossIn > 0.15;
    };
    await until(isTold, 'the loss to be told');
    const here = connection.stats();
    const there = player.stats();
    for (const stats of [here, there]) t.same(wrongIn(stats), []);
    t.ok(here.lossOut < 0.5, `${here.lossOut}`);
    t.ok(there.lossIn < 0.5, `${there.lossIn}`);
    t.ok(here.quality < 1 / (1 + 1.5 ** 2), `quality ${here.quality}`);
    t.ok(there.quality < 1 / (1 + 1.5 ** 2), `quality ${there.quality}`);
    t.ok(here.lossIn < 0.05, `nothing was lost on the way here, ${here.lossIn}`);
    t.ok(there.lossOut < 0.05, `nor on the way back, ${there.lossOut}`);
    const { messagesOut, bytesOut } = here;
    await connection.switchTo('json-ws');
    const moved = connection.stats();
    t.match(moved, { wire: 'json-ws', lossIn: 0, lossOut: 0 }, 'of the link it is on');
    t.ok(moved.messagesOut >= messagesOut && moved.bytesOut > bytesOut, 'of all links');
    t.same(wrongIn(moved), []);
    t.match(player.stats(), { wire: 'json-ws', lossIn: 0, lossOut: 0 });
    t.ok(player.stats().packetsLostIn > 0);
  },
);

t.test('json-ws: what a stalled stream holds back grows old at its sender', async (t) => {
  const registry = createRegistry({ Snapshot });
  const { server, tcp, dial } = await place(t, { registry });
  const connection = await dial('anna');
  connection.on('Snapshot', () => {});
  const player = playerOf(server);
  await until(() => player.stats().rttMs >= 0, 'a round trip');
  const boomerang = {
    ...{ netId: 0, ownerNetId: 0, state: 0, x: 0, y: 0 },
    ...{ vx: 0, vy: 0, distance: 0, charge: 0 },
  };
  const snapshot = Snapshot.normalize({ boomerangs: Array(64).fill(boomerang) }, false);
  tcp.isStalled = true;
  await until(() => {
    for (let i = 0; i < 20; i++) player.send('Snapshot', snapshot);
    return player.stats().queueAgeMs > 50;
  }, 'what waits to grow old');
  const stalled = player.stats();
  t.same(wrongIn(stalled), []);
  t.ok(stalled.quality < 1 / (1 + 0.25 ** 2), `quality ${stalled.quality}`);
  t.equal(connection.stats().queueAgeMs, 0, 'the other end holds nothing back');
  tcp.isStalled = false;
  await until(() => player.stats().queueAgeMs === 0, 'what waited to leave');
});

t.test('json-ws: what queues on the way hold back grows old at its sender', async (t) => {
  const { server, tcp, dial } = await place(t);
  const connection = await dial('anna');
  connection.on('text', () => {});
  const player = playerOf(server);
  player.send('text', 'what an acknowledgement takes at best');
  await player.drained();
  tcp.isStalled = true;
  player.send('text', 'the kernel takes it');
  await until(() => player.stats().queueAgeMs > 50, 'it to grow old');
  t.equal(player.stats().queuedBytes, 0);
  tcp.isStalled = false;
  await player.drained();
  t.equal(player.stats().queueAgeMs, 0);
});

t.test('udp: what a dead path holds back grows old at its sender', async (t) => {
  const { server, udp, dial } = await place(t);
  const connection = await dial('anna', { fallback: 'error' });
  connection.on('bulk', () => {});
  const player = playerOf(server);
  udp.isBlackhole = true;
  const text = 'x'.repeat(30_000);
  await until(() => {
    player.send('bulk', text);
    return player.stats().queueAgeMs > 50;
  }, 'what waits to grow old');
  t.same(wrongIn(player.stats()), []);
  udp.isBlackhole = false;
  await until(() => player.stats().queueAgeMs === 0, 'what waited to leave');
});

t.test('json-ws: what waits for a link to come back grows old, then leaves', async (t) => {
  const { server, tcp, dial } = await place(t);
  const connection = await dial('anna');
  const texts: unknown[] = [];
  server.on('text', (_player, value) => texts.push(value));
  tcp.isDown = true;
  tcp.cut();
  await until(() => connection.state === 'reconnecting', 'the link to die');
  connection.send('text', 'late');
  await until(() => connection.stats().queueAgeMs > 20, 'it to grow old');
  t.equal(connection.stats().quality, 0, 'without a link');
  const player = playerOf(server);
  await until(() => player.state === 'suspended', 'the server to notice');
  t.equal(player.stats().quality, 0);
  player.send('text', 'kept');
  await until(() => player.stats().queueAgeMs > 20, 'it to grow old there, too');
  tcp.isDown = false;
  await until(() => texts.length === 1, 'it to come');
  t.same(await connection.readMessage(), { type: 'text', value: 'kept' });
  await until(
    () => connection.stats().queueAgeMs + player.stats().queueAgeMs === 0,
    'none to wait',
  );
  for (const end of [connection, player]) t.same(wrongIn(end.stats()), []);
});
