/** Players who may not play any more: by `server.revoke`, by the `revalidate` hook; on both wires. */
import t from 'tap';
import type { VerifiedSession } from '../../src/server/index.js';
import { askTicket, openFlow, openWebSocket } from './raw-support.js';
import { place } from './resume-support.js';
import { dial, listen, until, WIRES } from './support.js';

for (const wire of WIRES) {
  t.test(
    `${wire}: a revoked player is out, and its client does not come back by itself`,
    async (t) => {
      let verified = 0;
      const verifySession = (playerId: string) => {
        verified++;
        return { playerId, role: 'healer' };
      };
      const server = await listen({ verifySession });
      t.teardown(() => server.close());
      const leaves: unknown[] = [];
      server.onLeave(({ id, state }, info) => void leaves.push({ id, state, ...info }));
      const connection = await dial(server, wire, 'anna');
      const other = await dial(server, wire, 'berta');
      t.same(server.players.get('anna')?.session, { playerId: 'anna', role: 'healer' });
      t.equal(server.revoke('nobody'), false);
      t.equal(server.revoke('anna', 'cheating'), true);
      t.match(leaves, [{ id: 'anna', state: 'left', code: 1008, reason: 'cheating' }]);
      t.same([...server.players.keys()], ['berta']);
      t.same(await connection.closed, { code: 1008, reason: 'cheating', wasClean: true });
      t.equal(connection.state, 'closed');
      t.equal(server.revoke('anna'), false);
      t.equal(verified, 2, 'nothing was asked after that');

      t.equal(other.state, 'open');
      server.revoke('berta');
      t.same(await other.closed, { code: 1008, reason: 'revoked', wasClean: true });
      const again = await dial(server, wire, 'anna');
      t.equal(again.state, 'open', 'whom verifySession lets in may come');
      server.revoke('anna', '€'.repeat(100));
      t.equal((await again.closed).reason, '€'.repeat(21));
      t.throws(() => server.revoke(5 as never), { code: 'bad-option', message: /playerId is 5/ });
      t.throws(() => server.revoke('x', {} as never), { code: 'bad-option', message: /reason is/ });
      await server.close();
      t.throws(() => server.revoke('anna'), { code: 'closed' });
    },
  );
}

t.test('tickets, connect tokens and links that have no session yet are void', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  await Promise.all([dial(server, 'json-ws', 'anna'), dial(server, 'json-ws', 'berta')]);
  const session = (server.players.get('anna') as never as { serverSession: { id: string } })
    .serverSession.id;
  const [first, second] = [await askTicket(server, 'anna'), await askTicket(server, 'anna')];
  const [third, fourth] = [
    await askTicket(server, 'anna', session),
    await askTicket(server, 'anna', session),
  ];
  const bertas = await askTicket(server, 'berta');
  const link = openWebSocket(server, third.body.ticket);
  const silent = openFlow(t, fourth.body.connectToken);
  await Promise.all([link.opened, silent.ready]);

  server.revoke('anna');
  t.equal(await link.ended, '1008 revoked');
  t.match(await silent.ended, { code: 1008, reason: 'revoked' });
  t.match(await openWebSocket(server, first.body.ticket).ended, /401/);
  const late = openFlow(t, second.body.connectToken);
  t.match(await late.ended, { code: 1008, reason: 'ticket-spent' });
  t.match(await askTicket(server, 'anna', session), {
    status: 410,
    body: { code: 'session-ended' },
  });
  await openWebSocket(server, bertas.body.ticket).opened;
  t.same([...server.players.keys()], ['berta']);
});

t.test('what verifySession began to find out before the revocation does not count', async (t) => {
  const answers: (() => void)[] = [];
  const verifySession = (playerId: string) =>
    new Promise<VerifiedSession>((resolve) => {
      answers.push(() => resolve({ playerId }));
    });
  const server = await listen({ udp: false, verifySession });
  t.teardown(() => server.close());
  const asked = askTicket(server, 'anna');
  await until(() => answers.length === 1, 'the hook to be asked');
  server.revoke('anna');
  answers[0]();
  t.match(await asked, { status: 401, body: { code: 'unauthenticated' } });
  const again = askTicket(server, 'anna');
  await until(() => answers.length === 2, 'the hook to be asked again');
  answers[1]();
  t.equal((await again).status, 200);
});

