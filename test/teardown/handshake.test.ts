import t from 'tap';
import { counterOf, openClient, openPair, openServer, tokenFor } from './peers.js';

t.test('a handshake opens the flow on both sides and payloads are echoed in order', async (t) => {
  const { server, client, atServer, atClient } = await openPair();
  t.equal(server.opened.length, 1);
  t.same(client.opened, [atClient]);
  server.echo = true;
  for (let length = 1; length <= 1192; length += 109) {
    client.send(atClient, new Uint8Array(length).fill(length & 0xff));
  }
  client.endpoint.flush();
  await client.until(() => client.payloads.length === 11);
  for (let i = 0; i < 11; i++) {
    const length = 1 + 109 * i;
    t.same(client.payloads[i], new Uint8Array(length).fill(length & 0xff));
  }
  const stats = new Float64Array(9);
  t.ok(server.endpoint.flowStats(atServer.slot, atServer.generation, stats));
  t.ok(stats[0] >= 11);
  const { host, port } = client.endpoint.address();
  const address = server.endpoint.flowAddress(atServer.slot, atServer.generation);
  t.equal(address, `${host}:${port}`);
  client.endpoint.close();
  await server.until(() => server.closed.length === 1);
  t.equal(server.closed[0].reason, 1, 'the client said goodbye');
  server.endpoint.close();
});

t.test('IPv6 and a dual-stack server answer from the address they were called at', async (t) => {
  for (const [serverHost, called, clientHost] of [
    ['::1', '[::1]', '::1'],
    ['::', '[::1]', '::1'],
    ['::', '127.0.0.1', '127.0.0.1'],
    ['::', '127.0.0.9', '0.0.0.0'],
    ['0.0.0.0', '127.0.0.7', '0.0.0.0'],
  ]) {
    const { server, key } = openServer({ host: serverHost });
    const { port } = server.endpoint.address();
    const client = openClient({ host: clientHost });
    const flow = client.endpoint.connect(tokenFor(server, key, 1n, [`${called}:${port}`]));
    await client.until(() => client.opened.length > 0);
    // The client takes answers only from the address that it dialled.
    const dialled = client.endpoint.flowAddress(flow.slot, flow.generation);
    t.equal(dialled, `${called}:${port}`, `${serverHost} called at ${called}`);
    await server.until(() => server.opened.length > 0);
    const { slot, generation } = server.opened[0];
    const seen = server.endpoint.flowAddress(slot, generation) ?? '';
    t.notMatch(seen, /ffff/, 'mapped addresses are canonical');
    client.endpoint.close();
    server.endpoint.close();
  }
});

