import type { Client } from '../../src/index.js';
import { type Messages, registry } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

/** Around a packet, around pieces, at the limit and over it, of one byte and of three per character. */
const LENGTHS = [1, 1000, 1023, 1024, 1025, 1190, 1200, 16_383, 65_536, 200_000];
const LIMIT = 256 * 1024;

/** Messages of up to 256 KiB arrive whole; a larger one is refused and costs nothing else. */
export async function bigMessages(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  for (const length of LENGTHS) {
    game.send('echo', textOf(length));
    const { value } = await game.readMessage();
    log('echo', length, value === textOf(length));
  }
  for (const text of ['x'.repeat(LIMIT), '€'.repeat(LIMIT / 3)]) {
    log('over', await outcome(() => game.send('echo', text)));
  }
  const words = Array.from({ length: 4000 }, () => 'y'.repeat(100));
  const kitchen = { title: 't', outer: { inner: {} }, must: { label: 'l' }, words };
  log('over', await outcome(() => game.send('Kitchen', kitchen as never)));
  const boomerangs = Array.from({ length: 65 }, () => ({}));
  log('over', await outcome(() => game.send('Snapshot', { tick: 1, boomerangs } as never)));
  game.send('echo', 'goes on');
  log('after', await game.readMessage(), game.state);
  const limit = 'z'.repeat(LIMIT - 64);
  game.send('echo', limit);
  log('limit', (await game.readMessage()).value === limit);
  await game.close();
}

function textOf(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `${i},`;
  return text.slice(0, length);
}
