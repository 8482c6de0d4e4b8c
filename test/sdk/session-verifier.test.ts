/** `client.server.sessionVerifier()` as a game server's `verifySession`. */
import t from 'tap';
import { plainText, problem } from '../../sdk-compat/launch/answers.js';
import { AnonymousAuth, GGScaleError } from '../../src/sdk/index.js';
import { listen } from '../game/support.js';
import { clientOf, errorOf, start, startLoggedIn } from './support.js';

const VERIFY = 'POST /v1/server/player-sessions/verify';

t.test(
  'a player is told by text, with what else the API knows; a session that is over is null',
  async (t) => {
    const { launch, client } = await startLoggedIn(t);
    const verify = clientOf(launch, { apiKey: launch.secretKey }).server.sessionVerifier();
    const { accessToken, playerId } = client.session as NonNullable<typeof client.session>;
    const external = launch.accounts.find(playerId)?.externalId;
    t.same(await verify(accessToken), {
      playerId: String(playerId),
      externalId: external,
      email: 'anna@example.com',
    });
    t.equal(await verify(`${accessToken}x`), null);
    launch.accounts.revoke(playerId);
    t.equal(await verify(accessToken), null);
  },
);

t.test('an API that cannot tell now refuses nobody', async (t) => {
  const { launch } = await start(t);
  const verify = clientOf(launch, { apiKey: launch.secretKey }).server.sessionVerifier();
  for (const status of [408, 429, 500, 503]) {
    launch.answer(VERIFY, problem(status, 'not now'), { times: 1 });
    const error = await errorOf(verify('token'));
    t.match(error, { name: 'TransportError', code: 'unverifiable', cause: { status } });
  }
  launch.answer(VERIFY, 'drop', { times: 1 });
  t.match(await errorOf(verify('token')), {
    code: 'unverifiable',
    cause: { name: 'RequestError', kind: 'connect' },
  });
});

t.test('a player whose id cannot be told from another’s is none', async (t) => {
  const { launch } = await start(t);
  const { server } = clientOf(launch, { apiKey: launch.secretKey });
  for (const body of ['{}', '{"player_id":"5"}', '{"player_id":9007199254740993}', 'null']) {
    launch.answer(VERIFY, { status: 200, body }, { times: 2 });
    t.match(await errorOf(server.verifySession('token')), { kind: 'decode' }, body);
    t.match(await errorOf(server.sessionVerifier()('token')), { code: 'unverifiable' }, body);
  }
});

t.test('a key that is wrong is nobody’s session that is over', async (t) => {
  const { launch } = await start(t);
  for (const [apiKey, status] of [
    ['ggs_unknown', 401],
    [launch.publishableKey, 403],
  ] as const) {
    const error = await errorOf(clientOf(launch, { apiKey }).server.sessionVerifier()('token'));
    t.type(error, GGScaleError);
    t.equal(error.status, status);
  }
});

t.test('a game server lets in, refuses and puts off as the API says', async (t) => {
  const lines: string[] = [];
  const log = (fields: object, message: string) =>
    lines.push(`${message} ${JSON.stringify(fields)}`);
  const { launch, client } = await start(t);
  const backend = clientOf(launch, { apiKey: launch.secretKey });
  const server = await listen({
    udp: false,
    verifySession: backend.server.sessionVerifier(),
    logger: { info() {}, warn: log, error: log },
  });
  t.teardown(() => server.close());
  const { accessToken, playerId } = await client.login(new AnonymousAuth());
  const ask = async (token: string) => {
    const response = await fetch(`http://127.0.0.1:${server.http.port}/v1/game/ticket`, {
      method: 'POST',
      body: '{}',
      headers: { 'Content-Type': 'application/json', 'X-Session-Token': token },
    });
    const { code } = (await response.json()) as { code?: string };
    return [response.status, code, response.headers.get('retry-after')];
  };
  const game = await client.dialGame(`127.0.0.1:${server.http.port}`);
  t.equal(game.playerId, String(playerId));
  t.match(server.players.get(game.playerId)?.session, { externalId: /^anon_/ });
  await game.close();
  t.same(await ask('nobody'), [401, 'unauthenticated', null]);
  launch.answer(VERIFY, plainText(503, 'too busy'), { times: 2 });
  t.same(await ask(accessToken), [503, 'unverifiable', '5']);
  t.same(await ask(accessToken), [503, 'unverifiable', '5']);
  t.equal(lines.length, 1, 'told once, not each time');
  t.match(lines[0], /^verifySession gave no answer .*HTTP 503: too busy/);
  launch.revokeKey(launch.secretKey);
  t.same(await ask(accessToken), [500, 'internal', null]);
  t.match(lines[1], /^request failed .*HTTP 403: forbidden/);
  t.notMatch(lines.join(), accessToken);
});
