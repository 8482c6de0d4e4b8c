import { Client, type DialGameOptions } from '../../src/index.js';
import type { Messages } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

/** Dials that cannot succeed tell why, in the same words on both wires; afterwards one succeeds. */
export async function dialling(client: Client, address: string, log: Log): Promise<void> {
  const dial = (to: unknown, options?: DialGameOptions<Messages>) =>
    outcome(() => client.dialGame<Messages>(to as string, options));
  for (const to of ['', 'no spaces here', 'ftp://127.0.0.1', 'http://', null, 7, {}]) {
    log('address', to, await dial(to, { sessionToken: 'anna' }));
  }
  for (const baseUrl of ['http://no spaces here', 'ws://127.0.0.1', 'http://a?b']) {
    log('base', baseUrl, await outcome(() => new Client({ apiKey: 'k', baseUrl }).session));
  }
  log('session', await dial(address));
  log('session', await dial(address, { sessionToken: () => Promise.reject(new Error('no')) }));
  for (const options of [
    { sessionToken: 5 },
    { sessionTokens: 'anna' },
    { signal: 'soon' },
    { registry: {} },
    { channels: { 40: {} } },
  ]) {
    log('options', options, await dial(address, options as never));
  }
  const signal = AbortSignal.abort();
  log('aborted', await dial(address, { sessionToken: 'anna', signal }));
  const anna = await client.dialGame<Messages>({ address }, { sessionToken: async () => 'anna' });
  anna.send('busy', true);
  anna.send('echo', 'set');
  await anna.readMessage();
  log('busy', ((await dial(address, { sessionToken: 'berta' })) as { code: string }).code);
  anna.send('busy', false);
  anna.send('echo', 'lifted');
  await anna.readMessage();
  const berta = await client.dialGame<Messages>(address, { sessionToken: 'berta' });
  log('then', berta.playerId, berta.state);
  await Promise.all([anna.close(), berta.close()]);
}
