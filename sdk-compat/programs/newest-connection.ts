import type { Client } from '../../src/index.js';
import type { Messages } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

/** The newer connection of a player wins; the older one ends with a normal close and stays away. */
export async function newestConnection(client: Client, address: string, log: Log): Promise<void> {
  const dial = () => client.dialGame<Messages>(address, { sessionToken: 'anna' });
  const first = await dial();
  const reading = outcome(() => first.readMessage());
  const second = await dial();
  log('first', await first.closed, first.state, await reading);
  log('first', await outcome(() => first.send('echo', 1)));
  second.send('echo', 'mine');
  log('second', second.state, await second.readMessage());
  const third = await dial();
  log('second', await second.closed, second.state);
  third.send('echo', 'still mine');
  log('third', third.state, await third.readMessage());
  await first.close();
  await third.close(4000, 'bye');
  const witness = await client.dialGame<Messages>(address, { sessionToken: 'witness' });
  witness.send('diary of', 'anna');
  log('diary', await witness.readMessage());
  await witness.close();
}
