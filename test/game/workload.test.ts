/** Every message of the workload, both ways, on both wires: equal values, in order. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { createRegistry } from '../../src/messages/index.js';
import { WORKLOAD_TYPES as TYPES } from '../messages/workload-types.js';
import { dial, listen, until, WIRES } from './support.js';

const registry = createRegistry(TYPES);
type Name = keyof typeof TYPES;
type Game = Record<Name, unknown>;

/** The golden vectors: the value as a program gives it, and as it must arrive. */
function valuesOf(name: Name): { given: unknown; value: unknown }[] {
  const file = name.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const url = new URL(`../vectors/messages/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')).vectors;
}

for (const wire of WIRES) {
  t.test(`${wire}: the messages of the workload go both ways`, async (t) => {
    const server = await listen<Game>({ registry: registry as never });
    t.teardown(() => server.close());
    const connection = await dial<Game>(server, wire, 'anna', registry as never);
    const [player] = server.players.values();
    for (const name of Object.keys(TYPES) as Name[]) {
      const there: unknown[] = [];
      const back: unknown[] = [];
      server.on(name, (from, value) => {
        there.push(value);
        t.not(from.send(name, value), 'full', name);
      });
      connection.on(name, (value) => back.push(value));
      const values = valuesOf(name);
      t.ok(values.length >= 2, `${values.length} vectors of ${name}`);
      for (const { given } of values) {
        const count = back.length;
        connection.send(name, given);
        // One by one: of unreliable sequenced types only the newest would have to come.
        await until(() => back.length > count, `${name} to come back`);
      }
      const wanted = values.map(({ value }) => value);
      t.same(there, wanted, `${name} at the server`);
      t.same(back, wanted, `${name} at the client`);
    }
    t.equal(player.stats().packetsLostIn, 0);
    await connection.close();
  });
}

t.test('what is said about a match and a lobby is reliable and ordered', async (t) => {
  const { GameState, MatchEvent, ScoreEvent, ...others } = TYPES;
  const { LobbyUpdate, LobbyAction, JoinRequest, JoinAccepted, JoinRejected } = others;
  for (const type of [GameState, MatchEvent, ScoreEvent]) t.match(type, { mode: 3, channel: 4 });
  for (const type of [LobbyUpdate, LobbyAction, JoinRequest, JoinAccepted, JoinRejected]) {
    t.match(type, { mode: 3, channel: 5 });
  }
});
