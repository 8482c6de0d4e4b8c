import t from 'tap';
import { plainText, problem } from '../../sdk-compat/launch/answers.js';
import {
  AnonymousAuth,
  isDeleteRequestedByTeam,
  isForbidden,
  type Session,
} from '../../src/sdk/index.js';
import { AT_ONCE, bodyOf, clientOf, errorOf, expireIn, start, startLoggedIn } from './support.js';

const REFRESH = 'POST /v1/auth/refresh';
const LIST = 'GET /v1/game-sessions';

t.test('without a session a player’s call is not sent', async (t) => {
  const { launch, client } = await start(t);
  await t.rejects(client.gameSessions.list(), { name: 'ErrNoSession', code: 'no-session' });
  t.same(launch.requests, []);
});

t.test('a token with 30 s left is used, one with less is refreshed first', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 60_000);
  await client.gameSessions.list();
  t.equal(launch.requestsTo(REFRESH).length, 0);
  expireIn(client, 29_000);
  const before = client.session as Session;
  await client.gameSessions.list();
  t.same(bodyOf(launch.requestsTo(REFRESH)[0]), { refresh_token: before.refreshToken });
  t.not(client.session?.accessToken, before.accessToken);
  const { headers } = launch.requestsTo(LIST)[1];
  t.equal(headers['x-session-token'], client.session?.accessToken);
});

t.test('ten callers, one refresh', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  await Promise.all(Array.from({ length: 10 }, () => client.gameSessions.list()));
  t.equal(launch.requestsTo(REFRESH).length, 1);
  const tokens = launch.requestsTo(LIST).map(({ headers }) => headers['x-session-token']);
  t.same(tokens, Array(10).fill(client.session?.accessToken));
});

t.test('a 401 refreshes once and tries once more, under one request id', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer(LIST, plainText(401, 'unauthorized'), { times: 1 });
  t.same(await client.gameSessions.list(), { items: [], nextCursor: '' });
  t.equal(launch.requestsTo(REFRESH).length, 1);
  const [first, second] = launch.requestsTo(LIST);
  t.not(first.headers['x-session-token'], second.headers['x-session-token']);
  t.equal(first.headers['x-request-id'], second.headers['x-request-id']);
});

t.test('a write is tried once more after a 401, too: it was not let in', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer('POST /v1/relay/credentials', plainText(401, 'unauthorized'), { times: 1 });
  t.equal((await client.relay.getCredentials()).realm, 'ggscale');
});

t.test('a second 401 is the caller’s', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer(LIST, plainText(401, 'unauthorized'));
  await t.rejects(client.gameSessions.list(), { name: 'GGScaleError', status: 401 });
  t.equal(launch.requestsTo(LIST).length, 2);
  t.equal(launch.requestsTo(REFRESH).length, 1);
});

t.test('ten calls that get 401 at once refresh once', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const stale = client.session?.accessToken;
  launch.answer(LIST, ({ headers }) =>
    headers['x-session-token'] === stale ? plainText(401, 'unauthorized') : undefined,
  );
  await Promise.all(Array.from({ length: 10 }, () => client.gameSessions.list()));
  t.equal(launch.requestsTo(REFRESH).length, 1);
});

t.test('when the refresh after a 401 is refused, the 401 is what is thrown', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer(LIST, plainText(401, 'token expired'));
  launch.answer(REFRESH, problem(401, 'invalid refresh'));
  const error = await errorOf(client.gameSessions.list());
  t.match(error, { status: 401, message: /token expired/ });
  t.equal(launch.requestsTo(LIST).length, 1);
});

t.test('a refresh that fails is its callers’ error, and the next call tries again', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  launch.answer(REFRESH, problem(503, 'not now'), { times: 1 });
  await t.rejects(client.gameSessions.list(), { name: 'GGScaleError', status: 503 });
  t.equal(launch.requestsTo(LIST).length, 0);
  await client.gameSessions.list();
  t.equal(launch.requestsTo(REFRESH).length, 2);
});

t.test('who gives up waiting for a refresh does not end it for the others', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  const impatient = new AbortController();
  launch.answer(REFRESH, () => {
    impatient.abort();
    return undefined;
  });
  const given = client.gameSessions.list({}, { signal: impatient.signal });
  const patient = client.gameSessions.list();
  await t.rejects(given, { name: 'RequestError', kind: 'canceled' });
  await patient;
  t.equal(launch.requestsTo(REFRESH).length, 1);
});

t.test('a refresh of who was logged in before is nothing to the next player', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const bert = await clientOf(launch).login(new AnonymousAuth());
  expireIn(client, 1000);
  let refuse = () => {};
  const refused = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  launch.answer(
    REFRESH,
    async () => {
      ask();
      await refused;
      return problem(401, 'invalid refresh');
    },
    { times: 1 },
  );
  const annas = errorOf(client.gameSessions.list());
  await asked;
  client.setSession({ ...bert, expiresAt: new Date() });
  await client.gameSessions.list();
  refuse();
  t.match(await annas, { status: 401 });
  t.equal(client.session?.playerId, bert.playerId);
  t.not(client.session?.refreshToken, bert.refreshToken);
  t.equal(launch.requestsTo(REFRESH).length, 2);
});

t.test('what one player has begun is not tried again as another', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const bert = await clientOf(launch).login(new AnonymousAuth());
  for (const route of [LIST, 'GET /v1/ws'] as const) {
    launch.answer(
      route,
      () => {
        client.setSession(bert);
        return plainText(401, 'unauthorized');
      },
      { times: 1 },
    );
  }
  const { session: anna } = client;
  t.match(await errorOf(client.gameSessions.list()), { name: 'GGScaleError', status: 401 });
  client.setSession(anna);
  t.match(await errorOf(client.dialRealtime()), { name: 'RealtimeDialError', status: 401 });
  t.equal(launch.requestsTo(LIST).length + launch.requestsTo('GET /v1/ws').length, 2);
});

