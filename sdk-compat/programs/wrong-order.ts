import type { Client } from '../../src/index.js';
import { type Messages, registry } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

/** Calls that make no sense, or come too late: typed errors, or what is still true. */
export async function wrongOrder(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  log('handlers', await outcome(() => game.on('echo', undefined as never)));
  log('handlers', await outcome(() => game.onView('unregistered', () => {})));
  log('handlers', await outcome(() => game.onReceipt(5 as never)));
  log('switch', await outcome(() => game.switchTo('tcp' as never)));
  const aborted = { signal: AbortSignal.abort() };
  log('read', await outcome(() => game.readMessage(aborted)));
  game.send('note', 'one');
  const closing = game.close();
  log('closing', game.state, await outcome(() => game.send('note', 'two')));
  log('closing', await outcome(() => game.switchTo('json-ws')));
  await closing;
  log('closed', game.state, await outcome(() => game.send('note', 'three')));
  log('closed', await outcome(() => game.send('note', 10n)));
  log('closed', await outcome(() => game.readMessage()));
  log('closed', await outcome(() => game.switchTo('json-ws')));
  log('closed', await outcome(() => game.drained()), await outcome(() => game.writable()));
  log('closed', game.budget(), Number.isFinite(game.serverTime()), game.playerId);
  const left = [];
  for await (const message of game) left.push(message);
  log('closed', left, await outcome(() => game.close()), await outcome(() => game.close(77)));
  log('closed', Object.keys(game.stats()).sort(), game.stats().messagesOut);
}
