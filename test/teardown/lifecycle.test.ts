import t from 'tap';
import { openPair, openServer } from './peers.js';
import { preparePrograms, runProgram } from './run-program.js';

const folder = preparePrograms(t.testdir());

const THROWN = ['caught number 1', 'caught number 2', 'caught number 3', 'echoed'];

/** Each is a program that ends by itself: what it says, and its exit code. */
const expected: [title: string, program: string, lines: string[], code?: number][] = [
  ['a closed endpoint does not hold the process', 'closed', ['closed']],
  ['an open endpoint holds the process', 'open', ['ticked']],
  ['an unreferenced endpoint does not hold the process', 'unref', ['unreferenced']],
  ['a process may exit without a close', 'exit', ['exiting'], 3],
  ['what a handler throws is an uncaught exception and the endpoint lives on', 'throws', THROWN],
  ['ticks go on after handlers that threw', 'throwsInTick', ['caught tick 1', 'caught tick 2']],
  ['microtasks run behind each wake', 'microtasks', ['microtask']],
  ['an endpoint that nobody refers to outlives the garbage collector', 'forgotten', ['echoed']],
  ['a closed endpoint is collected with its memory', 'collected', ['held', 'collected']],
  ['a closed endpoint leaves no handle', 'resources', ['nothing left', '0 threads more']],
];

for (const options of ['{}', '{"threads":2}']) {
  for (const [title, program, lines, code = 0] of expected) {
    t.test(`${title}: ${options}`, async (t) => {
      const outcome = await runProgram(folder, 'lifecycle', [program, options], ['--expose-gc']);
      t.equal(outcome.code, code);
      t.same(outcome.lines, lines, outcome.errors);
    });
  }
}

t.test('a throwing handler that nobody catches ends the process with its error', async (t) => {
  const outcome = await runProgram(folder, 'lifecycle', ['uncaught']);
  t.equal(outcome.code, 1);
  t.match(outcome.errors, /nobody listens/);
});

t.test('close works inside a wake, in the middle of a batch, and twice', async (t) => {
  const { server, client, atClient } = await openPair();
  for (let i = 0; i < 100; i++) client.send(atClient, new Uint8Array(50));
  let polled = 0;
  const closed = new Promise<void>((resolve) => {
    server.onTurn = () => {
      polled = server.payloads.length;
      server.endpoint.close();
      server.endpoint.close();
      t.equal(server.endpoint.drain(), 0, 'a closed endpoint has nothing');
      t.equal(server.endpoint.flush(), 0);
      resolve();
    };
  });
  client.endpoint.flush();
  await closed;
  t.ok(polled > 0);
  t.equal(server.endpoint.isClosed, true);
  t.throws(() => server.endpoint.connect(new Uint8Array(2048)), { code: 'closed' });
  t.equal(server.endpoint.flowAddress(0, 1), null);
  t.ok(server.endpoint.address().port > 0, 'the address is still told');
  server.endpoint.setTickIntervalUs(1000);
  server.endpoint.unref();
  server.endpoint.ref();
  await client.until(() => client.closed.length === 1);
  t.equal(client.closed[0].reason, 1, 'the server said goodbye');
  client.endpoint.close();
});

t.test('close sends what was committed before it', async (t) => {
  const { server, client, atClient } = await openPair();
  for (let i = 0; i < 40; i++) client.send(atClient, new Uint8Array([i]));
  client.endpoint.close();
  await server.until(() => server.closed.length === 1);
  t.equal(server.payloads.length, 40);
  server.endpoint.close();
});

t.test('a hundred endpoints open and close without holding on to anything', async (t) => {
  const { readdirSync } = await import('node:fs');
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const rounds = () => {
    for (let i = 0; i < 100; i++) {
      openServer({ rings: { rxArenaBytes: 16384, txArenaBytes: 16384 } }).server.endpoint.close();
    }
  };
  rounds();
  // The sockets go in libuv's close callbacks, so the count comes down within a few rounds.
  const settled = async (limit: number) => {
    for (let round = 0; round < 1000 && descriptors() > limit; round++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return descriptors();
  };
  const before = await settled(60);
  t.ok(before <= 60, `${before} descriptors`);
  rounds();
  t.equal(await settled(before), before);
});
