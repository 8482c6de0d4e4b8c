/** The way down that lets players finish, on both wires. */
import t from 'tap';
import type { GameServer } from '../../src/server/index.js';
import type { Wire } from '../../src/session/types.js';
import { askTicket, openFlow, openWebSocket } from './raw-support.js';
import { place } from './resume-support.js';
import { dial, listen, until, WIRES } from './support.js';

function start(wire: Wire, options: object = {}): Promise<GameServer> {
  return listen({ ...(wire === 'udp' ? {} : { udp: false as const }), ...options });
}

async function health(server: GameServer) {
  const response = await fetch(`http://127.0.0.1:${server.http.port}/v1/healthz`);
  return { status: response.status, body: await response.json() };
}

for (const wire of WIRES) {
  t.test(`${wire}: who is in goes on, and when the last has left the server closes`, async (t) => {
    const server = await start(wire, { metrics: true });
    t.teardown(() => server.close());
    server.on('echo', (player, value) => player.send('echo', value));
    const anna = await dial(server, wire, 'anna');
    const berta = await dial(server, wire, 'berta');
    t.equal(server.state, 'open');
    t.match(await health(server), { status: 200, body: { status: 'ok' } });
    let isDown = false;
    const draining = server.drain({ code: 4000, reason: 'update' }).then(() => {
      isDown = true;
    });
    t.equal(server.state, 'draining');
    t.match(await health(server), { status: 200, body: { status: 'draining', version: 'v1' } });
    const page = await (await fetch(`http://127.0.0.1:${server.http.port}/metrics`)).text();
    t.match(page, /^ggscale_draining 1$/m);
    anna.send('echo', 1);
    t.match(await anna.readMessage(), { type: 'echo', value: 1 });
    t.equal(server.broadcast('all', 2), 2);
    await anna.close();
    await until(() => server.players.size === 1, 'anna to leave');
    t.equal((await berta.readMessage()).value, 2);
    t.equal(server.state, 'draining');
    t.notOk(isDown);
    await berta.close();
    await draining;
    t.equal(server.state, 'closed');
    await t.rejects(health(server), 'nobody listens there');
  });

  t.test(`${wire}: newcomers are refused with a time to come back`, async (t) => {
    const server = await start(wire);
    t.teardown(() => server.close());
    await dial(server, wire, 'anna');
    const before = await askTicket(server, 'berta');
    const draining = server.drain();
    const refused = await askTicket(server, 'carla');
    t.match(refused, { status: 503, retryAfter: '5', body: { code: 'draining' } });
    if (wire === 'udp') {
      const { ended } = openFlow(t, before.body.connectToken);
      t.match(await ended, { code: 1013, reason: 'draining' }, 'a connect token from before');
    } else {
      const { ended } = openWebSocket(server, before.body.ticket);
      t.match(await ended, /503/, 'a ticket from before');
    }
    server.setAdmission({ retryAfterS: 0 }); // else the client would wait and ask again
    const typed = { name: 'GGScaleError', status: 503, code: 'draining' };
    await t.rejects(dial(server, wire, 'dora'), typed);
    t.same([...server.players.keys()], ['anna']);
    await server.close();
    await draining;
  });

  t.test(
    `${wire}: the newer connection of the only player wins, and is not the last one's leave`,
    async (t) => {
      const server = await start(wire);
      t.teardown(() => server.close());
      const first = await dial(server, wire, 'anna');
      const draining = server.drain();
      const second = await dial(server, wire, 'anna');
      t.match(await first.closed, { code: 1000, reason: '' });
      t.equal(server.state, 'draining');
      t.equal(second.state, 'open');
      await second.close();
      await draining;
    },
  );

  t.test(`${wire}: at the deadline who is still in leaves with 1001`, async (t) => {
    const server = await start(wire);
    t.teardown(() => server.close());
    const connections = await Promise.all(['anna', 'berta'].map((id) => dial(server, wire, id)));
    await server.drain({ deadlineMs: 50, reason: 'update' });
    for (const { closed } of connections) {
      t.same(await closed, { code: 1001, reason: 'update', wasClean: true });
    }
    t.equal(server.state, 'closed');
  });

  t.test(`${wire}: before that, what is reliable gets its time`, async (t) => {
    const at = await place(t);
    const leaves: string[] = [];
    at.server.onLeave(({ id }, { code }) => void leaves.push(`${id} ${code}`));
    const anna = await at.dial('anna', wire === 'udp' ? { fallback: 'error' } : null);
    const berta = await dial(at.server, 'json-ws', 'berta'); // past the relays
    t.equal(anna.wire, wire);
    at.udp.isBlackhole = true;
    at.tcp.stall('to-client');
    for (let i = 0; i < 20; i++) at.server.broadcast('last words', i);
    let isOver = false;
    const draining = at.server.drain({ deadlineMs: 3000 }).then(() => {
      isOver = true;
    });
    for (let i = 0; i < 20; i++) t.equal((await berta.readMessage()).value, i);
    t.match(await berta.closed, { code: 1001 });
    t.same(leaves, ['berta 1001'], 'who has got everything need not wait');
    t.notOk(isOver);
    at.udp.isBlackhole = false;
    at.tcp.flow();
    for (let i = 0; i < 20; i++) t.equal((await anna.readMessage()).value, i);
    t.match(await anna.closed, { code: 1001 });
    await draining;
    t.same(leaves, ['berta 1001', 'anna 1001']);
  });

  t.test(`${wire}: who never acknowledges does not hold the server`, async (t) => {
    const at = await place(t);
    await at.dial('anna', wire === 'udp' ? { fallback: 'error' } : null);
    at.udp.isBlackhole = true;
    at.tcp.stall('to-client');
    at.server.broadcast('last words', 1);
    await at.server.drain({ deadlineMs: 100 });
    t.same(at.history, ['anna left 1001']);
  });

  t.test(`${wire}: a second drain only brings the deadline nearer`, async (t) => {
    const server = await start(wire);
    t.teardown(() => server.close());
    const anna = await dial(server, wire, 'anna');
    const first = server.drain({ code: 4000, reason: 'first' });
    const farther = server.drain({ deadlineMs: 600_000 });
    const nearer = server.drain({ deadlineMs: 20, code: 4001, reason: 'second' });
    await Promise.all([first, farther, nearer]);
    t.match(await anna.closed, { code: 4000, reason: 'first' });
    await server.drain();
    await server.close();
    t.equal(server.state, 'closed');
  });

  t.test(`${wire}: close() does not wait for a drain, which then ends with it`, async (t) => {
    const server = await start(wire);
    const anna = await dial(server, wire, 'anna');
    const draining = server.drain();
    const closing = server.close(4002, 'now');
    t.equal(server.state, 'closed');
    const late = server.drain({ deadlineMs: 0 });
    t.match(await anna.closed, { code: 4002, reason: 'now' });
    await Promise.all([draining, closing, late]);
  });

  t.test(`${wire}: a drain from a handler, and while the server closes`, async (t) => {
    const server = await start(wire);
    const ends: Promise<void>[] = [];
    server.onLeave(() => void ends.push(server.drain()));
    await dial(server, wire, 'anna');
    await server.close();
    t.equal(ends.length, 1);
    await Promise.all(ends);
    await t.rejects(server.drain(), { name: 'TransportError', code: 'closed' });
  });
}

