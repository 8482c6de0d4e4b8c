/** Admission as an operator uses it: live settings of a game server with players on it. */
import t from 'tap';
import { dial, listen, until, WIRES } from './support.js';

for (const wire of WIRES) {
  t.test(`${wire}: a busy server refuses new players and keeps those it has`, async (t) => {
    const server = await listen({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const anna = await dial(server, wire, 'anna');
    // The client would wait and ask again.
    server.setAdmission({ busy: true, retryAfterS: 0 });
    await t.rejects(dial(server, wire, 'berta'), { code: 'server-busy' });
    const again = await dial(server, wire, 'anna');
    t.equal(again.state, 'open', 'who is in may come again');
    t.match(await anna.closed, { code: 1000 });
    server.setAdmission({ busy: false });
    t.equal((await dial(server, wire, 'berta')).state, 'open');
    await until(() => server.players.size === 2, 'both players');
  });
}

for (const wire of WIRES) {
  t.test(
    `${wire}: players of a blocked prefix leave, and come back when it is lifted`,
    async (t) => {
      const server = await listen({ tickHz: 60, udp: wire === 'udp' ? {} : false });
      t.teardown(() => server.close());
      const leaves: unknown[] = [];
      server.onLeave((player, info) => leaves.push([player.id, info.reason]));
      const anna = await dial(server, wire, 'anna');
      t.teardown(() => anna.close()); // on UDP it waits for the path to come back
      server.setAdmission({ blocked: ['203.0.113.0/24', '2001:db8::/32'] });
      t.equal(anna.state, 'open', 'others are blocked');
      server.setAdmission({ blocked: ['127.0.0.0/8'] });
      await until(() => leaves.length > 0, 'the leave');
      t.same(leaves, [['anna', 'blocked']]);
      const counted = wire === 'udp' ? 'blocked' : 'http-blocked';
      const refused = dial(server, wire, 'anna').catch((error) => error);
      await until(() => server.stats().drops[counted] > 0, 'something from there');
      t.match(await refused, { code: 'blocked', status: 403 });
      server.setAdmission({ busy: false });
      await t.rejects(dial(server, wire, 'anna'), { code: 'blocked' }, 'it stays as it was');
      server.setAdmission({ blocked: [] });
      t.equal((await dial(server, wire, 'anna')).state, 'open');
    },
  );
}

t.test('what is blocked from the start is refused on both wires', async (t) => {
  const server = await listen({ admission: { blocked: ['127.0.0.1', '::1'] } });
  t.teardown(() => server.close());
  for (const wire of WIRES) await t.rejects(dial(server, wire, 'anna'), { code: 'blocked' });
  t.equal(server.stats().drops['http-blocked'], 2);
});

t.test('a flow beyond its packet rate loses packets, not reliable messages', async (t) => {
  const server = await listen({ admission: { packetsPerFlow: { perSecond: 100, burst: 20 } } });
  t.teardown(() => server.close());
  const received: unknown[] = [];
  server.on('n', (_, n) => received.push(n));
  const anna = await dial(server, 'udp', 'anna');
  for (let n = 0; n < 64; n++) {
    // Each in a packet of its own: a fragment fills one.
    t.not(anna.send('n', { n, text: 'x'.repeat(1000) }), 'full');
  }
  await anna.drained();
  t.same(
    received.map((value) => (value as { n: number }).n),
    [...Array(64).keys()],
  );
  t.ok(server.stats().drops['flow-packet-rate'] > 0);
});

t.test('settings can be read, and follow what is set', async (t) => {
  const server = await listen({ udp: { maxFlows: 100 }, admission: { maxFlows: 50 } });
  t.teardown(() => server.close());
  t.match(server.admission(), { maxFlows: 50, busy: false, flows: 0 });
  server.setAdmission({ maxFlows: 100, handshakes: null });
  await dial(server, 'udp', 'anna');
  t.match(server.admission(), { maxFlows: 100, handshakes: null, flows: 1, prefixes: 1 });
  await server.close();
  t.throws(() => server.setAdmission({ busy: true }), { code: 'closed' });
});

t.test('no more flows than the live limit says: the next player hears it', async (t) => {
  const server = await listen({ admission: { maxFlows: 1 } });
  t.teardown(() => server.close());
  await dial(server, 'udp', 'anna');
  await t.rejects(dial(server, 'udp', 'berta'), {
    name: 'GGScaleError',
    status: 503,
    code: 'server-full',
    retryAfter: 5,
  });
  server.setAdmission({ maxFlows: 2 });
  t.equal((await dial(server, 'udp', 'berta')).state, 'open');
});

t.test('bad settings are refused by name, at the start and live', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  const before = server.admission();
  for (const [admission, message] of [
    [5, /admission is 5/],
    [{ handshakes: { perSecond: -5, burst: 1 } }, /admission\.handshakes\.perSecond is -5/],
    [{ handshakes: { perSecond: Number.NaN, burst: 1 } }, /perSecond is NaN/],
    [{ blocked: ['10.0.0.0/8', 'localhost/8'] }, /admission\.blocked\[1\] 'localhost\/8'/],
    [
      { handshakesPerSecond: 5 },
      /unknown option admission\.handshakesPerSecond; known: tokenOpens/,
    ],
    [{ maxFlows: 1_000_000 }, /admission\.maxFlows must be at most 4096/],
  ] as const) {
    await t.rejects(listen({ admission } as never), { code: 'bad-option', message });
    t.throws(() => server.setAdmission(admission as never), { code: 'bad-option', message });
  }
  t.same(server.admission(), before);
});

t.test('without UDP only what concerns both wires has a meaning', async (t) => {
  const message = /admission\.maxFlows guards the UDP listener, which is off/;
  await t.rejects(listen({ udp: false, admission: { maxFlows: 5 } }), { message });
  const server = await listen({ udp: false, admission: { busy: true, retryAfterS: 0 } });
  t.teardown(() => server.close());
  t.equal(server.admission(), null);
  t.throws(() => server.setAdmission({ maxFlows: 5 }), { code: 'bad-option', message });
  t.throws(() => server.setAdmission({ blocked: ['10.0.0.0/33'] }), { code: 'bad-option' });
  await t.rejects(dial(server, 'json-ws', 'anna'), { code: 'server-busy' });
  server.setAdmission({ busy: false });
  t.equal((await dial(server, 'json-ws', 'anna')).state, 'open');
});
