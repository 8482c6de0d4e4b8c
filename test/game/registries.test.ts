import t from 'tap';
import {
  GameEvent,
  type GameEventValue,
  Input,
  Snapshot,
} from '../../src/messages/generated/index.js';
import { createRegistry, type MessageType } from '../../src/messages/index.js';
import { Prng } from '../../src/util/prng.js';
import { dial, listen, until, WIRES } from './support.js';

const registry = createRegistry({ GameEvent, Input, Snapshot });
type Game = typeof registry extends { values?: infer R } ? NonNullable<R> : never;

function randomEvent(random: Prng): GameEventValue {
  return {
    tick: random.nextInt32() >>> 0,
    kind: random.below(8),
    actor: random.below(65536),
    target: random.below(65536),
    object: random.below(65536),
    direction: random.below(3) - 1,
    damage: random.below(61),
    x: Math.fround(random.nextInt32() / 1000),
    y: Math.fround(random.nextInt32() / 1000),
    charge: Math.fround(random.below(1000) / 1000),
  } as GameEventValue;
}

/** A registry may be a part of what a connection carries: the rest travels as JSON. */
interface WithChat {
  GameEvent: GameEventValue;
  chat: string;
}

for (const wire of WIRES) {
  t.test(`${wire}: unregistered names are typed beside registered ones`, async (t) => {
    const part = createRegistry({ GameEvent });
    const server = await listen<WithChat>({ registry: part });
    t.teardown(() => server.close());
    server.on('chat', (player, text) => player.send('chat', text.toUpperCase()));
    const connection = await dial<WithChat>(server, wire, 'anna', part);
    connection.send('chat', 'hello');
    t.same(await connection.readMessage(), { type: 'chat', value: 'HELLO' });
    await connection.close();
  });

  t.test(`${wire}: registered values arrive normalised, in order, and as views too`, async (t) => {
    const server = await listen<Game>({ registry });
    t.teardown(() => server.close());
    const values: GameEventValue[] = [];
    let viewSum = 0;
    let valueSum = 0;
    server.on('GameEvent', (player, value) => {
      values.push(value);
      valueSum += value.actor;
      player.send('GameEvent', value);
    });
    server.onView<{ actor: number }>('GameEvent', (_player, view) => {
      viewSum += view.actor;
    });
    const connection = await dial(server, wire, 'anna', registry);
    const random = new Prng(7);
    const sent: GameEventValue[] = [];
    for (let i = 0; i < 300; i++) {
      sent.push(randomEvent(random));
      t.not(connection.send('GameEvent', { ...sent[i], x: sent[i].x + 1e-12 }), 'full');
    }
    for (const value of sent) {
      t.same(await connection.readMessage(), { type: 'GameEvent', value });
    }
    t.same(values, sent);
    t.equal(viewSum, valueSum);
    t.throws(() => connection.send('GameEvent', { ...sent[0], damage: 61 }), {
      code: 'bad-value',
      message: /damage/,
    });
    await connection.close();
  });

  t.test(`${wire}: peers of differing registries still understand each other`, async (t) => {
    const server = await listen<Game>({ registry });
    t.teardown(() => server.close());
    const events: unknown[] = [];
    server.on('GameEvent', (player, value) => {
      events.push(value);
      player.send('GameEvent', value);
    });
    // This client has never heard of GameEvent, and knows a type that the server does not.
    const own = createRegistry({ Input });
    const connection = await dial(server as never, wire, 'anna', own as never);
    const send = connection.send as (type: string, value: unknown) => string;
    const value = randomEvent(new Prng(9));
    for (let i = 0; i < 20; i++) send.call(connection, 'GameEvent', { ...value, tick: i });
    for (let i = 0; i < 20; i++) {
      t.match(await connection.readMessage(), { type: 'GameEvent', value: { tick: i } });
    }
    t.equal(events.length, 20);
    await connection.close();
  });
}

t.test('udp: the same id with another layout closes with 4001', async (t) => {
  const server = await listen<Game>({ registry });
  t.teardown(() => server.close());
  const changed: MessageType = Object.create(Input, { hash: { value: Input.hash ^ 1 } });
  const leaves: number[] = [];
  server.onLeave((_player, info) => leaves.push(info.code));
  const dialed = dial(server as never, 'udp', 'anna', createRegistry({ Input: changed }) as never);
  const connection = await dialed.catch(() => null);
  if (connection !== null) t.equal((await connection.closed).code, 4001);
  await until(() => leaves.length === 1, 'the leave');
  t.same(leaves, [4001]);
});
