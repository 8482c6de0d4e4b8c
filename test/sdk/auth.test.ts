import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  AnonymousAuth,
  CustomTokenAuth,
  defaultSessionPath,
  EmailPasswordAuth,
  OfflineAuth,
  type Session,
  SteamAuth,
} from '../../src/sdk/index.js';
import { ANNA, bodyOf, clientOf, errorOf, start, startLoggedIn } from './support.js';

t.test('e-mail and password, custom token, Steam ticket: each its endpoint and body', async (t) => {
  const { launch, client } = await start(t);
  launch.accounts.acceptCustomToken('jwt', 'their-42');
  const ticket = 'ab'.repeat(20);
  const before = Date.now();
  for (const [auth, path, body] of [
    [new EmailPasswordAuth(ANNA.email, ANNA.password), '/v1/auth/login', ANNA],
    [new CustomTokenAuth('jwt'), '/v1/auth/custom-token', { token: 'jwt' }],
    [new SteamAuth(ticket), '/v1/auth/steam', { ticket }],
  ] as const) {
    const session = await client.login(auth);
    const request = launch.requests.at(-1);
    t.equal(request?.path, path);
    t.same(bodyOf(request as never), body);
    t.ok(session.accessToken !== '' && session.refreshToken !== '' && session.playerId > 0);
    t.ok(session.expiresAt.getTime() > before);
    t.same(client.session, session);
  }
});

t.test('a login that is refused leaves the client as it was', async (t) => {
  const { client } = await startLoggedIn(t);
  const { session } = client;
  const wrong = client.login(new EmailPasswordAuth(ANNA.email, 'wrong'));
  await t.rejects(wrong, { name: 'GGScaleError', status: 401 });
  t.same(client.session, session);
});

t.test('secrets do not show in what an authenticator prints as', (t) => {
  const auth = [new EmailPasswordAuth('a', 'hunter2'), new CustomTokenAuth('hunter2')];
  t.notMatch(JSON.stringify(auth) + Object.values(auth[0]).join(), /hunter2/);
  t.end();
});

t.test('offline: no call, one player for each object, ids that JSON tells apart', async (t) => {
  const { launch, client } = await start(t);
  const auth = new OfflineAuth();
  const first = await client.login(auth);
  t.same(await client.login(auth), first);
  t.match(first.accessToken, /^offline-[0-9a-f]{32}$/);
  t.equal(first.refreshToken, '');
  const ids = new Set<number>();
  for (let index = 0; index < 100; index++) {
    const { playerId } = await new OfflineAuth().authenticate();
    t.ok(Number.isSafeInteger(playerId) && playerId > 0);
    ids.add(playerId);
  }
  t.equal(ids.size, 100);
  t.same(launch.requests, []);
});

t.test('anonymous: without a place to keep it, each client is a new player', async (t) => {
  const { launch, client } = await start(t);
  const first = await client.login(new AnonymousAuth());
  const second = await clientOf(launch).login(new AnonymousAuth());
  t.not(first.playerId, second.playerId);
  t.equal(launch.requests[0].body.length, 0);
});

t.test(
  'anonymous: the file makes the next run the same player, and its owner alone reads it',
  async (t) => {
    const folder = t.testdir();
    const storePath = join(folder, 'deep', 'session.json');
    const { launch, client } = await start(t);
    const session = await client.login(new AnonymousAuth({ storePath }));
    t.equal(statSync(storePath).mode & 0o777, 0o600);
    t.equal(statSync(join(folder, 'deep')).mode & 0o777, 0o700);
    t.same(Object.keys(JSON.parse(readFileSync(storePath, 'utf8'))), [
      'access_token',
      'refresh_token',
      'player_id',
      'expires_at',
    ]);
    const again = await clientOf(launch).login(new AnonymousAuth({ storePath }));
    t.same(again, session);
    t.equal(launch.requests.length, 1);
  },
);

