import type { Client } from '../../src/index.js';
import type { Messages } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const VALUES: unknown[] = [
  null,
  true,
  0,
  -0,
  -1.5,
  1e300,
  5e-324,
  Number.MAX_SAFE_INTEGER,
  '',
  'plain',
  'ä€😀 \u0000 \u2028 "quoted" \\',
  [],
  [1, [2, [3, []]], null],
  {},
  { a: { b: { c: [1, 2, { d: 'e' }] } }, 'with space': 1, constructor: 2 },
  { gone: undefined, kept: 1, inArray: [undefined] },
  new Date(86_400_000),
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '\ud800 half a pair',
];

/** Messages nobody registered: JSON values come back as they went. */
export async function untypedValues(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { sessionToken: 'anna' });
  log('player', game.playerId, game.state);
  for (const value of VALUES) {
    const sent = await outcome(() => game.send('echo', value) !== 'full');
    log('echo', sent);
    if ('result' in (sent as object)) log('echo', await game.readMessage());
  }
  await game.close();
  log('player', game.state, await game.closed);
}
