import t from 'tap';
import { dial, listen, WIRES } from './support.js';

for (const wire of WIRES) {
  t.test(
    `${wire}: a server that closes straight after its clients still learns their codes`,
    async (t) => {
      const server = await listen({ udp: wire === 'udp' ? {} : false, tickHz: 10 });
      const leaves: string[] = [];
      server.onLeave((player, { code, reason }) => leaves.push(`${player.id} ${code} ${reason}`));
      const a = await dial(server, wire, 'a');
      const b = await dial(server, wire, 'b');
      await Promise.all([a.close(4000, 'bye'), b.close()]);
      await server.close();
      t.same(leaves.sort(), ['a 4000 bye', 'b 1000 ']);
    },
  );
}

t.test('IPv6: both wires over ::1', async (t) => {
  const server = await listen({ host: '::1' }).catch((error: Error) => error);
  if (server instanceof Error) {
    t.plan(0, `no IPv6 loopback here: ${server.message}`);
    return;
  }
  t.teardown(() => server.close());
  server.on('echo', (player, value) => player.send('echo', value));
  for (const wire of WIRES) {
    const connection = await dial(server, wire, `on-${wire}`);
    t.equal(connection.wire, wire);
    connection.send('echo', wire);
    t.same(await connection.readMessage(), { type: 'echo', value: wire });
    t.match(server.players.get(`on-${wire}`)?.address, /^\[::1\]:\d+$/);
    await connection.close();
  }
});
