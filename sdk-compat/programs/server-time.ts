import type { Client } from '../../src/index.js';
import type { Messages } from '../messages.js';
import type { Log } from '../transcript.js';

/** One clock for everybody: it never goes back, and soon it is known how good it is. */
export async function serverTime(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { sessionToken: 'anna' });
  log('at first', Number.isFinite(game.serverTime()), game.serverTimeError() > 0);
  let before = game.serverTime();
  let back = 0;
  do {
    game.send('echo', null);
    await game.readMessage();
    const now = game.serverTime();
    if (now < before) back++;
    before = now;
  } while (!Number.isFinite(game.serverTimeError()) || !(game.stats().rttMs > 0));
  log('then', 'back', back, game.serverTimeError() < 5000);
  log('ticks', game.inputLead(), game.tickToSend()); // a server without ticks
  await game.close();
  log('closed', game.serverTime() >= before);
}