t.test('anonymous: an older file’s mode is not inherited, nothing is left beside it', async (t) => {
  const folder = t.testdir({ 'session.json': 'no session' });
  const storePath = join(folder, 'session.json');
  const { client } = await start(t);
  const session = await client.login(new AnonymousAuth({ storePath }));
  t.equal(statSync(storePath).mode & 0o777, 0o600);
  t.equal(JSON.parse(readFileSync(storePath, 'utf8')).player_id, session.playerId);
  t.same(readdirSync(folder), ['session.json']);
});

t.test('anonymous: what cannot be kept costs the next run, not this one', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'session.json'));
  const { client } = await start(t);
  const auth = new AnonymousAuth({ storePath: join(folder, 'session.json') });
  const session = await client.login(auth);
  t.ok(session.playerId > 0);
  await t.rejects(auth.saveSession(session));
  t.same(readdirSync(folder), ['session.json']);
});

t.test('anonymous: saveSession keeps what refreshing rotates, and forgets on logout', async (t) => {
  const storePath = join(t.testdir(), 'session.json');
  const auth = new AnonymousAuth({ storePath });
  const { client } = await start(t, { onSessionUpdate: auth.saveSession });
  const session = await client.login(auth);
  client.setSession({ ...session, expiresAt: new Date(Date.now() + 1000) });
  await client.gameSessions.list();
  t.not(client.session?.refreshToken, session.refreshToken);
  await auth.saveSession(client.session);
  const kept = JSON.parse(readFileSync(storePath, 'utf8'));
  t.equal(kept.refresh_token, client.session?.refreshToken);
  await client.auth.logout(kept.refresh_token);
  t.equal(client.session, null);
  const next = await client.login(auth);
  t.not(next.playerId, session.playerId, 'the file is gone');
  await auth.saveSession(next); // the client's own, which it does not wait for, is before it
});

t.test('anonymous: a store of the program’s own; a session without a way on is none', async (t) => {
  let kept: Session | null = null;
  const store = {
    load: () => kept,
    save(session: Session) {
      kept = session;
    },
    clear() {
      kept = null;
    },
  };
  const { launch, client } = await start(t);
  const session = await client.login(new AnonymousAuth({ store }));
  t.same(kept, session);
  t.same(await client.login(new AnonymousAuth({ store })), session);
  t.equal(launch.requests.length, 1);
  kept = { ...session, refreshToken: '' };
  t.not((await client.login(new AnonymousAuth({ store }))).playerId, session.playerId);
});

t.test('anonymous: options are refused by name', async (t) => {
  const create = (options: object) => () => new AnonymousAuth(options as never);
  t.throws(create({ path: 'x' }), { code: 'bad-option', message: /unknown option path/ });
  t.throws(create({ storePath: '' }), { code: 'bad-option' });
  t.throws(create({ store: {} }), { code: 'bad-option' });
  t.throws(create({ store: { load() {} }, storePath: 'x' }), { code: 'bad-option' });
});

t.test('the default place is the user’s, and a game’s id is one name in it', async (t) => {
  t.match(await defaultSessionPath('my-game.2'), /[/\\]ggscale[/\\]my-game\.2[/\\]session\.json$/);
  for (const gameId of ['', '..', 'a/b', 'a\\b', 'a b']) {
    t.match(await errorOf(defaultSessionPath(gameId)), { code: 'bad-option' });
  }
});

t.test('a session with an id beyond 2^53 - 1 would be another player’s: refused', async (t) => {
  const storePath = join(t.testdir(), 'session.json');
  const kept = '{"access_token":"a","refresh_token":"r","player_id":9007199254740993,"expires_at":';
  writeFileSync(storePath, `${kept}"2030-01-01T00:00:00Z"}`);
  const { launch, client } = await start(t);
  const { playerId } = await client.login(new AnonymousAuth({ storePath }));
  t.not(playerId, 9007199254740992);
  launch.answer('POST /v1/auth/login', { status: 200, body: `${kept}"2030-01-01T00:00:00Z"}` });
  const login = client.login(new EmailPasswordAuth(ANNA.email, ANNA.password));
  await t.rejects(login, { kind: 'decode', message: /player_id/ });
});
