import type { Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const EACH = 100;

/** The session changes its wire while everybody talks: nothing reliable is lost, doubled or moved. */
export async function switching(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  const witness = await client.dialGame<Messages>(address, { sessionToken: 'witness' });
  let came = 0;
  const all = new Promise<void>((resolve) => {
    const saw = (lane: string, what: unknown) => {
      log(lane, what);
      if (++came === EACH * 6) resolve();
    };
    game.on('echo', (value) => saw('channel 0', value));
    game.on('GameEvent', ({ tick }) => saw('channel 3', tick));
  });
  let n = 0;
  const talk = async () => {
    for (let i = 0; i < EACH; i++, n++) {
      while (game.send('echo', n) === 'full') await game.writable();
      const event = TYPES.GameEvent.normalize({ tick: n }, false);
      while (game.send('GameEvent', event) === 'full') await game.writable();
      while (game.send('note', n) === 'full') await game.writable();
    }
  };
  await talk();
  const [moved] = await Promise.all([outcome(() => game.switchTo('json-ws')), talk()]);
  log('moved', moved, game.state);
  log('to udp', await outcome(() => game.switchTo('udp')));
  await talk();
  await all;
  log('moved', game.playerId, game.stats().messagesIn === EACH * 6);
  await game.close(4001, 'after all that');
  witness.send('diary of', 'anna');
  log('diary', await witness.readMessage());
  await witness.close();
}
