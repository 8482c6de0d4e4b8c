/** What the game throws belongs to the message or the event it was thrown for, and to nothing else. */
import t from 'tap';
import { Input, type InputValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import type { GameServer, GameServerOptions } from '../../src/server/index.js';
import type { Wire } from '../../src/session/types.js';
import { dial, FAILURES, listen, until, WIRES } from './support.js';

interface Game {
  [type: string]: unknown;
  Input: InputValue;
}

const registry = createRegistry({ Input });
const HOW: typeof FAILURES = {
  ...FAILURES,
  'rejects as a thenable that is no promise': (message) => ({
    // biome-ignore lint/suspicious/noThenProperty: that is what is tried here
    then: (_: unknown, reject: (error: Error) => void) => reject(new Error(message)),
  }),
};

function start(wire: Wire, options: GameServerOptions<Game> = {}): Promise<GameServer<Game>> {
  return listen<Game>({ registry, ...(wire === 'udp' ? {} : { udp: false }), ...options });
}

for (const wire of WIRES) {
  for (const [how, fail] of Object.entries(HOW)) {
    t.test(`${wire}: each hook ${how}, once told, and the game goes on`, async (t) => {
      const server = await start(wire, { tickHz: 100 });
      t.teardown(() => server.close());
      const told: string[] = [];
      const seen: string[] = [];
      server.onError((error, where) => told.push(`${where}: ${(error as Error).message}`));
      const once = new Set<string>();
      /** Fails the first time that it is called for `what`; a second handler counts it. */
      const failOnce = (what: string): unknown => {
        if (once.has(what)) return undefined;
        once.add(what);
        return fail(what);
      };
      server.onJoin(() => failOnce('join') as undefined);
      server.onJoin(() => void seen.push('join'));
      server.onLeave(() => failOnce('leave') as undefined);
      server.onLeave(() => void seen.push('leave'));
      server.onTick(() => failOnce('tick') as undefined);
      let ticks = 0;
      server.onTick(() => void ticks++);
      server.on('say', (_player, value) => failOnce(`say ${value}`) as undefined);
      server.on('say', (_player, value) => void seen.push(`say ${value}`));
      server.on('Input', () => failOnce('Input') as undefined);
      server.onView('Input', () => failOnce('view') as undefined);
      const connection = await dial(server, wire, 'anna', registry);
      for (let i = 0; i < 3; i++) connection.send('say', i);
      connection.send('Input', { inputs: [] });
      await until(() => once.has('Input') && seen.length === 4 && ticks > 3, 'messages and ticks');
      const { code } = await connection.close(4001, 'done').then(() => connection.closed);
      t.equal(code, 4001);
      await until(() => seen.length === 5, 'the leave');
      await until(() => told.length === 8, 'all errors');
      t.same(seen, ['join', 'say 0', 'say 1', 'say 2', 'leave']);
      t.same(told.sort(), [
        'on Input: Input',
        'on Input: view',
        'on say: say 0',
        'on say: say 1',
        'on say: say 2',
        'onJoin: join',
        'onLeave: leave',
        'onTick: tick',
      ]);
    });

    t.test(`${wire}: a handler of the client ${how}, once told to its logger`, async (t) => {
      const server = await start(wire);
      t.teardown(() => server.close());
      server.on('echo', (player, value) => player.send('echo', value));
      const told: object[] = [];
      const logger = { info() {}, warn: (fields: object) => told.push(fields) };
      const client = new Client(
        { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger },
        ...(wire === 'udp' ? [WithHighPerformanceTransport({ fallback: 'error' })] : []),
      );
      const address = `http://127.0.0.1:${server.http.port}`;
      const connection = await client.dialGame<Game>(address, { sessionToken: 'anna', registry });
      const seen: unknown[] = [];
      connection.on('echo', (value) => (value === 1 ? (fail('one') as undefined) : undefined));
      connection.on('echo', (value) => void seen.push(value));
      for (let i = 0; i < 4; i++) connection.send('echo', i);
      await until(() => seen.length === 4 && told.length === 1, 'all echoes');
      t.same(seen, [0, 1, 2, 3]);
      t.match(told, [{ event: 'handler.failed', type: 'echo', error: /one/ }]);
      t.equal(connection.state, 'open');
      await connection.close();
    });
  }
}

t.test(
  'without a handler of errors the logger is told, and a failing one is told on',
  async (t) => {
    const lines: object[] = [];
    const logger = { info() {}, warn() {}, error: (fields: object) => lines.push(fields) };
    const server = await listen<Game>({ udp: false, logger });
    t.teardown(() => server.close());
    server.on('boom', (_player, value) => {
      throw new Error(`boom ${value}`);
    });
    const connection = await dial(server, 'json-ws', 'anna');
    connection.send('boom', 1);
    await until(() => lines.length === 1, 'the line');
    const remove = server.onError(() => {
      throw new Error('worse');
    });
    connection.send('boom', 2);
    await until(() => lines.length === 2, 'the second line');
    remove();
    connection.send('boom', 3);
    await until(() => lines.length === 3, 'the third line');
    t.match(lines, [
      { where: 'on boom', error: /boom 1/ },
      { where: 'onError', error: /worse/ },
      { where: 'on boom', error: /boom 3/ },
    ]);
    await connection.close();
  },
);

t.test('what is not a handler is refused when it is given, not when it is called', async (t) => {
  const server = await listen<Game>({ registry });
  t.teardown(() => server.close());
  const connection = await dial(server, 'json-ws', 'anna', registry);
  for (const handler of [undefined, null, 5, {}] as never[]) {
    const refused = {
      code: 'bad-option',
      message: /^ggscale: handler is .*, accepted: a function$/,
    };
    t.throws(() => server.on('say', handler), refused);
    t.throws(() => server.onView('Input', handler), refused);
    t.throws(() => server.onJoin(handler), refused);
    t.throws(() => server.onLeave(handler), refused);
    t.throws(() => server.onTick(handler), refused);
    t.throws(() => server.onRaw(handler), refused);
    t.throws(() => server.onRawPayload(handler), refused);
    t.throws(() => server.onError(handler), refused);
    t.throws(() => server.onReceipt(handler), refused);
    t.throws(() => connection.onReceipt(handler), refused);
    t.throws(() => connection.on('say', handler), refused);
    t.throws(() => connection.onView('Input', handler), refused);
  }
  await connection.close();
});

for (const wire of WIRES) {
  t.test(`${wire}: calls after the end give typed errors, or what is still true`, async (t) => {
    const server = await start(wire);
    const connection = await dial(server, wire, 'anna', registry);
    const player = [...server.players.values()][0];
    server.room('all').join(player);
    t.throws(() => server.room('all').join({} as never), {
      code: 'bad-option',
      message: /a player of this server/,
    });
    t.throws(() => server.room(5 as never), { code: 'bad-option', message: /room is 5/ });
    t.throws(() => connection.send('', 1), { code: 'bad-frame' });
    await server.close();
    await connection.closed;

    t.throws(() => connection.send('say', 1), { name: 'ErrConnectionClosed', closeCode: 1001 });
    await t.rejects(connection.readMessage(), { name: 'ErrConnectionClosed' });
    await connection.drained();
    await connection.close();
    t.equal(connection.stats().wire, wire);
    t.type(connection.serverTime(), 'number');

    t.equal(player.send('say', 1), 'full');
    t.equal(player.hasLeft, true);
    player.close();
    await player.drained();
    t.throws(() => server.broadcast('say', 1), { code: 'closed' });
    t.equal(server.room('all').size, 0);
    t.throws(() => server.room('all').join(player), { code: 'player-left' });
    server.room('all').leave(player);
    t.equal(server.room('all').size, 0, 'who has left joins nothing');
    t.same(server.stats().players, { udp: 0, 'json-ws': 0, suspended: 0 });
    t.throws(() => server.setAdmission({ busy: true }), { code: 'closed' });
    await server.close();
  });
}

t.test('a dial before there is a session is refused by the server, in its words', async (t) => {
  const server = await listen<Game>({ udp: false });
  t.teardown(() => server.close());
  const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' });
  const refused = { name: 'GGScaleError', status: 401, code: 'unauthenticated' };
  await t.rejects(client.dialGame(`http://127.0.0.1:${server.http.port}`), refused);
});
