import { AnonymousAuth, type Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const REQUEST = { fleet: 'arena', minCount: 1, maxCount: 1, attributes: { colour: 'red' } };
const BOARD = 1;
const SERVERS_BOARD = 2;
const ROUNDS = 5;

/** An evening: a login, a match, the match played, its score on the board, and a logout. */
export async function handOff(client: Client, _address: string, log: Log): Promise<void> {
  const me = await client.login(new AnonymousAuth());
  const match = await client.matchmaker.waitForMatch(REQUEST);
  const { mode, protocolHint, sessionId, hostPlayerId, users } = match;
  log('match', { mode, protocolHint, sessionId, hostPlayerId }, users);

  const game = await client.dialGame<Messages>(match, { registry });
  log('game', game.state, game.playerId === String(me.playerId));
  let score = 0;
  let before = game.serverTime();
  for (let round = 1; round <= ROUNDS; round++) {
    game.send('GameEvent', TYPES.GameEvent.normalize({ tick: round, x: round / 7 }, false));
    game.send('echo', { round, score });
    const [event, echo] = [await game.readMessage(), await game.readMessage()];
    log('events', ...[event, echo].sort((a, b) => (a.type < b.type ? -1 : 1)));
    const hit = (event.type === 'GameEvent' ? event : echo).value as { x: number };
    score += Math.round(hit.x * 1000);
    log('clock', game.serverTime() >= before);
    before = game.serverTime();
  }
  const newest = new Promise<void>((resolve) => {
    game.on('Snapshot', ({ tick, boomerangs }) => {
      log('snapshots', tick, boomerangs.length);
      if (tick >= 20) resolve();
    });
  });
  game.send('snapshots', 4);
  log('events', await game.readMessage());
  await newest;
  game.send('snapshots', 0);
  await game.drained();
  await game.close();
  log('game', game.state);

  const { leaderboards } = client;
  await leaderboards.submit(BOARD, score, { metadata: { rounds: ROUNDS } });
  log('board', await outcome(() => leaderboards.submit(SERVERS_BOARD, score)));
  log('board', await leaderboards.aroundMe(BOARD, { radius: 1 }));
  log('board', await leaderboards.top(BOARD, { limit: 2 }));

  await client.auth.logout(me.refreshToken);
  log('after', client.session, await outcome(() => leaderboards.top(BOARD)));
  log('after', await outcome(() => client.dialGame(match)));
  log('after', await outcome(() => client.auth.refresh(me.refreshToken)));
}