t.test('suspended players can come back, and are waited for', async (t) => {
  const at = await place(t, { udp: false });
  const anna = await at.dial('anna');
  at.tcp.isDown = true;
  at.tcp.cut();
  await until(() => at.server.players.get('anna')?.state === 'suspended', 'the suspension');
  const draining = at.server.drain();
  at.tcp.isDown = false;
  await until(() => anna.state === 'open', 'the session to go on');
  t.equal(at.server.state, 'draining');
  at.server.broadcast('news', 1);
  t.equal((await anna.readMessage()).value, 1);
  await anna.close();
  await draining;
  t.same(at.history, ['anna suspended 1006', 'anna resumed on json-ws', 'anna left 1000']);
});

t.test('a session moves between the wires while the server drains', async (t) => {
  const at = await place(t);
  const anna = await at.dial('anna', {});
  const draining = at.server.drain();
  await anna.switchTo('json-ws');
  await anna.switchTo('udp');
  t.equal(at.server.players.get('anna')?.wire, 'udp');
  await anna.close();
  await draining;
});

t.test('a suspended player who stays away is out when its window is over', async (t) => {
  const at = await place(t, { udp: false, resumeWindowMs: 50 });
  await at.dial('anna');
  at.tcp.isDown = true;
  at.tcp.cut();
  await until(() => at.history.includes('anna suspended 1006'), 'the suspension');
  await at.server.drain();
  t.same(at.history, ['anna suspended 1006', 'anna left 1006']);
});

t.test('an empty server is drained at once', async (t) => {
  const lines: string[] = [];
  const info = (_fields: object, message: string) => void lines.push(message);
  const server = await listen({ udp: false, logger: { info, warn() {}, error() {} } });
  await server.drain();
  t.equal(server.state, 'closed');
  t.same(lines, ['listening', 'draining', 'closed']);
});

t.test('what a drain is given is checked before anything happens', async (t) => {
  const server = await listen({ udp: false });
  t.teardown(() => server.close());
  const accepted = /^ggscale: deadlineMs is .*, accepted: a number 0…600000$/;
  for (const deadlineMs of [-1, 600_001, Number.NaN, '30']) {
    await t.rejects(server.drain({ deadlineMs: deadlineMs as never }), { message: accepted });
  }
  await t.rejects(server.drain({ reason: 5 as never }), { code: 'bad-option', message: /reason/ });
  await t.rejects(server.drain({ timeout: 5 } as never), { message: /unknown option timeout/ });
  await t.rejects(server.drain(5 as never), { code: 'bad-option' });
  await t.rejects(server.drain({ code: 1006 }), RangeError);
  t.equal(server.state, 'open');
});
