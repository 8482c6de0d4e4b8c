import t from 'tap';
import { GameEvent } from '../messages/generated/index.js';
import { Dispatcher } from './dispatcher.js';
import type { Meta } from './types.js';

const META: Meta = { wire: 'udp', mode: 3, channel: 3, ageMs: 0 };
const VALUE = GameEvent.normalize({ tick: 1, actor: 2 }, false);

/** Both ways in: FlatBuffers bytes and a value. */
const WAYS = {
  bytes(dispatcher: Dispatcher<null>): boolean {
    const bytes = new Uint8Array(256);
    const length = GameEvent.encode(VALUE, bytes, 0, bytes.length);
    return dispatcher.dispatchBytes(null, GameEvent, bytes, 0, length, META);
  },
  value(dispatcher: Dispatcher<null>): boolean {
    return dispatcher.dispatchValue(null, GameEvent.name, GameEvent, VALUE, META);
  },
};

for (const [way, dispatch] of Object.entries(WAYS)) {
  for (const kind of ['on', 'onView'] as const) {
    t.test(`${way}, ${kind}: a handler that removes itself took the message`, async (t) => {
      const dispatcher = new Dispatcher<null>((error) => t.error(error));
      const remove = dispatcher[kind](GameEvent.name, () => remove());
      t.equal(dispatch(dispatcher), true);
      t.equal(dispatch(dispatcher), false, 'nobody is there any more');
    });

    t.test(`${way}, ${kind}: whoever was there hears it, whatever others do`, async (t) => {
      const dispatcher = new Dispatcher<null>((error) => t.error(error));
      const heard: string[] = [];
      const remove = dispatcher[kind](GameEvent.name, () => {
        heard.push('first');
        remove();
        removeThird();
        dispatcher[kind](GameEvent.name, () => heard.push('new'));
      });
      dispatcher[kind](GameEvent.name, () => heard.push('second'));
      const removeThird = dispatcher[kind](GameEvent.name, () => heard.push('third'));
      t.equal(dispatch(dispatcher), true);
      t.same(heard, ['first', 'second', 'third']);
      t.equal(dispatch(dispatcher), true);
      t.same(heard.slice(3), ['second', 'new']);
    });
  }
}
