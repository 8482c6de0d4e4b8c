import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import t from 'tap';
import { Client, EmailPasswordAuth, type Session, StdNetTransport } from '../../src/sdk/index.js';
import { ANNA, bodyOf, errorOf, start, startLoggedIn } from './support.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

t.test('a player’s call carries key, session, request id and user agent', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  await client.gameSessions.list();
  const { headers } = launch.requests[1];
  t.equal(headers.authorization, `Bearer ${launch.publishableKey}`);
  t.equal(headers['x-session-token'], client.session?.accessToken);
  t.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
  t.equal(headers['user-agent'], `ggscale-ts/${version}`);
});

t.test('headers that have nothing to say are left out', async (t) => {
  const { launch, client } = await start(t, { userAgent: 'brawler/3' });
  t.match(await client.health.get(), { status: 'ok', version: 'v1' });
  await client.login(new EmailPasswordAuth(ANNA.email, ANNA.password));
  const [health, login] = launch.requests;
  t.equal(health.headers.authorization, undefined);
  t.equal(health.headers['content-type'], undefined);
  t.equal(health.headers['user-agent'], 'brawler/3');
  t.equal(login.headers['x-session-token'], undefined);
  t.equal(login.headers['if-match'], undefined);
  t.equal(login.headers['content-type'], 'application/json');
  t.same(bodyOf(login), ANNA);
});

t.test('a version that a write replaces is If-Match', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const object = {
    key: 'a/b',
    value: { player_id: 1 },
    version: 8,
    updated_at: '2026-01-01T00:00:00Z',
  };
  launch.answer('PUT /v1/storage/objects/a%2Fb', { status: 200, body: object });
  const put = await client.storage.put('a/b', { playerId: 1 }, { ifMatch: 7 });
  t.equal(launch.requests[1].headers['if-match'], '7');
  t.same(bodyOf(launch.requests[1]), { playerId: 1 }, 'the value as it is');
  t.same(put, {
    key: 'a/b',
    value: { player_id: 1 },
    version: 8,
    updatedAt: new Date('2026-01-01T00:00:00Z'),
  });
});

t.test('queries are sorted by name and escaped', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('GET /v1/x', { status: 200, body: {} });
  const query = { zeta: 1, alpha: ['b', 'a'], 'm&m': 'x y', none: undefined };
  await client.transport.call({ method: 'GET', path: '/v1/x', query });
  t.equal(launch.requests[0].query, 'alpha=b&alpha=a&m%26m=x+y&zeta=1');
});

t.test('the base URL’s trailing slashes are trimmed, a path in it stays', async (t) => {
  const { launch } = await start(t);
  launch.answer('GET /launch/v1/healthz', { status: 200, body: { status: 'ok' } });
  const client = new Client({ apiKey: 'k', baseUrl: `${launch.url}/launch//` });
  t.equal((await client.health.get()).status, 'ok');
});

t.test('base URLs that are no absolute http(s) URL are refused, secrets unseen', (t) => {
  const refused = ['/v1', 'example.com', 'ftp://example.com', 'http://', 'http:example.com', 5];
  const secret = [
    'http://u:hunter2@h',
    'http://hunter2@h',
    'http://h?k=hunter2',
    'http://h#hunter2',
  ];
  for (const baseUrl of [...refused, ...secret, 'http://h?', 'http://h#']) {
    const create = () => new Client({ apiKey: 'k', baseUrl: baseUrl as string });
    t.throws(create, { code: 'bad-option', message: /baseUrl is .*absolute http\(s\) URL/ });
    try {
      create();
    } catch (error) {
      t.notMatch((error as Error).message, /hunter2/);
    }
  }
  t.end();
});

t.test(
  'the default transport is StdNetTransport; one of the program’s own takes its place',
  async (t) => {
    const { client } = await start(t);
    t.ok(client.transport instanceof StdNetTransport);
    const calls: unknown[] = [];
    const transport = {
      call: async (request: unknown) => {
        calls.push(request);
        return { status: 'ok', player_id: 1 };
      },
    };
    const own = new Client({ apiKey: 'k', transport });
    t.equal((await own.health.get()).status, 'ok');
    t.match(calls, [{ operationId: 'healthz', method: 'GET', path: '/v1/healthz', apiKey: '' }]);
    await own.server.verifySession('x');
    t.match(calls[1], { apiKey: 'k', body: { session_token: 'x' } });
  },
);

