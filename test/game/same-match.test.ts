/**
 * One match, two players on each wire, one server: everybody must see the same match, value for
 * value and event for event.
 */
import t from 'tap';
import { Matches } from '../../bench/match/matches.js';
import { Bot } from '../../examples/brawler/game/bot.js';
import {
  type GameEventValue,
  type GameMessages,
  gameRegistry,
  type SnapshotValue,
} from '../../examples/brawler/game/messages.js';
import type { Wire } from '../../src/session/types.js';
import { dial, listen, until } from './support.js';

const SEATS: readonly Wire[] = ['udp', 'json-ws', 'udp', 'json-ws'];
const EVENTS_WANTED = 30;

t.test('players of both wires see the same match', async (t) => {
  const registry = gameRegistry();
  const server = await listen<GameMessages>({ registry, tickHz: 60 });
  t.teardown(() => server.close());
  const matches = new Matches(server, 11, 60);
  const events: GameEventValue[][] = SEATS.map(() => []);
  const snapshots: Map<number, SnapshotValue>[] = SEATS.map(() => new Map());
  const connections = [];
  for (const [seat, wire] of SEATS.entries()) {
    const connection = await dial(server, wire, `p${seat}`, registry);
    const bot = new Bot(100 + seat);
    connection.on('GameEvent', (event) => events[seat].push(event));
    connection.on('Snapshot', (snapshot) => {
      snapshots[seat].set(snapshot.tick, snapshot);
      if (connection.state !== 'open') return;
      const input = bot.frame(performance.now(), snapshot, seat + 1);
      if (input !== null) connection.send('Input', input);
    });
    connections.push(connection);
  }
  matches.play();
  await until(() => events.every((list) => list.length >= EVENTS_WANTED), 'enough events');
  matches.end();
  await Promise.all([...server.players.values()].map((player) => player.drained()));
  await until(() => events.every((list) => list.length === events[0].length), 'the last events');

  for (let seat = 1; seat < SEATS.length; seat++) {
    t.same(events[seat], events[0], `seat ${seat} (${SEATS[seat]}): the same events, in order`);
  }
  let compared = 0;
  for (const [tick, first] of snapshots[0]) {
    for (let seat = 1; seat < SEATS.length; seat++) {
      const other = snapshots[seat].get(tick);
      if (other === undefined) continue; // unreliable: one may be missing
      compared++;
      const same = { ...other, ackSeq: first.ackSeq };
      if (!t.equal(JSON.stringify(same), JSON.stringify(first), `tick ${tick}`)) return;
    }
  }
  t.ok(compared > 100, `${compared} snapshots compared`);
  t.equal(matches.eventsRefused, 0);
  await Promise.all(connections.map((connection) => connection.close()));
});
