/** Options and arguments out of range are refused by name, before anything is open. */
import t from 'tap';
import { Input, Snapshot } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { GameServer } from '../../src/server/index.js';
import { dial, listen, WIRES } from './support.js';

t.test('server options', async (t) => {
  const refused: object[] = [
    { tickHz: Number.NaN },
    { tickHz: 0.001 },
    { tickHz: '60' },
    { port: 1.5 },
    { maxPlayers: 0 },
    { ticketsPerSecondPerAddress: Number.NaN },
    { udp: 5 },
    { ws: 5 },
    { ws: { allowedHosts: 'abc' } },
    { ws: { allowedHosts: [1] } },
    { udp: { advertise: [5] } },
    { udp: { advertise: ['example'] } },
    { udp: { advertise: ['127.0.0.1:70000'] } },
    { udp: { maxFlows: 1.5 } },
    { tls: {} },
    { tls: { key: 'no', cert: 'pem' } },
    { logger: {} },
    { registry: {} },
    { host: '0.0.0.0', trustProxy: true }, // dev tokens are for loopback, TLS or not
    { host: '127.example.com' },
  ];
  for (const options of refused) {
    const listening = GameServer.listen({ dev: true, ...options } as never);
    await t.rejects(listening, { code: 'bad-option' }, JSON.stringify(options));
    await listening.then((server) => server.close()).catch(() => {});
  }
  await t.rejects(listen({ tickHz: Number.NaN }), { message: /tickHz is NaN/ });
});

t.test('slow ticks and names of the loopback are fine', async (t) => {
  for (const options of [{ tickHz: 1 }, { tickHz: 59.94 }, { host: 'localhost' }]) {
    const server = await listen(options);
    t.ok(server.udp !== null);
    await server.close();
  }
});

const registry = createRegistry({ Input, Snapshot });
type Game = typeof registry extends { values?: infer R } ? NonNullable<R> : never;

for (const wire of WIRES) {
  t.test(`${wire}: send options out of range are refused, and nothing is sent`, async (t) => {
    const server = await listen<Game>({ registry, udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const connection = await dial(server, wire, 'anna', registry);
    const refused: object[] = [
      { expiresMs: -1 },
      { expiresMs: Number.NaN },
      { expiresMs: Number.POSITIVE_INFINITY },
      { expiresMs: '5' },
      { key: 0 },
      { key: 1.5 },
      { key: 2 ** 31 },
      { key: Number.NaN },
      { redundancy: -1 },
      { redundancy: 4 },
      { redundancy: 0.5 },
    ];
    for (const options of refused) {
      const shown = JSON.stringify(options);
      const send = () => connection.send('Input', { inputs: [] }, options as never);
      t.throws(send, { code: 'bad-option' }, shown);
      const broadcast = () => server.broadcast('Snapshot', {} as never, options as never);
      t.throws(broadcast, { code: 'bad-option' }, `broadcast ${shown}`);
    }
    t.equal(connection.stats().messagesOut, 0);
    const inputs: unknown[] = [];
    server.on('Input', (_player, value) => inputs.push(value));
    // An hour is more than the protocol's clock can tell ahead, and no reason to drop it at once.
    connection.send('Input', { inputs: [] }, { expiresMs: 3_600_000, key: 2 ** 31 - 1 });
    while (inputs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    t.same(inputs, [{ inputs: [] }]);
    await connection.close();
  });
}
