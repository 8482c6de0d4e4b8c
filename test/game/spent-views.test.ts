/** Views that are used after their handler returned are noticed in development, on both wires. */
import t from 'tap';
import { Input, type InputFrameView, type InputView } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { dial, listen, until, WIRES } from './support.js';

const frame = (seq: number) => ({ seq, clientMs: 0, actions: 0, direction: 0 });
const SPENT = { code: 'view-spent', message: /after its handler had returned/ };

for (const wire of WIRES) {
  const udp = wire === 'udp' ? {} : (false as const);

  t.test(`${wire}: a server in development notices a view that was kept`, async (t) => {
    const registry = createRegistry({ Input });
    const server = await listen({ registry, udp });
    t.teardown(() => server.close());
    const views: InputView[] = [];
    const frames: InputFrameView[] = [];
    const seqs: number[] = [];
    server.onView('Input', (_player, view) => {
      for (let i = 0; i < view.inputsLength; i++) seqs.push(view.inputs(i).seq);
      views.push(view);
      frames.push(view.inputs(0));
    });
    const lateErrors: unknown[] = [];
    server.onError((error) => lateErrors.push(error));
    server.onView('Input', async (_player, view) => {
      const { inputsLength } = view;
      await null;
      t.fail(`after the await it still says ${view.inputs(inputsLength - 1).seq}`);
    });
    const connection = await dial(server, wire, 'anna', registry);
    connection.send('Input', { inputs: [frame(1), frame(2)] });
    await until(() => lateErrors.length === 1, 'the first message');
    t.throws(() => views[0].inputs(0).seq, SPENT);
    t.throws(() => frames[0].seq, SPENT, 'what it handed out, too');
    t.match(lateErrors[0], SPENT, 'an async handler has returned at its first await');
    connection.send('Input', { inputs: [frame(3)] });
    await until(() => lateErrors.length === 2, 'the second message');
    t.same(seqs, [1, 2, 3], 'handlers read every message');
    await connection.close();
  });

  t.test(`${wire}: a client notices with a strict registry, and only then`, async (t) => {
    for (const strict of [true, false]) {
      const registry = createRegistry({ Input }, { strict });
      const server = await listen({ registry, udp });
      t.teardown(() => server.close());
      const connection = await dial(server, wire, 'anna', registry);
      const views: InputView[] = [];
      connection.onView('Input', (view) => void views.push(view));
      server.broadcast('Input', { inputs: [frame(7)] });
      await until(() => views.length === 1, 'the view');
      if (strict) t.throws(() => views[0].inputs(0).seq, SPENT);
      else t.doesNotThrow(() => views[0].inputs(0).seq);
      t.throws(() => connection.onView('Input', 5 as never), { code: 'bad-option' });
      await connection.close();
    }
  });
}
