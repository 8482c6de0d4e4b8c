/** Options and arguments out of range are refused by name, before anything is open. */
import t from 'tap';
import { Input, Snapshot, type SnapshotValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { GameServer, type Player } from '../../src/server/index.js';
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
type Registered = typeof registry extends { values?: infer R } ? NonNullable<R> : never;
type Game = Registered & { chat: string };

const SNAPSHOT: SnapshotValue = {
  tick: 1,
  ackSeq: 0,
  matchState: 0,
  timeRemainingMs: 0,
  players: [],
  boomerangs: [],
};

const REFUSED_SEND_OPTIONS: [options: unknown, message: RegExp][] = [
  [null, /^ggscale: options is null, accepted: an object with any of expiresMs, key/],
  [5, /^ggscale: options is 5, accepted: an object/],
  [[], /^ggscale: options is \[\], accepted: an object/],
  [{ reliable: true }, /^ggscale: unknown option reliable; known: expiresMs, key, redundancy, rec/],
  [{ expires: undefined }, /^ggscale: unknown option expires; known/],
  [{ key: 1, keys: 2 }, /^ggscale: unknown option keys; known/],
  [{ expiresMs: -1 }, /^ggscale: expiresMs is -1, accepted: a number of milliseconds from 0/],
  [{ expiresMs: Number.NaN }, /^ggscale: expiresMs is NaN, accepted: /],
  [{ expiresMs: Number.POSITIVE_INFINITY }, /^ggscale: expiresMs is Infinity, accepted: /],
  [{ expiresMs: '5' }, /^ggscale: expiresMs is "5", accepted: /],
  [{ expiresMs: null }, /^ggscale: expiresMs is null, accepted: /],
  [{ expiresMs: 5n }, /^ggscale: expiresMs is 5, accepted: /],
  [{ key: 0 }, /^ggscale: key is 0, accepted: an integer 1…2147483647/],
  [{ key: 1.5 }, /^ggscale: key is 1.5, accepted: an integer/],
  [{ key: 2 ** 31 }, /^ggscale: key is 2147483648, accepted: an integer/],
  [{ key: Number.NaN }, /^ggscale: key is NaN, accepted: an integer/],
  [{ key: null }, /^ggscale: key is null, accepted: an integer/],
  [{ key: 'unit' }, /^ggscale: key is "unit", accepted: an integer/],
  [{ receipt: 0 }, /^ggscale: receipt is 0, accepted: an integer 1…2147483647/],
  [{ receipt: true }, /^ggscale: receipt is true, accepted: an integer/],
  [{ receipt: null }, /^ggscale: receipt is null, accepted: an integer/],
  [{ redundancy: -1 }, /^ggscale: redundancy is -1, accepted: an integer 0…3/],
  [{ redundancy: 4 }, /^ggscale: redundancy is 4, accepted: an integer 0…3/],
  [{ redundancy: 0.5 }, /^ggscale: redundancy is 0.5, accepted: an integer 0…3/],
  [{ redundancy: null }, /^ggscale: redundancy is null, accepted: an integer 0…3/],
];

for (const wire of WIRES) {
  t.test(
    `${wire}: send options are refused by field, value and range, and nothing is sent`,
    async (t) => {
      const server = await listen<Game>({ registry, udp: wire === 'udp' ? {} : false });
      t.teardown(() => server.close());
      const connection = await dial(server, wire, 'anna', registry);
      const player = server.players.get('anna') as Player<Game>;
      const lobby = server.room('lobby');
      lobby.join(player);
      for (const [options, message] of REFUSED_SEND_OPTIONS) {
        const refused = { code: 'bad-option', message };
        t.throws(() => connection.send('Input', { inputs: [] }, options as never), refused);
        t.throws(() => player.send('Snapshot', SNAPSHOT, options as never), refused);
        t.throws(() => server.broadcast('Snapshot', SNAPSHOT, options as never), refused);
        t.throws(() => lobby.broadcast('Snapshot', SNAPSHOT, options as never), refused);
      }
      for (const options of [{ key: 1 }, { expiresMs: 5 }]) {
        const refused = {
          code: 'bad-option',
          message: /^ggscale: (key is 1|expiresMs is 5), .*reliable/,
        };
        t.throws(() => player.send('chat', 'hi', options), refused);
        t.throws(() => server.broadcast('chat', 'hi', options), refused);
        t.throws(() => server.room('nobody').broadcast('chat', 'hi', options), refused);
      }
      t.equal(player.stats().messagesOut, 0);
      t.equal(connection.stats().messagesOut, 0);
      const inputs: unknown[] = [];
      server.on('Input', (_player, value) => inputs.push(value));
      // An hour is more than the protocol's clock can tell ahead, and no reason to drop it at once.
      connection.send('Input', { inputs: [] }, { expiresMs: 3_600_000, key: 2 ** 31 - 1 });
      while (inputs.length === 0) await new Promise((resolve) => setImmediate(resolve));
      t.same(inputs, [{ inputs: [] }]);
      await connection.close();
    },
  );
}
