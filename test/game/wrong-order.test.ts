/** Calls that come too late, or concern somebody else's player: typed errors, and nothing breaks. */
import t from 'tap';
import { dial, listen, until, WIRES } from './support.js';

const CLOSED = { name: 'TransportError', code: 'closed' };

for (const wire of WIRES) {
  t.test(`${wire}: a closed server says so, to each call`, async (t) => {
    const server = await listen({ tickHz: 60 });
    const room = server.room('arena');
    const connection = await dial(server, wire, 'anna');
    room.join([...server.players.values()][0]);
    await server.close();
    t.match(await connection.closed, { code: 1001 });
    t.throws(() => server.broadcast('news', 1), CLOSED);
    t.throws(() => room.broadcast('news', 1), CLOSED);
    t.throws(() => server.room('other').broadcast('news', 1), CLOSED);
    t.throws(() => room.onTick(60, () => {}), CLOSED);
    t.throws(() => server.onTick(() => {}), CLOSED);
    t.throws(() => server.setAdmission({ busy: true }), CLOSED);
    t.throws(() => server.revoke('anna'), CLOSED);
    t.throws(() => server.admission(), { ...CLOSED, message: /the server is closed/ });
    await t.rejects(server.drain(), CLOSED);
    await server.close();
    t.equal(server.state, 'closed');
    t.equal(room.size, 0);
    t.same([...room.players()], []);
    t.equal(server.players.size, 0);
    t.same(server.stats().players, { udp: 0, 'json-ws': 0, suspended: 0 });
  });

  t.test(
    `${wire}: while a server says goodbye its handlers may still talk to the others`,
    async (t) => {
      const server = await listen();
      const errors: unknown[] = [];
      server.onError((error) => errors.push(error));
      const accepted: number[] = [];
      server.onJoin((player) => server.room('all').join(player));
      server.onLeave(({ id }) => {
        accepted.push(server.broadcast('left', id), server.room('all').broadcast('left', id));
        server.room('all').onTick(60, () => {});
      });
      for (const id of ['anna', 'berta']) await dial(server, wire, id);
      await server.close();
      t.same(errors, []);
      t.same(accepted, [1, 1, 0, 0]);
    },
  );

  t.test(`${wire}: a room takes players of its own server only`, async (t) => {
    const [one, two] = await Promise.all([listen(), listen()]);
    t.teardown(() => Promise.all([one.close(), two.close()]));
    const errors: unknown[] = [];
    for (const server of [one, two]) server.onError((error) => errors.push(error));
    const connection = await dial(one, wire, 'anna');
    await dial(two, wire, 'anna');
    const [anna] = one.players.values();
    one.room('arena').join(anna);
    const foreign = {
      code: 'bad-option',
      message: 'ggscale: player is "of another server", accepted: a player of this server',
    };
    t.throws(() => two.room('arena').join(anna), foreign);
    t.throws(() => two.room('arena').leave(anna), foreign);
    for (const nobody of [undefined, null, {}, 'anna'] as never[]) {
      t.throws(() => one.room('arena').join(nobody), { code: 'bad-option' });
      t.throws(() => one.room('arena').leave(nobody), { code: 'bad-option' });
    }
    t.equal(one.room('arena').size, 1);
    t.equal(two.room('arena').size, 0);
    await connection.close();
    await until(() => one.players.size === 0, 'the leave');
    t.throws(() => one.room('arena').join(anna), {
      name: 'TransportError',
      code: 'player-left',
      message: /room arena/,
    });
    t.throws(() => two.room('arena').join(anna), foreign);
    one.room('arena').leave(anna);
    t.equal(one.room('arena').size, 0);
    t.equal(anna.send('x', 1), 'full');
    anna.close();
    await anna.drained();
    await anna.writable();
    t.same(errors, []);
  });
}
