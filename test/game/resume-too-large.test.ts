/**
 * A session moves to a link that cannot carry what is still unacknowledged: it ends with 1009 at both
 * ends, and nothing is left out silently (docs/wire/session.md §2).
 */
import t from 'tap';
import { TicketCounter } from '../../bench/churn/ticket-counter.js';
import { SourceAddresses, UdpWire } from '../../bench/churn/udp-wire.js';
import { Visitor } from '../../bench/churn/visitor.js';
import { WsWire } from '../../bench/churn/ws-wire.js';
import { createRegistry } from '../../src/messages/index.js';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import type { GameServerOptions } from '../../src/server/index.js';
import { Kitchen, type KitchenValue } from '../messages/generated/index.js';
import { TcpRelay, UdpRelay } from '../support/relays.js';
import { listen, until } from './support.js';

interface Messages {
  Kitchen: KitchenValue;
  [unregistered: string]: unknown;
}

/** 100 kB of FlatBuffers and 400 kB of JSON: no WebSocket takes it. */
const LARGE = kitchen(new Array(100_000).fill(255));
const SMALL = kitchen([1, 2, 3]);

function kitchen(bytes: number[]): KitchenValue {
  const inner = { on: true, wide: 1, sparse: 0 };
  const outer = { small: 1, inner, tail: 0 };
  return Kitchen.normalize({ bytes, outer, title: '', must: { label: '' } }, false);
}

/** A player on UDP, whose path dies when asked to. */
async function playing(
  t: { teardown(work: () => unknown): void },
  options: GameServerOptions<Messages> = {},
) {
  const registry = createRegistry({ Kitchen });
  const tcp = await TcpRelay.open();
  const udp = await UdpRelay.open();
  const server = await listen<Messages>({
    registry: registry as never,
    udp: { advertise: [udp.address] },
    ...options,
  });
  tcp.serverPort = server.http.port;
  udp.serverPort = server.udp?.port ?? 0;
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' },
    WithHighPerformanceTransport({ fallback: 'error' }),
  );
  const connection = await client.dialGame<Messages>(tcp.address, {
    sessionToken: 'anna',
    registry: registry as never,
  });
  const leaves: string[] = [];
  server.onLeave((player, { code, reason }) => leaves.push(`${player.id} ${code} ${reason}`));
  t.teardown(async () => {
    await server.close();
    await connection.close();
    await tcp.close();
    udp.close();
  });
  const player = server.players.get('anna');
  if (player === undefined) throw new Error('anna is not there');
  return { server, udp, connection, player, leaves };
}

t.test('what the server had sent by UDP is too large for a WebSocket', async (t) => {
  const { udp, connection, player, leaves } = await playing(t);
  udp.isBlackhole = true;
  t.not(player.send('Kitchen', SMALL), 'full');
  t.not(player.send('Kitchen', LARGE), 'full');
  const heard: unknown[] = [];
  connection.on('Kitchen', (value) => heard.push(value));
  await t.rejects(connection.switchTo('json-ws'));
  t.match(await connection.closed, { code: 1009, reason: 'message-too-large', wasClean: true });
  t.same(leaves, ['anna 1009 message-too-large']);
  t.same(heard, [], 'nothing passes what cannot be delivered');
});

t.test('what the client had sent by UDP is too large for a WebSocket', async (t) => {
  const { server, udp, connection, leaves } = await playing(t, { resumeWindowMs: 600_000 });
  udp.isBlackhole = true;
  const heard: unknown[] = [];
  server.on('Kitchen', (_player, value) => heard.push(value));
  t.not(connection.send('Kitchen', SMALL), 'full');
  t.not(connection.send('Kitchen', LARGE), 'full');
  await t.rejects(connection.switchTo('json-ws'));
  t.match(await connection.closed, { code: 1009, reason: 'message-too-large' });
  await until(() => leaves.length > 0, 'the server to hear of it');
  t.same(leaves, ['anna 1009 message-too-large']);
  t.same(heard, []);
});

t.test('what waited for a WebSocket is more than the client takes by UDP', async (t) => {
  const server = await listen<Messages>({});
  const origin = `http://127.0.0.1:${server.http.port}`;
  const addresses = new SourceAddresses(0, 1);
  const tickets = new TicketCounter(origin, addresses);
  const ws = new WsWire(origin, addresses);
  const udp = new UdpWire(addresses, { messageBytes: 10_000 });
  t.teardown(async () => {
    await server.close();
    tickets.close();
    ws.close();
    udp.close();
  });
  const leaves: string[] = [];
  server.onLeave((player, { code, reason }) => leaves.push(`${player.id} ${code} ${reason}`));
  const anna = new Visitor('anna');
  ws.connect(anna, await tickets.ask('anna', null));
  await anna.until('$hello', () => anna.links === 1);
  ws.cut(anna);
  await anna.until('the cut', () => anna.closed !== null);
  anna.closed = null;
  const player = server.players.get('anna');
  await until(() => player?.state === 'suspended', 'the suspension');
  t.equal(player?.send('note', 'x'.repeat(20_000)), 'queued');
  udp.connect(anna, await tickets.ask('anna', anna.session?.id ?? null));
  await anna.until('the end', () => anna.closed !== null);
  t.match(anna.closed, { code: 1009, reason: 'message-too-large' });
  t.same(leaves, ['anna 1009 message-too-large']);
});
