import type { Client } from '../../src/index.js';
import { type Messages, registry } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const TEN = Array.from({ length: 10 }, (_, i) => i);

/** readMessage, iteration, handlers and abort signals share one stream without loss or doubles. */
export async function reading(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  game.send('burst', { type: 'echo', values: TEN });
  const abort = new AbortController();
  const first = game.readMessage();
  const second = outcome(() => game.readMessage({ signal: abort.signal }));
  abort.abort();
  log('aborted', await second);
  log('read', await first);
  log('read', await Promise.all([game.readMessage(), game.readMessage()]));
  for await (const message of game) {
    log('iterated', message);
    if (message.value === 5) break;
  }
  // A handler that comes late gets what is unread, in order, before what follows.
  const late: unknown[] = [];
  const all = new Promise<void>((resolve) => {
    const remove = game.on('echo', (value) => {
      late.push(value);
      if (late.length < 14) return;
      remove();
      resolve();
    });
  });
  game.send('burst', { type: 'echo', values: TEN });
  await all;
  log('late handler', late);
  game.send('echo', 'to the reader again');
  log('read', await game.readMessage());
  const unsubscribe = game.on('shout', () => log('shout', 'never'));
  unsubscribe();
  game.send('shout', { text: 'hello' });
  log('read', [(await game.readMessage()).type, (await game.readMessage()).type].sort());
  const pending = outcome(() => game.readMessage());
  await game.close(4000, 'enough');
  log('pending', await pending);
}
