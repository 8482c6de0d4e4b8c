import type { Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import type { Log } from '../transcript.js';

const MESSAGES = 300;
const PADDING = 'p'.repeat(9000);

/**
 * More than fits: `full` until there is room, `writable` when there is, `drained` at the end; what was
 * accepted arrives once and in order, and what is small is accepted beside the bulk.
 */
export async function backPressure(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  const witness = await client.dialGame<Messages>(address, { sessionToken: 'witness' });
  let fulls = 0;
  let smallAccepted = true;
  for (let i = 0; i < MESSAGES; ) {
    if (game.send('note', { i, padding: PADDING }) !== 'full') {
      i++;
      continue;
    }
    if (fulls++ < 5) {
      const event = TYPES.GameEvent.normalize({ tick: fulls }, false);
      smallAccepted &&= game.send('GameEvent', event) !== 'full';
    }
    await game.writable();
  }
  log('pressure', 'was told', fulls > 0, 'small ones pass', smallAccepted);
  await game.drained();
  log('pressure', 'queued when drained', game.stats().queuedBytes === 0);
  for (let event = 1; event <= Math.min(fulls, 5); event++) {
    log('pressure', 'echo of a small one in order', (await game.readMessage()).type);
  }
  await game.close();
  witness.send('diary of', 'anna');
  const { value } = await witness.readMessage();
  for (const entry of value as unknown[]) log('diary', entry);
  await witness.close();
}
