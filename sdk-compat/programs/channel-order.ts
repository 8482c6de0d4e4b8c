import type { Client, GameConnection } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import type { Log } from '../transcript.js';

const COUNT = 150;

/** Four ordered channels and an unordered one at once, in both directions, small and large mixed. */
export async function channelOrder(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  let came = 0;
  const all = new Promise<void>((resolve) => {
    const saw = (lane: string, ...what: unknown[]) => {
      log(lane, ...what);
      if (++came === COUNT * 5) resolve();
    };
    game.on('echo', (value) => {
      const { i, pad } = value as { i: number; pad: string };
      saw('channel 0', i, pad.length);
    });
    game.on('GameEvent', ({ tick, x }) => saw('channel 3', tick, x));
    game.on('MatchEvent', ({ tick }) => saw('channel 4', 'match', tick));
    game.on('ScoreEvent', ({ tick }) => saw('channel 4', 'score', tick));
    game.on('Tree', ({ root }) => saw('unordered', root?.value));
  });
  for (let i = 0; i < COUNT; i++) {
    await say(game, 'echo', { i, pad: 'p'.repeat(i % 10 === 0 ? 5000 : i) });
    await say(game, 'GameEvent', TYPES.GameEvent.normalize({ tick: i, x: i / 7 }, false));
    await say(game, 'MatchEvent', TYPES.MatchEvent.normalize({ tick: i }, false));
    await say(game, 'ScoreEvent', TYPES.ScoreEvent.normalize({ tick: i }, false));
    await say(game, 'Tree', TYPES.Tree.normalize({ root: { value: i } }, false));
  }
  await all;
  await game.close();
}

async function say(game: GameConnection<Messages>, type: string, value: unknown): Promise<void> {
  while (game.send(type, value) === 'full') await game.writable();
}