t.test('what cannot be encoded is not sent', async (t) => {
  const { launch, client } = await start(t);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (const request of [
    { method: 'POST', path: '/v1/x', body: cycle },
    { method: 'POST', path: '/v1/x', body: () => {} },
    { method: 'GET', path: '/v1/x', body: {} },
    { method: 'GET', path: 'v1/x' },
    { method: 'GET', path: '/v1/x', headers: { 'X-A': 'a\nb' } },
  ]) {
    await t.rejects(client.transport.call(request), { name: 'RequestError', kind: 'encode' });
  }
  t.same(launch.requests, []);
});

t.test('a key or token that fits no header is not told', async (t) => {
  const { launch, client } = await startLoggedIn(t, {});
  const wrong = new Client({ apiKey: 'hunter2\nx', baseUrl: launch.url });
  client.setSession({ ...(client.session as Session), accessToken: 'hunter2\nx' });
  const before = launch.requests.length;
  const calls = [wrong.config.get(), client.gameSessions.list(), client.dialRealtime()];
  for (const call of calls) {
    const error = await errorOf(call);
    t.match(error, { name: 'RequestError', kind: 'encode' });
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /hunter2/);
  }
  t.equal(launch.requests.length, before);
});

t.test('an answer that is no JSON, or no such thing, is a decode error', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('GET /v1/healthz', { status: 200, body: '<html>' }, { times: 1 });
  await t.rejects(client.health.get(), { name: 'RequestError', kind: 'decode' });
  launch.answer('GET /v1/healthz', { status: 200, body: [1] }, { times: 1 });
  await t.rejects(client.health.get(), { name: 'RequestError', kind: 'decode' });
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  launch.answer('GET /v1/healthz', { status: 200, body: deep }, { times: 1 });
  await t.rejects(client.health.get(), { name: 'RequestError', kind: 'decode' });
  launch.answer('POST /v1/auth/login', { status: 200, body: {} });
  const login = client.login(new EmailPasswordAuth(ANNA.email, ANNA.password));
  await t.rejects(login, { kind: 'decode', message: /access_token/ });
  t.equal(client.session, null);
});

t.test('answers beyond the cap are refused, announced or not, errors too', async (t) => {
  const { launch, client } = await start(t, { maxResponseBodyBytes: 64 });
  const tooLarge = { kind: 'protocol', message: /larger than 64 B/ };
  const fits = { status: 'ok', version: 'x'.repeat(64 - 28) };
  launch.answer('GET /v1/healthz', { status: 200, body: JSON.stringify(fits) }, { times: 1 });
  t.equal((await client.health.get()).status, 'ok');
  launch.answer('GET /v1/healthz', { status: 200, body: 'x'.repeat(65) }, { times: 1 });
  await t.rejects(client.health.get(), tooLarge);
  launch.answer(
    'GET /v1/healthz',
    { status: 200, chunks: ['x'.repeat(60), 'xxxxx'] },
    { times: 1 },
  );
  await t.rejects(client.health.get(), tooLarge);
  launch.answer('GET /v1/healthz', { status: 500, chunks: ['x'.repeat(65)] }, { times: 1 });
  await t.rejects(client.health.get(), tooLarge);
});

t.test('an answer that breaks off is a protocol error', async (t) => {
  const { launch, client } = await start(t);
  const headers = { 'Content-Length': '100' };
  launch.answer('GET /v1/healthz', { status: 200, headers, body: '{"status"' });
  await t.rejects(client.health.get(), { name: 'RequestError', kind: /protocol|connect/ });
});

t.test('remote config is fetched anew only when it has changed', async (t) => {
  const { launch, client } = await start(t);
  const headers = { ETag: '"v1"', 'Cache-Control': 'max-age=60' };
  launch.answer('GET /v1/config', { status: 200, headers, body: { max_speed: 5 } }, { times: 1 });
  const first = await client.config.get();
  t.same(first, {
    values: { max_speed: 5 },
    etag: '"v1"',
    cacheControl: 'max-age=60',
    notModified: false,
  });
  launch.answer('GET /v1/config', { status: 304 });
  const second = await client.config.get({ etag: first.etag });
  t.match(second, { values: null, etag: '"v1"', notModified: true });
  t.equal(launch.requests[1].headers['if-none-match'], '"v1"');
});