t.test('one client socket holds many flows, each from its own address', async (t) => {
  const { server, key } = openServer();
  const client = openClient({ host: '0.0.0.0', maxFlows: 8 });
  for (let i = 0; i < 8; i++) {
    client.endpoint.connect(tokenFor(server, key, BigInt(i)), `127.0.1.${i + 1}`);
  }
  t.throws(() => client.endpoint.connect(tokenFor(server, key, 9n), '127.0.1.9'), {
    code: 'bad-option',
  });
  await client.until(() => client.opened.length === 8);
  await server.until(() => server.opened.length === 8);
  const addresses = server.opened.map(({ slot, generation }) =>
    server.endpoint.flowAddress(slot, generation),
  );
  t.equal(new Set(addresses).size, 8);
  server.echo = true;
  for (const flow of client.opened) client.send(flow, new Uint8Array([flow.slot]));
  client.endpoint.flush();
  await client.until(() => client.payloads.length === 8);
  t.same(client.payloads.map((payload) => payload[0]).sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
  client.endpoint.close();
  server.endpoint.close();
});

t.test('a full rx ring leaves datagrams in the socket and keeps their order', async (t) => {
  const { server, client, atClient } = await openPair(
    { rings: { rxCapacity: 16 }, receiveBufferBytes: 1 << 20 },
    { sendBufferBytes: 1 << 20 },
  );
  let sawMore = false;
  server.onTurn = () => {
    sawMore ||= server.endpoint.more;
  };
  const total = 300;
  for (let i = 0; i < total; i++) client.send(atClient, new Uint8Array([i & 0xff, i >> 8]));
  client.endpoint.flush();
  await server.until(() => server.payloads.length === total);
  t.same(
    server.payloads.map((payload) => payload[0] | (payload[1] << 8)),
    Array.from({ length: total }, (_, i) => i),
  );
  t.ok(sawMore);
  t.ok(counterOf(server.endpoint, 'rx-ring-full') > 0);
  client.endpoint.close();
  server.endpoint.close();
});

t.test('a stale generation on tx is dropped and counted', async (t) => {
  const { server, client, atClient } = await openPair();
  const { slot, generation } = atClient;
  client.send({ slot, generation: generation + 1 }, new Uint8Array([1]));
  client.send({ slot: 12345, generation: 1 }, new Uint8Array([2]));
  client.send(atClient, new Uint8Array([3]));
  t.equal(client.endpoint.flush(), 0);
  await server.until(() => server.payloads.length === 1);
  t.same(server.payloads, [new Uint8Array([3])]);
  t.equal(counterOf(client.endpoint, 'tx-stale-generation'), 2);
  t.equal(client.endpoint.drops()['tx-stale-generation'], 2);
  client.endpoint.close();
  server.endpoint.close();
});

t.test('a deadline wakes, and ticks come as often as their schedule says', async (t) => {
  const { server } = openServer({ driver: 'tick', tickIntervalUs: 2_000 });
  let ticks = 0;
  server.onTurn = () => {
    ticks += server.endpoint.ticksDue;
  };
  await server.until(() => ticks >= 5);
  server.endpoint.setTickIntervalUs(0);
  const wakes: number[] = [];
  server.onTurn = (reasons) => wakes.push(reasons);
  server.endpoint.drain();
  server.endpoint.setDeadline((server.endpoint.nowUs + 1_500) | 0);
  server.endpoint.flush();
  const due = (server.endpoint.nowUs + 1_500) | 0;
  await server.until(() => wakes.length > 0);
  t.equal(wakes[0], 2);
  t.ok(((server.endpoint.nowUs - due) | 0) >= 0, 'not before its time');
  server.endpoint.clearDeadline();
  server.endpoint.close();
});

t.test('the tick driver reads its socket at ticks and loses nothing', async (t) => {
  const { server, client, atClient } = await openPair({ driver: 'tick', tickIntervalUs: 1e6 / 60 });
  server.echo = true;
  const reasons = new Set<number>();
  server.onTurn = (reason) => reasons.add(reason & 1);
  for (let i = 0; i < 200; i++) client.send(atClient, new Uint8Array([i]));
  client.endpoint.flush();
  await client.until(() => client.payloads.length === 200);
  t.same(reasons, new Set([0]), 'no wake for a readable socket');
  client.endpoint.close();
  server.endpoint.close();
});

t.test('times go across the wrap of the 32-bit clock', async (t) => {
  const nowUs = Number(process.hrtime.bigint() / 1000n);
  const toWrapUs = 2 ** 31 - (nowUs % 2 ** 31) - 30_000;
  const clockOffsetUs = toWrapUs > 0 ? toWrapUs : toWrapUs + 2 ** 31;
  const { server, client, atClient } = await openPair({ clockOffsetUs });
  server.echo = true;
  const seen: number[] = [];
  let answered = 0;
  server.onTurn = () => seen.push(server.endpoint.nowUs);
  client.onTurn = () => {
    if (client.payloads.length <= answered) return;
    answered = client.payloads.length;
    client.send(atClient, new Uint8Array([1]));
  };
  client.send(atClient, new Uint8Array([1]));
  client.endpoint.flush();
  await server.until(() => Math.sign(server.endpoint.nowUs) !== Math.sign(seen[0]));
  for (let i = 1; i < seen.length; i++) t.ok(((seen[i] - seen[i - 1]) | 0) >= 0);
  client.endpoint.close();
  server.endpoint.close();
});

t.test('trains of datagrams are whole at the far end, and counted at both', async (t) => {
  for (const gro of [true, false]) {
    const { server, client, atClient } = await openPair({ gro });
    for (let i = 0; i < 60; i++) client.send(atClient, new Uint8Array(1000).fill(i));
    client.endpoint.flush();
    await server.until(() => server.payloads.length === 60);
    for (let i = 0; i < 60; i++) t.same(server.payloads[i], new Uint8Array(1000).fill(i));
    if (client.endpoint.features().gso) {
      t.ok(counterOf(client.endpoint, 'tx-train-datagrams') >= 50);
      const received = counterOf(server.endpoint, 'rx-train-datagrams');
      t.equal(received > 0, server.endpoint.features().gro);
    }
    client.endpoint.close();
    server.endpoint.close();
  }
});

t.test('features and counters tell what the kernel gave', async (t) => {
  const { server } = openServer({ receiveBufferBytes: 1 << 20 });
  const features = server.endpoint.features();
  t.equal(features.timestamps, true);
  t.equal(features.packetInfo, true);
  t.ok(features.receiveBufferBytes > 0);
  t.equal(features.gro, false, 'off for servers');
  t.same(
    Object.keys(features).sort(),
    [
      'recvmmsg',
      'sendmmsg',
      'gso',
      'gro',
      'timestamps',
      'rxqOverflow',
      'packetInfo',
      'handshakeSocket',
      'dualStack',
      'steering',
      'receiveBufferBytes',
      'sendBufferBytes',
      'receivePauseMs',
      'driver',
      'threads',
    ].sort(),
  );
  t.equal(new Set(server.endpoint.counterNames()).size, server.endpoint.counterNames().length);
  server.endpoint.close();
});

t.test('each I/O thread has the buffers of its share of the players', async (t) => {
  const one = openServer({ maxFlows: 2000 }).server.endpoint;
  const four = openServer({ maxFlows: 8000, threads: 4 }).server.endpoint;
  for (const name of ['receiveBufferBytes', 'sendBufferBytes', 'receivePauseMs'] as const) {
    t.equal(four.features()[name], one.features()[name], name);
  }
  one.close();
  four.close();
});