t.test('a session without a refresh token is used as it is', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  client.setSession({ ...(client.session as Session), refreshToken: '' });
  expireIn(client, 1000);
  await client.gameSessions.list();
  launch.answer(LIST, plainText(401, 'unauthorized'));
  await t.rejects(client.gameSessions.list(), { name: 'GGScaleError', status: 401 });
  t.equal(launch.requestsTo(REFRESH).length, 0);
});

t.test('a logout while a refresh is under way stays a logout', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  launch.answer(REFRESH, () => {
    client.setSession(null);
    return undefined;
  });
  await t.rejects(client.gameSessions.list(), { name: 'ErrNoSession' });
  t.equal(client.session, null);
});

t.test('logging out while the session is refreshed revokes what comes of that', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  const { refreshToken } = client.session as Session;
  let loggingOut: Promise<void> | null = null;
  launch.answer(
    REFRESH,
    (_request, usual) => {
      loggingOut = client.auth.logout(refreshToken);
      return usual();
    },
    { times: 1 },
  );
  await client.gameSessions.list().catch(() => {});
  await loggingOut;
  t.equal(client.session, null);
  const { refresh_token: revoked } = bodyOf(launch.requestsTo('POST /v1/auth/logout')[0]) as {
    refresh_token: string;
  };
  t.not(revoked, refreshToken);
  t.match(await errorOf(client.auth.refresh(revoked)), { status: 401 });
});

t.test(
  'every session that is installed is told once, and what the hook throws is logged',
  async (t) => {
    const told: (number | null)[] = [];
    const warned: object[] = [];
    const { client } = await startLoggedIn(t, {
      onSessionUpdate(session) {
        told.push(session?.playerId ?? null);
        throw new Error('full disk');
      },
      logger: { info() {}, warn: (fields) => warned.push(fields) },
    });
    const playerId = client.session?.playerId as number;
    expireIn(client, 1000);
    await Promise.all([client.gameSessions.list(), client.gameSessions.list()]);
    client.setSession(null);
    t.same(told, [playerId, playerId, playerId, null], 'login, set, refresh, none');
    t.match(warned[0], { event: 'client.hook-failed', hook: 'onSessionUpdate', err: Error });
  },
);

t.test('a logger that throws ends nothing', async (t) => {
  const fail = () => {
    throw new Error('full disk');
  };
  const { launch, client } = await startLoggedIn(t, {
    onSessionUpdate: fail,
    logger: { info: fail, warn: fail },
    reconnectPolicy: AT_ONCE,
  });
  const realtime = await client.dialRealtime();
  launch.sockets[0].drop();
  await launch.realtime.accepted(2);
  launch.sockets[1].push('back');
  t.equal((await realtime.readMessage()).type, 'back');
  await realtime.close();
  launch.answer('GET /v1/ws', plainText(503, 'too many connections'));
  const request = { minCount: 1, maxCount: 1 };
  t.ok((await client.matchmaker.waitForMatch(request, { pollIntervalMs: 5 })).matchId);
});

t.test('requesting deletion logs out; the team’s request is known by its word', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const at = '2026-01-02T03:04:05Z';
  const body = { delete_requested_at: at, scheduled_purge_at: at };
  launch.answer('POST /v1/auth/delete', { status: 200, body });
  const pending = await client.auth.requestDelete('p');
  t.same(pending, { deleteRequestedAt: new Date(at), scheduledPurgeAt: new Date(at) });
  t.same(bodyOf(launch.requestsTo('POST /v1/auth/delete')[0]), { password: 'p' });
  t.equal(client.session, null);
  launch.answer('POST /v1/auth/delete/cancel', problem(403, 'delete_requested_by_team'));
  const refused = await errorOf(client.auth.cancelDelete('e', 'p'));
  t.ok(isDeleteRequestedByTeam(refused) && isForbidden(refused));
  t.equal(launch.requests.at(-1)?.headers['x-session-token'], undefined);
});

t.test('what a caller does to a session changes nothing in the client', async (t) => {
  const { client } = await startLoggedIn(t);
  const session = client.session as { accessToken: string; expiresAt: Date };
  session.accessToken = 'forged';
  session.expiresAt.setTime(0);
  t.not(client.session?.accessToken, 'forged');
  t.ok((client.session as Session).expiresAt.getTime() > Date.now());
});

t.test('sessions that are none are refused, tokens unseen', async (t) => {
  const { client } = await start(t);
  const good = await client.login(new AnonymousAuth());
  for (const bad of [5, {}, { ...good, playerId: 2 ** 53 }, { ...good, expiresAt: 'soon' }]) {
    t.throws(() => client.setSession(bad as never), { code: 'bad-option' });
  }
  const secret = { ...good, accessToken: { hunter2: 1 } };
  t.throws(() => client.setSession(secret as never), { message: /^(?!.*hunter2)/ });
  t.same(client.session, good);
});

t.test('logging another device out leaves this one logged in', async (t) => {
  const { client } = await startLoggedIn(t);
  const { session } = client;
  await client.auth.logout('another-device');
  t.same(client.session, session);
  await client.auth.logout((session as Session).refreshToken);
  t.equal(client.session, null);
});

t.test('one limit holds for the call with its refresh', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  launch.answer(REFRESH, 'hang');
  await t.rejects(client.gameSessions.list({}, { timeoutMs: 50 }), {
    name: 'RequestError',
    kind: 'timeout',
  });
});
