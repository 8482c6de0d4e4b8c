import t from 'tap';
import { AnonymousAuth, isForbidden, isNotFound, isUnauthorized } from '../../src/sdk/index.js';
import { bodyOf, clientOf, errorOf, start, startLoggedIn } from './support.js';

const ADDR = { ip: '203.0.113.7', port: 7000 };

t.test('a game server verifies whom a token belongs to; whatever is wrong is 401', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const server = clientOf(launch, { apiKey: launch.secretKey }).server;
  const { accessToken, playerId } = client.session as { accessToken: string; playerId: number };
  t.match(await server.verifySession(accessToken), { playerId, email: 'anna@example.com' });
  t.equal(launch.requests.at(-1)?.headers['x-session-token'], undefined);
  t.ok(isUnauthorized(await errorOf(server.verifySession('forged'))));
  await t.rejects(server.verifySession(''), { code: 'bad-option' });
  t.ok(isForbidden(await errorOf(client.server.verifySession(accessToken))), 'a publishable key');
});

t.test('a heartbeat puts a game server on its fleet’s list', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const { server } = clientOf(launch, { apiKey: launch.secretKey });
  const heartbeat = {
    agonesName: 'gs-1',
    fleet: 'arena',
    address: '203.0.113.7:7777',
    maxPlayers: 8,
  };
  await server.fleetHeartbeat({ ...heartbeat, currentPlayers: 3 });
  t.same(bodyOf(launch.requests.at(-1) as never), {
    agones_name: 'gs-1',
    fleet: 'arena',
    address: '203.0.113.7:7777',
    max_players: 8,
    current_players: 3,
    region: '',
    name: '',
    game_mode: '',
    level: '',
    version: '',
  });
  const [listed] = await client.fleets.listServers('arena');
  t.match(listed, { address: '203.0.113.7:7777', currentPlayers: 3, maxPlayers: 8 });
  t.same(await client.fleets.listServers('empty'), []);
  for (const lacking of [{ agonesName: '' }, { fleet: '' }, { address: '' }, { maxPlayers: 0 }]) {
    await t.rejects(server.fleetHeartbeat({ ...heartbeat, ...lacking }), { code: 'bad-option' });
  }
});

t.test('health is asked without any credentials', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  t.same(await client.health.get(), { status: 'ok', version: 'v1', commit: 'fake' });
  const { headers } = launch.requests.at(-1) as { headers: Record<string, unknown> };
  t.equal(headers.authorization, undefined);
  t.equal(headers['x-session-token'], undefined);
});

t.test('a game session from its making to its end', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const guest = clientOf(launch);
  await guest.login(new AnonymousAuth());
  const made = await client.gameSessions.create({ publicAddr: ADDR, props: { mapName: 'x' } });
  t.match(made, { sessionId: String, joinCode: String, expiresAt: Date });
  t.match(made.peers, [{ playerId: client.session?.playerId, addr: ADDR }]);
  t.same(bodyOf(launch.requests.at(-1) as never), { public_addr: ADDR, props: { mapName: 'x' } });
  t.equal(await guest.gameSessions.resolve(made.joinCode), made.sessionId);
  t.equal(launch.requests.at(-1)?.query, `joinCode=${made.joinCode}`);
  const listed = [];
  for await (const session of guest.gameSessions.all()) listed.push(session);
  t.match(listed, [{ sessionId: made.sessionId, playerCount: 1, createdAt: Date }]);
  const joined = await guest.gameSessions.join(made.sessionId, { ip: '203.0.113.8', port: 7001 });
  t.equal(joined.peers.length, 2);
  t.equal((await client.gameSessions.get(made.sessionId)).peers.length, 2);
  t.equal((await client.gameSessions.heartbeat(made.sessionId)).length, 2);
  t.same(bodyOf(launch.requests.at(-1) as never), {});
  await client.gameSessions.heartbeat(made.sessionId, { qos: { rttMs: 20 } });
  t.same(bodyOf(launch.requests.at(-1) as never), { qos: { rttMs: 20 } });
  await guest.gameSessions.leave(made.sessionId);
  t.equal((await client.gameSessions.heartbeat(made.sessionId)).length, 1);
  t.ok(isNotFound(await errorOf(client.gameSessions.get('no/such'))));
  t.equal(launch.requests.at(-1)?.path, '/v1/game-session/no%2Fsuch');
});

