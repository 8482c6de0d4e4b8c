import { connect } from 'node:net';
import t from 'tap';
import { listen } from '../../test/game/support.js';
import { TICKETS_PER_PLAYER_MAX } from './tickets.js';

async function ask(port: number, init: RequestInit & { path?: string } = {}): Promise<Response> {
  const { path = '/v1/game/ticket', ...rest } = init;
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: '{}',
    ...rest,
    headers: {
      'Content-Type': 'application/json',
      'X-Session-Token': 'anna',
      ...(rest.headers as Record<string, string>),
    },
  });
}

/** The whole answer to raw bytes, until the server closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

t.test('the ticket endpoint', async (t) => {
  const server = await listen({ udp: false, ticketsPerSecondPerAddress: 1000 });
  t.teardown(() => server.close());
  const { port } = server.http;

  t.test('mints a 43-character ticket for 30 seconds, uncached, without CORS', async (t) => {
    const response = await ask(port);
    t.equal(response.status, 200);
    t.equal(response.headers.get('cache-control'), 'no-store');
    t.equal(response.headers.get('access-control-allow-origin'), null);
    const body = await response.json();
    t.match(body, { ticket: /^[\w-]{43}$/, connectToken: null, expiresInSeconds: 30 });
  });

  t.test('refuses what is not an authenticated JSON POST, by name', async (t) => {
    const cases: [RequestInit & { path?: string }, number, string][] = [
      [{ headers: { 'X-Session-Token': '' } }, 401, 'unauthenticated'],
      [{ headers: { 'Content-Type': 'text/plain' } }, 415, 'unsupported-media-type'],
      [{ body: '{' }, 400, 'bad-json'],
      [{ body: JSON.stringify('x'.repeat(5000)) }, 413, 'body-too-large'],
      [{ headers: { 'X-Session-Token': 'p'.repeat(300) } }, 403, 'bad-player-id'],
      [{ path: '/v2/game/ticket' }, 404, 'not-found'],
    ];
    for (const [init, status, code] of cases) {
      const response = await ask(port, init);
      const body = (await response.json()) as { code: string };
      t.match({ status: response.status, code: body.code }, { status, code });
      t.equal(response.headers.get('content-type'), 'application/problem+json');
    }
    const get = await fetch(`http://127.0.0.1:${port}/v1/game/ticket`);
    t.equal(get.status, 405);
  });

  t.test('a route is its path as it stands, not what a URL parser makes of it', async (t) => {
    for (const path of [
      '/x/../v1/healthz',
      '//h/v1/healthz',
      '/\\h/v1/healthz',
      '/%2e/v1/healthz',
    ]) {
      const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
      t.match(await raw(port, head), /^HTTP\/1.1 404 /, path);
    }
    const plain = `GET /v1/healthz?x=/../y HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
    t.match(await raw(port, plain), /^HTTP\/1.1 200 /, 'with a query');
  });

  t.test('a foreign Host is refused (DNS rebinding)', async (t) => {
    const answer = await raw(port, 'GET /v1/healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n');
    t.match(answer, /^HTTP\/1.1 403 [\s\S]*host-not-allowed/);
  });

  t.test('a player holds few unused tickets', async (t) => {
    const headers = { 'X-Session-Token': 'berta' };
    for (let i = 0; i < TICKETS_PER_PLAYER_MAX; i++) {
      t.equal((await ask(port, { headers })).status, 200);
    }
    const refused = await ask(port, { headers });
    t.equal(refused.status, 429);
    t.equal(refused.headers.get('retry-after'), '5');
  });

  t.test('a WebSocket without a valid ticket is answered in HTTP', async (t) => {
    const upgrade = (path: string) =>
      raw(
        port,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      );
    t.match(await upgrade('/v1/game/ws'), /^HTTP\/1.1 401 /);
    t.match(await upgrade('/v1/game/ws?ticket=wrong'), /^HTTP\/1.1 401 /);
    t.match(await upgrade('/elsewhere'), /^HTTP\/1.1 404 /);
    t.match(await upgrade('//'), /^HTTP\/1.1 40[04] /);
  });

  t.test('who offers another protocol than WebSocket is answered all the same', async (t) => {
    const offer =
      'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA';
    const head = `HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${offer}\r\n\r\n`;
    t.match(await raw(port, `GET /v1/healthz ${head}`), /^HTTP\/1.1 200 .*"status":"ok"/s);
  });

  t.test('health follows the launch convention', async (t) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/healthz`);
    t.equal(response.headers.get('x-api-version'), 'v1');
    t.match(await response.json(), { status: 'ok', version: 'v1' });
  });
});

t.test('a full server says when to come back', async (t) => {
  const server = await listen({ udp: false, maxPlayers: 1 });
  t.teardown(() => server.close());
  const { dial } = await import('../../test/game/support.js');
  const connection = await dial(server, 'json-ws', 'anna');
  const response = await ask(server.http.port, { headers: { 'X-Session-Token': 'berta' } });
  t.equal(response.status, 503);
  t.equal(response.headers.get('retry-after'), '5');
  t.match(await response.json(), { code: 'server-full' });
  t.equal((await ask(server.http.port)).status, 200, 'but the player itself may reconnect');
  await connection.close();
});

t.test('one address is rate limited', async (t) => {
  const server = await listen({ udp: false, ticketsPerSecondPerAddress: 1 });
  t.teardown(() => server.close());
  const answers = [];
  for (let i = 0; i < 8; i++) {
    answers.push(await ask(server.http.port, { headers: { 'X-Session-Token': `p${i}` } }));
  }
  const limited = answers.filter((response) => response.status === 429);
  t.ok(limited.length >= 2, `${limited.length} of 8 refused`);
  t.ok(Number(limited[0].headers.get('retry-after')) >= 1);
});

t.test('a blocked address gets nothing but its refusal', async (t) => {
  const server = await listen({ udp: false, admission: { blocked: ['127.0.0.1'] } });
  t.teardown(() => server.close());
  const { port } = server.http;
  for (const path of ['/v1/game/ticket', '/v1/healthz', '/elsewhere']) {
    const response = await ask(port, { path });
    t.equal(response.status, 403);
    t.match(await response.json(), { code: 'blocked' });
  }
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const answer = await raw(port, `GET /v1/game/ws HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgrade}`);
  t.match(answer, /^HTTP\/1.1 403 [\s\S]*"code":"blocked"/);
  t.equal(server.stats().drops['http-blocked'], 4);
});

t.test('behind a proxy it is the client that is blocked', async (t) => {
  const server = await listen({
    dev: false,
    udp: false,
    trustProxy: true,
    verifySession: (playerId) => ({ playerId }),
    admission: { blocked: ['198.51.100.0/24'] },
  });
  t.teardown(() => server.close());
  const { port } = server.http;
  const status = async (forwarded: string) =>
    (await ask(port, { headers: { 'X-Forwarded-For': forwarded } })).status;
  t.equal(await status('198.51.100.7'), 403);
  t.equal(await status('198.51.100.7, ::ffff:198.51.100.8'), 403);
  t.equal(await status('198.51.100.7, 203.0.113.1'), 200, 'the proxy wrote the last one');
  const minted = await ask(port, { headers: { 'X-Forwarded-For': '203.0.113.1' } });
  const { ticket } = (await minted.json()) as { ticket: string };
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/game/ws?ticket=${ticket}`, {
    headers: { 'X-Forwarded-For': '203.0.113.1' },
  });
  const closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise((resolve) => socket.on('message', resolve));
  server.setAdmission({ blocked: ['203.0.113.0/24'] });
  t.equal(await closed, 1008);
});
