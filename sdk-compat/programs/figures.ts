import type { Client } from '../../src/index.js';
import type { Messages } from '../messages.js';
import type { Log } from '../transcript.js';

const FIFTY = Array.from({ length: 50 }, (_, i) => ({ i }));

/** The same figures under the same names, counted alike: messages are messages on both wires. */
export async function figures(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { sessionToken: 'anna' });
  const before = game.stats();
  game.send('burst', { type: 'echo', values: FIFTY });
  for (let i = 0; i < 50; i++) await game.readMessage();
  await game.drained();
  const after = game.stats();
  log('names', Object.keys(after).sort());
  log('messages', before.messagesIn, after.messagesIn, after.messagesOut, after.droppedOut);
  log('grew', after.bytesIn > before.bytesIn, after.packetsIn > before.packetsIn);
  log('queued', after.queuedBytes, game.budget() > 0);
  await game.close();
  log('after the end', game.stats().messagesIn, game.budget());
}
