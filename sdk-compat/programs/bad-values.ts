import type { Client } from '../../src/index.js';
import { type Messages, registry } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const cycle: Record<string, unknown> = {};
cycle.self = cycle;

const MESSAGES: [string, unknown][] = [
  ['echo', cycle],
  ['echo', 10n],
  ['echo', () => 1],
  ['echo', Symbol('s')],
  ['echo', { deep: { inside: 10n } }],
  ['echo', JSON.parse('{"__proto__": 1}')],
  ['echo', JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`)],
  ['', 1],
  ['$hello', 1],
  ['GameEvent', null],
  ['GameEvent', []],
  ['GameEvent', { tick: -1 }],
  ['GameEvent', { tick: 2 ** 32 }],
  ['GameEvent', { tick: '1' }],
  ['GameEvent', { tick: 1.5 }],
  ['GameEvent', { direction: 2 }],
  ['GameEvent', { kind: 8 }],
  ['GameEvent', { x: Number.NaN }],
  ['Kitchen', {}],
  ['Kitchen', { title: 1 }],
  ['Input', { inputs: [{}, {}, {}, {}] }],
  ['Snapshot', { players: [{ health: 61 }] }],
];
const OPTIONS = [
  { expiresMs: -1 },
  { key: 0 },
  { redundancy: 4 },
  { receipt: 2 ** 31 },
  { expiresMs: 50 },
  { key: 1 },
  { expireMs: 50 },
  null,
];

/** Every refusal is a typed error with a stable code that names the place; nothing else happens. */
export async function badValues(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  for (const [type, value] of MESSAGES) {
    log('message', type, await outcome(() => game.send(type, value as never) !== 'full'));
  }
  for (const options of OPTIONS) {
    log('options', options, await outcome(() => game.send('echo', 1, options as never) !== 'full'));
  }
  game.send('fail', null);
  game.send('echo', 'goes on');
  log('after', await game.readMessage(), game.state);
  await game.close();
}
