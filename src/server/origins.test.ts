import { createServer } from 'node:http';
import t from 'tap';
import { WebSocket } from 'ws';
import { listen } from '../../test/game/support.js';
import type { GameServerOptions } from './types.js';

const PLAY = 'https://play.example';
const APP = 'capacitor://localhost';
const EVIL = 'https://evil.example';
/** As in production; the tests stand where the TLS proxy does. */
const PROXIED: GameServerOptions = {
  dev: false,
  trustProxy: true,
  verifySession: (token) => ({ playerId: token }),
};

interface Teardown {
  teardown(work: () => unknown): void;
}

async function serve(t: Teardown, options: GameServerOptions) {
  const server = await listen({ udp: false, ...options });
  t.teardown(() => server.close());
  const base = `127.0.0.1:${server.http.port}`;
  const ask = (headers: Record<string, string>, method = 'POST', path = '/v1/game/ticket') =>
    fetch(`http://${base}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', 'X-Session-Token': 'anna', ...headers },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
  /** How the server answers a WebSocket with a good ticket: 101 or what it refuses with. */
  const upgrade = async (headers: Record<string, string>): Promise<number> => {
    const { ticket } = (await (await ask({})).json()) as { ticket: string };
    const socket = new WebSocket(`ws://${base}/v1/game/ws?ticket=${ticket}`, { headers });
    const status = await new Promise<number>((resolve, reject) => {
      socket.on('open', () => resolve(101));
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', reject);
    });
    socket.on('error', () => {});
    socket.terminate();
    return status;
  };
  return { ask, upgrade };
}

const CORS = /^access-control-/;

function corsOf(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => CORS.test(name)));
}

const preflight = { 'Access-Control-Request-Method': 'POST' };

t.test('a listed origin may ask for tickets and open WebSockets', async (t) => {
  const { ask, upgrade } = await serve(t, { ...PROXIED, ws: { allowedOrigins: [PLAY, APP] } });
  for (const Origin of [PLAY, APP]) {
    const allowed = await ask({ Origin, ...preflight }, 'OPTIONS');
    t.equal(allowed.status, 204);
    t.equal(allowed.headers.get('vary'), 'Origin');
    t.same(corsOf(allowed), {
      'access-control-allow-origin': Origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-request-id, x-session-token',
      'access-control-expose-headers': 'Retry-After',
      'access-control-max-age': '7200',
    });
    const ticket = await ask({ Origin });
    t.equal(ticket.status, 200);
    t.equal(ticket.headers.get('vary'), 'Origin');
    t.equal(ticket.headers.get('access-control-allow-origin'), Origin);
    const refused = await ask({ Origin, 'Content-Type': 'text/plain' });
    t.equal(refused.status, 415);
    t.equal(refused.headers.get('access-control-allow-origin'), Origin, 'it may read why');
    t.equal(await upgrade({ Origin }), 101);
  }
});

t.test(
  'origins are compared exactly; what is not listed gets 403 and no CORS header',
  async (t) => {
    const { ask, upgrade } = await serve(t, { ...PROXIED, ws: { allowedOrigins: [PLAY] } });
    const foreign = [
      EVIL,
      'null',
      'http://play.example',
      'https://play.example:8443',
      'https://play.example.evil.example',
      'https://evil-play.example',
      'https://PLAY.example',
      'https://play.example/',
      '',
    ];
    for (const Origin of foreign) {
      for (const response of [
        await ask({ Origin }),
        await ask({ Origin, ...preflight }, 'OPTIONS'),
      ]) {
        t.equal(response.status, 403, Origin);
        t.match(await response.json(), { code: 'origin-not-allowed' });
        t.same(corsOf(response), {});
        t.equal(response.headers.get('vary'), 'Origin');
      }
      t.equal(await upgrade({ Origin }), 403, Origin);
    }
    for (const path of ['/v1/healthz', '/metrics', '/elsewhere']) {
      t.same(corsOf(await ask({ Origin: PLAY }, 'GET', path)), {}, `${path} is not for pages`);
    }
  },
);

t.test(
  'who sends no Origin is no browser, and pages of the same origin need no list',
  async (t) => {
    const { ask, upgrade } = await serve(t, { ...PROXIED, ws: { allowedOrigins: [PLAY] } });
    t.equal((await ask({})).status, 200);
    t.equal((await ask({})).headers.get('vary'), 'Origin', 'caches must know');
    t.equal(await upgrade({}), 101);
    const own = { Host: 'game.example', Origin: 'https://game.example' };
    t.equal(await upgrade(own), 101);
    t.equal(await upgrade({ ...own, Host: 'game.example:443' }), 101, 'the default port');
    t.equal(await upgrade({ ...own, Origin: 'http://game.example' }), 403, 'not without TLS');
    t.equal(await upgrade({ ...own, Host: 'game.example:8443' }), 403, 'another port');
  },
);

t.test('without a list there is never a CORS header', async (t) => {
  for (const ws of [{}, { allowedOrigins: [] }]) {
    const { ask, upgrade } = await serve(t, { ...PROXIED, ws });
    for (const Origin of [PLAY, EVIL]) {
      const options = await ask({ Origin, ...preflight }, 'OPTIONS');
      t.equal(options.status, 405, 'so a browser does not ask for a ticket');
      const ticket = await ask({ Origin });
      for (const { headers } of [options, ticket]) {
        t.notOk([...headers.keys()].some((name) => CORS.test(name)));
        t.equal(headers.get('vary'), null);
      }
      t.equal(await upgrade({ Origin }), 101, 'whoever has a ticket');
    }
  }
});

t.test('in development pages of this machine are let in, and no others', async (t) => {
  const { ask, upgrade } = await serve(t, {});
  for (const Origin of ['http://localhost:5173', 'http://127.0.0.1:8080', 'http://[::1]:3000']) {
    t.equal(await upgrade({ Origin }), 101, Origin);
    t.same(corsOf(await ask({ Origin })), {});
  }
  for (const Origin of [EVIL, 'null', 'http://localhost.evil.example', 'http://192.0.2.1:7777']) {
    t.equal(await upgrade({ Origin }), 403, Origin);
    t.equal((await ask({ Origin })).status, 403, Origin);
  }
});

t.test("Node's own fetch sends the Origin it is told", async (t) => {
  // The tests above say nothing if it does not.
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.origin);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await fetch(`http://127.0.0.1:${port}`, { headers: { Origin: PLAY } });
  t.same(seen, [PLAY]);
  await new Promise((resolve) => server.close(resolve));
});
