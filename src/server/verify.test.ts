import t from 'tap';
import { TransportError } from '../util/errors.js';
import { Problem } from './problem.js';
import { verify } from './verify.js';

const TOKEN = 'a-session-token';

t.test('what the hook says is what counts, at once or later', async (t) => {
  const anna = { playerId: 'anna', role: 'healer' };
  t.equal(await verify(() => anna, TOKEN), anna);
  t.equal(await verify(async () => anna, TOKEN), anna);
  t.equal(await verify(() => null, TOKEN), null);
});

t.test('a hook that never settles is a refusal with a time to come back', async (t) => {
  const error = await verify(() => new Promise(() => {}), TOKEN, 5).catch((it: unknown) => it);
  t.type(error, Problem);
  t.match(error, { status: 503, code: 'unverifiable', retryAfterS: 5 });
});

t.test('a hook that says that it cannot tell is a refusal with a time to come back', async (t) => {
  const hook = async () => {
    throw new TransportError('unverifiable', `no answer for ${TOKEN}`);
  };
  const error = await verify(hook, TOKEN).catch((it: unknown) => it);
  t.match(error, { status: 503, code: 'unverifiable', retryAfterS: 5, why: /no answer for/ });
  t.notMatch((error as { why: string }).why, TOKEN);
});

t.test('an answer that comes too late, good or bad, is nobody’s any more', async (t) => {
  let settle: (end: Promise<null>) => void = () => {};
  const late = new Promise<null>((resolve) => {
    settle = resolve;
  });
  await t.rejects(
    verify(() => late, TOKEN, 5),
    { code: 'unverifiable' },
  );
  settle(Promise.reject(new Error('too late')));
  await new Promise((resolve) => setImmediate(resolve));
  t.pass('no unhandled rejection');
});

t.test('a hook that throws, or resolves no session, fails without the token', async (t) => {
  const hooks = [
    () => {
      throw new Error(`no answer for ${TOKEN}`);
    },
    async () => Promise.reject(new Error(`no answer for ${TOKEN}`)),
    async () => Promise.reject(null),
    async () => `session of ${TOKEN}`,
    () => undefined,
    () => 5,
  ];
  for (const hook of hooks) {
    const error = await verify(hook as never, TOKEN).catch((it: unknown) => it);
    t.match(error, { message: /^verifySession failed: / });
    t.notMatch(String(error), TOKEN);
  }
});
