/** What a hostile or broken peer may do to a game server, above the handshake. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { WebSocket } from 'ws';
import { openPlayerSocket } from './raw-support.js';
import { dial, listen, until, WIRES } from './support.js';

interface Messages {
  [type: string]: unknown;
}

function closeCode(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.on('close', (code) => resolve(code));
  });
}

t.test('json-ws: garbage frames are counted and the next message is served', async (t) => {
  const server = await listen<Messages>({ udp: false, resumeWindowMs: 0 });
  t.teardown(() => server.close());
  const seen: unknown[] = [];
  server.on('fine', (_player, value) => seen.push(value));
  const socket = await openPlayerSocket(server, 'anna');
  const garbage = [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{"type":1}',
    '{"payload":1}',
    '{"type":"x","payload":{"__proto__":{"polluted":true}}}',
    `{"type":"x","payload":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    '\u0000',
  ];
  for (const text of garbage) socket.send(text);
  socket.send('{"type":"fine","payload":7}');
  await until(() => seen.length === 1, 'the fine message');
  t.same(seen, [7]);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
  t.equal(server.stats().drops['frame-malformed'], garbage.length);
  socket.terminate();
  await until(() => server.players.size === 0, 'the player to leave');
});

t.test('json-ws: what breaks the session closes with the code for it', async (t) => {
  const server = await listen<Messages>({ udp: false });
  t.teardown(() => server.close());
  const cases: [string | Buffer, number][] = [
    [Buffer.from([1, 2, 3]), 1008],
    ['{"type":"$hello","payload":{}}', 1002],
    ['{"type":"$ack","payload":{"frames":1}}', 1002],
    ['{"type":"$ack","payload":{"frames":-1}}', 1002],
    ['{"type":"$ack","payload":null}', 1002],
    ['{"type":"$ping","payload":{"t":"x"}}', 1002],
    ['{"type":"$nonsense"}', 1002],
    [`{"type":"x","payload":"${'y'.repeat(300 * 1024)}"}`, 1009],
  ];
  for (const [index, [frame, code]] of cases.entries()) {
    const socket = await openPlayerSocket(server, `p${index}`);
    const closed = closeCode(socket);
    socket.send(frame);
    t.equal(await closed, code, String(frame).slice(0, 40));
  }
  await until(() => server.players.size === 0, 'all to leave');
});

for (const wire of WIRES) {
  t.test(`${wire}: names that begin with $ are the runtime's`, async (t) => {
    const server = await listen<Messages>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const connection = await dial(server, wire, 'anna');
    t.throws(() => connection.send('$ack', {}), { code: 'reserved-type' });
    t.throws(() => connection.on('$hello', () => {}), { code: 'reserved-type' });
    t.throws(() => server.on('$ack', () => {}), { code: 'reserved-type' });
    t.throws(() => connection.send('cycle', cyclic()), { code: 'bad-json' });
    t.equal(connection.state, 'open');
    await connection.close();
  });

  t.test(`${wire}: a handler that never ends keeps nobody waiting`, async (t) => {
    const server = await listen<Messages>({ udp: wire === 'udp' ? {} : false });
    t.teardown(() => server.close());
    const begun: unknown[] = [];
    server.on('forever', async (_player, value) => {
      begun.push(value);
      await new Promise(() => {});
    });
    server.on('echo', (player, value) => {
      player.send('echo', value);
    });
    const [anna, ben] = await Promise.all([dial(server, wire, 'anna'), dial(server, wire, 'ben')]);
    for (let number = 0; number < 10; number += 1) anna.send('forever', number);
    anna.send('echo', 'anna');
    ben.send('echo', 'ben');
    t.same(await anna.readMessage(), { type: 'echo', value: 'anna' });
    t.same(await ben.readMessage(), { type: 'echo', value: 'ben' });
    t.equal(begun.length, 10, 'each message had its handler');
    await Promise.all([anna.close(), ben.close()]);
    await until(() => server.players.size === 0, 'both to leave');
  });

  t.test(
    `${wire}: a client that is killed is gone within its timeout, with all it held`,
    async (t) => {
      const server = await listen<Messages>({
        udp: wire === 'udp' ? {} : false,
        resumeWindowMs: 0,
      });
      t.teardown(() => server.close());
      const program = fileURLToPath(new URL('./fixtures/silent-player.ts', import.meta.url));
      const address = `http://127.0.0.1:${server.http.port}`;
      const child = spawn(process.execPath, [...process.execArgv, program, address, wire], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      t.equal(server.players.size, 1);
      t.equal(server.players.get('child')?.wire, wire);
      server.room('lobby').join(server.players.get('child') as never);
      const left = new Promise<{ code: number; wasClean: boolean }>((resolve) => {
        server.onLeave((_player, info) => resolve(info));
      });
      child.kill('SIGKILL');
      t.match(await left, { code: 1006, wasClean: false });
      t.equal(server.players.size, 0);
      t.equal(server.room('lobby').size, 0);
      t.equal(server.stats().players[wire], 0);
    },
  );
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