t.test('relay credentials, of a match too: 403 for those who are not in it', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  t.match(await client.relay.getCredentials(), {
    username: String,
    password: String,
    ttl: 600,
    realm: 'ggscale',
    urls: [/^turn:/],
    stunUrls: [/^stun:/],
  });
  t.equal(launch.requests.at(-1)?.query, '');
  t.ok(isForbidden(await errorOf(client.relay.getCredentials({ matchId: 'm 1' }))));
  t.equal(launch.requests.at(-1)?.query, 'match_id=m+1');
});

t.test(
  'scores are submitted by the player where that is allowed, else by the server',
  async (t) => {
    const boards = { leaderboards: [{ id: 1, clientSubmissions: true }, { id: 2 }] };
    const { launch, client } = await startLoggedIn(t, {}, boards);
    const playerId = client.session?.playerId as number;
    const { server } = clientOf(launch, { apiKey: launch.secretKey });
    await client.leaderboards.submit(1, 100, { metadata: { usedItem: 'x' } });
    t.ok(isForbidden(await errorOf(client.leaderboards.submit(2, 100))));
    await server.submitScore(playerId, 2, 250);
    const [best] = await client.leaderboards.top(1, { limit: 3 });
    t.match(best, { playerId, score: 100, metadata: { usedItem: 'x' } });
    t.equal(launch.requests.at(-1)?.query, 'limit=3');
    t.match(await client.leaderboards.top(2), [{ playerId, score: 250 }]);
    await t.rejects(server.submitScore(0, 2, 1), { code: 'bad-option' });
  },
);

t.test('pages are read one after the other; a cursor that comes again ends them', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const page = (key: string, next_cursor: string) => ({
    status: 200,
    body: { items: [{ key, version: 1, updated_at: '2026-01-01T00:00:00Z' }], next_cursor },
  });
  launch.answer('GET /v1/storage/objects', page('a', 'c1'), { times: 1 });
  launch.answer('GET /v1/storage/objects', page('b', 'c2'), { times: 1 });
  launch.answer('GET /v1/storage/objects', page('c', 'c1'));
  const keys: string[] = [];
  for await (const { key } of client.storage.all({ keyPrefix: 'save/', limit: 1 })) keys.push(key);
  t.same(keys, ['a', 'b', 'c']);
  const queries = launch.requestsTo('GET /v1/storage/objects').map(({ query }) => query);
  t.same(queries, [
    'key_prefix=save%2F&limit=1',
    'cursor=c1&key_prefix=save%2F&limit=1',
    'cursor=c2&key_prefix=save%2F&limit=1',
  ]);
});

