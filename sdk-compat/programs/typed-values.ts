import type { Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const LEAF = { label: 'leaf', weight: 0.3 };
const OUTER = { small: 255, inner: { on: true, wide: 0.1, sparse: -100 }, tail: -7 };
const FULL = {
  flag: false,
  i8: -128,
  u8: 255,
  i32: -(2 ** 31),
  u32: 2 ** 32 - 1,
  f32: 0.1,
  f64: 0.1,
  wide: 4_000_000_000,
  bits: 0x80000001,
  maybeInt: 0,
  outer: OUTER,
  text: 'ä€😀',
  title: '',
  bytes: [0, 1, 255],
  flags: [true, false],
  doubles: [-0, 1e-320],
  singles: [1 / 3],
  words: ['', 'two'],
  must: LEAF,
  nodes: [{ value: 1, children: [{ value: 2, children: [], leaf: LEAF }] }],
};

/** Registered messages: the receiver gets the same value whatever carried it, floats rounded alike. */
export async function typedValues(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  const plain = TYPES.Kitchen.normalize({ outer: OUTER, title: 't', must: LEAF }, false);
  let came = 0;
  const all = new Promise<void>((resolve) => {
    for (const type of ['Kitchen', 'GameEvent']) {
      game.on(type, (value, meta) => {
        log(type, value, meta.mode, meta.channel);
        if (++came === 5) resolve();
      });
    }
  });
  game.onView<{ tick: number; x: number }>('GameEvent', (view) => log('view', view.tick, view.x));
  log('sent', await outcome(() => game.send('Kitchen', plain) !== 'full'));
  log('sent', await outcome(() => game.send('Kitchen', FULL as never) !== 'full'));
  for (const value of [
    { tick: 1, actor: 65_535, x: 1 / 3, y: -0, charge: 1, unknown: 'stripped' },
    { tick: 2 ** 32 - 1, kind: 7, direction: -1, damage: 60, x: 3.4e38, y: 1e-45 },
    { tick: 3, x: 16_777_217 },
  ]) {
    log('sent', await outcome(() => game.send('GameEvent', value as never) !== 'full'));
  }
  game.send('echo', 'last');
  log('end', await game.readMessage());
  await all; // on channels of their own
  await game.drained();
  game.send('burst', { type: 'MatchEvent', values: [{ tick: 9 }, { tick: 1, round: 255 }] });
  log('MatchEvent', await game.readMessage(), await game.readMessage());
  await game.close();
}
