import type { Client } from '../../src/index.js';
import type { Messages } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

/** The server goes away: everybody learns code and reason, and a dial finds nobody. */
export async function serverClosing(client: Client, address: string, log: Log): Promise<void> {
  const anna = await client.dialGame<Messages>(address, { sessionToken: 'anna' });
  const berta = await client.dialGame<Messages>(address, { sessionToken: 'berta' });
  const reading = outcome(() => berta.readMessage());
  anna.send('echo', 'last words');
  log('anna', await anna.readMessage());
  anna.send('close all', { code: 4300, reason: 'maintenance' });
  log('anna', await anna.closed, anna.state);
  log('berta', await berta.closed, berta.state, await reading);
  const again = await outcome(() => client.dialGame(address, { sessionToken: 'anna' }));
  const { error, class: name, kind } = again as Record<string, unknown>;
  log('again', error, name, kind);
}