t.test('a suspended player is revoked: its client learns code and reason', async (t) => {
  const at = await place(t, { udp: false });
  const connection = await at.dial('anna');
  at.tcp.isDown = true;
  at.tcp.cut();
  await until(() => at.server.players.get('anna')?.state === 'suspended', 'the suspension');
  t.equal(at.server.revoke('anna', 'cheating'), true);
  t.same(at.history, ['anna suspended 1006', 'anna left 1008']);
  at.tcp.isDown = false;
  t.same(await connection.closed, { code: 1008, reason: 'cheating', wasClean: true });
});

t.test(
  'the hook ends players: connected and suspended, on both wires; no token is logged',
  async (t) => {
    const lines: string[] = [];
    const write = (fields: object, text: string) => void lines.push(JSON.stringify([text, fields]));
    const logger = { debug: write, info: write, warn: write, error: write };
    const token = (playerId: string) => `token-of-${playerId}`;
    let isFailing = true;
    const asked: VerifiedSession[] = [];
    const at = await place(t, {
      logger,
      metrics: true,
      verifySession: (given) => ({ playerId: given.slice(9), accessToken: given }),
      revalidateMs: 5000,
      revalidate: async (session) => {
        asked.push(session);
        if (isFailing) throw new Error(`cannot reach the backend with ${session.accessToken}`);
        return false;
      },
    });
    const names = ['ws', 'udp', 'ws-lost', 'udp-lost'];
    const connections = await Promise.all(
      names.map((name) => at.dial(token(name), name.startsWith('udp') ? {} : null)),
    );
    t.same(
      connections.map(({ wire }) => wire),
      ['json-ws', 'udp', 'json-ws', 'udp'],
    );
    const { players } = at.server;
    at.server.onLeave(({ id, state }, { code, reason }) =>
      lines.push(`left ${id} ${code} ${reason} ${state}`),
    );
    await until(() => asked.length > 0, 'a question');
    t.equal(players.size, 4, 'no answer: they stay');
    isFailing = false;
    at.tcp.isDown = true;
    at.udp.isBlackhole = true;
    at.tcp.cut();
    await until(() => players.size === 0, 'all to be out');
    for (const name of names) {
      t.ok(lines.includes(`left ${name} 1008 revoked left`), name);
    }
    at.tcp.isDown = false;
    at.udp.isBlackhole = false;
    for (const connection of connections) {
      t.same(await connection.closed, { code: 1008, reason: 'revoked', wasClean: true });
    }
    const page = await (await fetch(`http://127.0.0.1:${at.server.http.port}/metrics`)).text();
    t.match(page, /^ggscale_revocations_total\{cause="hook"\} 4$/m);
    t.match(page, /^ggscale_revalidations_total\{outcome="revoked"\} 4$/m);
    t.match(page, /^ggscale_revalidations_total\{outcome="unanswered"\} [1-9]/m);
    t.ok(lines.some((line) => /revalidate gave no answer.*\[redacted\]/.test(line)));
    t.ok(lines.some((line) => line.includes('player revoked')));
    t.notOk(lines.some((line) => line.includes('token-of-')));
  },
);

for (const wire of WIRES) {
  t.test(
    `${wire}: who is revoked by the leave of an older connection does not get in`,
    async (t) => {
      const server = await listen();
      t.teardown(() => server.close());
      let joins = 0;
      server.onJoin(() => void joins++);
      server.onLeave(({ id }) => void server.revoke(id));
      const first = await dial(server, wire, 'anna');
      const second = await dial(server, wire, 'anna').catch(() => null);
      t.match(await first.closed, { code: 1000 });
      if (second !== null) t.match(await second.closed, { code: 1008, reason: 'revoked' });
      t.equal(joins, 1);
      t.equal(server.players.size, 0);
    },
  );
}

t.test('a resumed session brings what verifySession says now', async (t) => {
  let logins = 0;
  const verifySession = (playerId: string) => ({ playerId, login: ++logins });
  const at = await place(t, { udp: false, verifySession });
  await at.dial('anna');
  const player = at.server.players.get('anna');
  t.equal(player?.session.login, 1);
  at.tcp.cut();
  await until(() => at.history.includes('anna resumed on json-ws'), 'the resumption');
  t.equal(player?.session.login, 2);
});

t.test('a hook that resolves no session at all is our failure, not a player', async (t) => {
  for (const garbage of [undefined, 'anna', 5]) {
    const lines: object[] = [];
    const logger = { info() {}, warn() {}, error: (fields: object) => void lines.push(fields) };
    const server = await listen({ udp: false, logger, verifySession: () => garbage as never });
    t.teardown(() => server.close());
    t.equal((await askTicket(server, 'anna')).status, 500);
    t.match(lines, [{ error: /verifySession failed: .*it resolved/ }]);
  }
});
