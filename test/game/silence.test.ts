import { mock } from 'node:test';
import t from 'tap';
import { dial, listen } from './support.js';

t.test('json-ws: a server that falls silent is taken for dead', async (t) => {
  const server = await listen({ udp: false, resumeWindowMs: 0 });
  t.teardown(() => server.close());
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const connection = await dial(server, 'json-ws', 'anna');
  // No turn of the event loop lies between these pings, so none of them is answered.
  for (let i = 0; i < 21; i++) mock.timers.tick(1000);
  t.match(await connection.closed, { code: 1006, wasClean: false });
  t.throws(() => connection.send('n', 1), { name: 'ErrConnectionClosed', closeCode: 1006 });
});
