import type { Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const FRAME = { seq: 1, clientMs: 0, actions: 0, direction: -1 };
const INPUT = TYPES.Input.normalize({ inputs: [FRAME] }, false);

/** Options of single messages: those of unreliable types are taken, what is reliable is promised. */
export async function expiryAndKeys(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  for (const options of [{ expiresMs: 10_000 }, { key: 7 }, { redundancy: 3 }, { expiresMs: 0 }]) {
    const sent = await outcome(() => game.send('Input', INPUT, options) !== 'full');
    log('unreliable', options, sent);
    const event = TYPES.GameEvent.normalize({ tick: 5 }, false);
    log(
      'reliable',
      options,
      await outcome(() => game.send('GameEvent', event, options) !== 'full'),
    );
    log('untyped', options, await outcome(() => game.send('note', 1, options) !== 'full'));
  }
  // Sent until one comes back: each may be lost.
  const echo = game.readMessage();
  const timer = setInterval(() => game.send('Input', INPUT, { key: 3, expiresMs: 1000 }), 5);
  for (let message = await echo; message.type !== 'Input'; message = await game.readMessage());
  clearInterval(timer);
  log('unreliable', 'one came back');
  await game.close();
}
