/** Links that die in mid-game, on real sockets: the session goes on, nothing reliable is lost. */
import t from 'tap';
import { Conversation, place } from './resume-support.js';
import { until } from './support.js';

t.test('UDP dies: WebSocket, one event, and back to UDP when asked', async (t) => {
  const { server, udp, events, history, dial } = await place(t);
  const connection = await dial('anna', {});
  const talk = new Conversation(server, connection);
  await talk.goOn(20);
  t.equal(connection.wire, 'udp');

  udp.isBlackhole = true;
  await until(() => connection.state === 'reconnecting', 'the client to notice');
  await until(() => connection.state === 'open', 'the session to go on');
  t.equal(connection.wire, 'json-ws');
  t.equal(server.players.get('anna')?.wire, 'json-ws');
  t.same(events, [{ event: 'transport.fallback', reason: 'udp-lost', wire: 'json-ws' }]);
  await talk.goOn(100);

  udp.isBlackhole = false;
  await connection.switchTo('udp');
  t.equal(connection.wire, 'udp');
  t.equal(connection.state, 'open');
  await until(() => server.players.get('anna')?.wire === 'udp', 'the server to follow');
  await talk.goOn(50);
  await connection.switchTo('json-ws');
  await connection.switchTo('udp');

  await talk.finish();
  t.same(talk.wrong, []);
  t.same(talk.came, talk.sent);
  t.equal(events.length, 1, 'moves that were asked for are no fallback');
  const { came } = talk;
  t.equal(connection.stats().messagesIn, came['down text'] + came['down event'], 'of all links');
  t.equal(server.players.get('anna')?.stats().messagesIn, came['up text'] + came['up event']);
  t.notOk(history.some((line) => line.includes('left')));
  await connection.drained();
  await connection.close();
  await until(() => server.players.size === 0, 'the goodbye');
});

t.test('UDP dies: what it carried still counts, at both ends', async (t) => {
  const { server, udp, dial } = await place(t);
  server.on('echo', (player, value) => void player.send('echo', value));
  const connection = await dial('anna', {});
  const player = server.players.get('anna');
  for (let i = 0; i < 20; i++) {
    connection.send('echo', 'x'.repeat(5000));
    await connection.readMessage();
  }
  udp.isBlackhole = true;
  await until(() => player?.wire === 'json-ws', 'the session to go on');
  for (const figures of [connection.stats(), player?.stats(), server.stats().udp]) {
    for (const name of ['bytesIn', 'bytesOut'] as const) {
      t.ok((figures?.[name] ?? 0) >= 100_000, `${name} ${figures?.[name]}`);
    }
    for (const name of ['packetsIn', 'packetsOut'] as const) {
      t.ok((figures?.[name] ?? 0) >= 100, `${name} ${figures?.[name]}`);
    }
  }
});

t.test('TCP dies, again and again', async (t) => {
  const { server, tcp, events, history, dial } = await place(t, { udp: false });
  const connection = await dial('anna');
  const talk = new Conversation(server, connection);
  for (let death = 0; death < 8; death++) {
    await talk.goOn(20);
    tcp.cut();
    await until(() => connection.state === 'reconnecting', 'the client to notice');
    await until(() => connection.state === 'open', 'the session to go on');
  }
  await talk.finish();
  t.same(talk.wrong, []);
  t.same(talk.came, talk.sent);
  t.same(events, []);
  t.ok(history.filter((line) => line === 'anna resumed on json-ws').length > 0);
  t.notOk(history.some((line) => line.includes('left')));
});

t.test(
  'both paths are dead for a while; what is said meanwhile waits, up to the limits',
  async (t) => {
    const { server, tcp, udp, events, dial } = await place(t);
    const connection = await dial('anna', {});
    const talk = new Conversation(server, connection);
    await talk.goOn(20);
    udp.isBlackhole = true;
    tcp.isDown = true;
    await until(() => connection.state === 'reconnecting', 'the client to notice');
    await until(() => server.players.get('anna')?.state === 'suspended', 'the server to notice');
    t.match(server.stats().players, { suspended: 1 });
    await until(() => talk.fulls > 100, 'full logs');
    tcp.isDown = false;
    await until(() => connection.state === 'open', 'the session to go on');
    t.equal(connection.wire, 'json-ws');
    t.equal(server.players.get('anna')?.state, 'connected');
    await talk.finish();
    t.same(talk.wrong, []);
    t.same(talk.came, talk.sent);
    t.equal(events.length, 1);
  },
);

t.test("fallback 'error': UDP is waited for, and what is said meanwhile is kept", async (t) => {
  const { server, udp, events, dial } = await place(t);
  const connection = await dial('anna', { fallback: 'error', handshakeTimeoutMs: 500 });
  const heard: unknown[] = [];
  server.on('text', (_player, value) => heard.push(value));
  const receipts: unknown[] = [];
  connection.onReceipt((receipt, outcome) => receipts.push([receipt, outcome]));
  udp.isBlackhole = true;
  connection.send('text', 1, { receipt: 1 });
  await until(() => connection.state === 'reconnecting', 'the client to notice');
  t.equal(connection.send('text', 2, { receipt: 2 }), 'queued');
  await connection.writable();
  udp.isBlackhole = false;
  await until(() => connection.state === 'open', 'the session to go on');
  t.equal(connection.wire, 'udp');
  await until(() => receipts.length === 2, 'the receipts');
  t.same(receipts.sort(), [
    [1, 'acked'],
    [2, 'acked'],
  ]);
  t.same(heard, [1, 2]);
  t.same(events, []);
});