t.test('the thin services: method, path and body of each call', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const { auth, friends, leaderboards, presence, profile, storage } = client;
  const calls: [string, () => Promise<unknown>, unknown?][] = [
    ['POST /v1/auth/signup', () => auth.signup('e', 'p'), { email: 'e', password: 'p' }],
    ['POST /v1/auth/verify', () => auth.verify('e', 'c'), { email: 'e', code: 'c' }],
    ['POST /v1/auth/verify/resend', () => auth.resendVerification('e'), { email: 'e' }],
    ['POST /v1/auth/password-reset', () => auth.requestPasswordReset('e'), { email: 'e' }],
    [
      'POST /v1/auth/password-reset/confirm',
      () => auth.confirmPasswordReset('e', 'c', 'n'),
      { email: 'e', code: 'c', new_password: 'n' },
    ],
    ['POST /v1/auth/link', () => auth.linkEmail('e', 'p'), { email: 'e', password: 'p' }],
    ['POST /v1/auth/link/steam', () => auth.linkSteam('ab'), { ticket: 'ab' }],
    [
      'POST /v1/auth/password',
      () => auth.changePassword('o', 'n'),
      { current_password: 'o', new_password: 'n' },
    ],
    ['GET /v1/friends', () => friends.list({ status: 'pending' })],
    ['POST /v1/friends/5/request', () => friends.request(5)],
    ['POST /v1/friends/5/accept', () => friends.accept(5)],
    ['POST /v1/friends/5/reject', () => friends.reject(5)],
    ['POST /v1/friends/5/block', () => friends.block(5)],
    ['POST /v1/friends/5/unblock', () => friends.unblock(5)],
    ['DELETE /v1/friends/5', () => friends.remove(5)],
    ['GET /v1/leaderboards', () => leaderboards.list()],
    ['GET /v1/leaderboards/3/around-me', () => leaderboards.aroundMe(3, { radius: 2 })],
    ['GET /v1/leaderboards/3/friends', () => leaderboards.friends(3)],
    ['PUT /v1/presence', () => presence.set('online'), { status: 'online', session_id: null }],
    ['GET /v1/profile', () => profile.get()],
    ['PATCH /v1/profile', () => profile.update({ displayName: 'A' }), { display_name: 'A' }],
    ['POST /v1/profile/friend-code', () => profile.regenerateFriendCode()],
    ['GET /v1/storage/objects/a%20b', () => storage.get('a b')],
    ['PUT /v1/storage/objects/a%20b', () => storage.put('a b', undefined), null],
    ['DELETE /v1/storage/objects/a%20b', () => storage.delete('a b')],
    [
      'POST /v1/auth/delete/cancel',
      () => auth.cancelDelete('e', 'p'),
      { email: 'e', password: 'p' },
    ],
    ['POST /v1/auth/disable', () => auth.disable('p'), { password: 'p' }],
  ];
  for (const [route, call, body] of calls) {
    launch.answer(route as 'GET /', { status: 200, body: {} });
    await call();
    const sent = launch.requests.at(-1) as (typeof launch.requests)[number];
    t.equal(`${sent.method} ${sent.path}`, route);
    t.same(sent.body.length === 0 ? undefined : bodyOf(sent), body, route);
  }
  t.equal(client.session, null, 'a player who is disabled is logged out');
});

t.test('without a session only the key is shown', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('POST /v1/auth/signup', { status: 202 });
  await client.auth.signup('e', 'p');
  t.equal(launch.requests[0].headers['x-session-token'], undefined);
  t.equal(launch.requests[0].headers.authorization, `Bearer ${launch.publishableKey}`);
});

t.test('what is no part of a path reaches no server', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const { server } = clientOf(launch, { apiKey: launch.secretKey });
  const before = launch.requests.length;
  for (const name of ['', '.', '..', undefined as never]) {
    await t.rejects(client.storage.put(name, 1), { code: 'bad-option' });
    await t.rejects(client.storage.delete(name), { code: 'bad-option' });
    await t.rejects(client.gameSessions.leave(name), { code: 'bad-option' });
    await t.rejects(client.fleets.listServers(name), { code: 'bad-option' });
  }
  for (const id of [0, -1, 1.5, 2 ** 53, Number.NaN, '1/../2' as never]) {
    await t.rejects(client.matchmaker.cancelTicket(id), { code: 'bad-option' });
    await t.rejects(client.friends.block(id), { code: 'bad-option' });
    await t.rejects(client.leaderboards.top(id), { code: 'bad-option' });
    await t.rejects(server.submitScore(id, 1, 2), { code: 'bad-option' });
    await t.rejects(server.submitScore(1, id, 2), { code: 'bad-option' });
  }
  t.equal(launch.requests.length, before);
});
