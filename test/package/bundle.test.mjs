// What a bundler of a page makes of the public entries: nothing of Node in it, and it works there.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import t from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { GameServer } from '../../dist/src/server/index.js';
import { packageRoot as root } from '../../scripts/build-addon.mjs';
import { bundleForBrowsers } from '../../scripts/bundle-size.mjs';

const ALL =
  "export * from '@ggscale/transport'; export * as messages from '@ggscale/transport/messages';";

const NAMES = ['fetch', 'Headers', 'URL', 'TextDecoder', 'TextEncoder', 'AbortController'].concat(
  ['AbortSignal', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'atob'],
  ['queueMicrotask', 'performance', 'crypto', 'DOMException', 'URLSearchParams'],
);

/** The bundle's exports in a context with a browser's globals and none of Node's. */
async function loadBundle() {
  const { text } = await bundleForBrowsers(ALL, { format: 'iife', globalName: 'ggscale' });
  const globals = Object.fromEntries(NAMES.map((name) => [name, globalThis[name]]));
  const context = vm.createContext({ ...globals, WebSocket });
  vm.runInContext(text, context);
  return context.ggscale;
}

async function listen(t) {
  const logger = { info() {}, warn() {}, error: (...words) => console.error(...words) };
  const server = await GameServer.listen({ dev: true, logger });
  t.teardown(() => server.close());
  server.on('echo', (player, value) => player.send('echo', value));
  return server;
}

t.test(
  'a bundle for browsers holds no file of the UDP side, no ws and no Node module',
  async (t) => {
    const { text, inputs } = await bundleForBrowsers(ALL);
    const strangers = inputs.filter(
      (path) =>
        !/^(page\.js|dist\/src\/(sdk|session|messages|time|util|index)\b.*\.js)$/.test(path),
    );
    t.same(
      strangers.filter((path) => !path.includes('node_modules/flatbuffers/')),
      [],
    );
    t.notOk(inputs.some((path) => /udp-link|ws-socket-node/.test(path)));
    t.notMatch(text, /["']node:/);
    t.notMatch(text, /\brequire\(/);
    t.notMatch(text, /\bBuffer\b/);
    t.notMatch(text, /\.node["']/);
    const uses = text.split('\n').filter((line) => /\bprocess[.[]/.test(line));
    t.same(
      uses.filter((line) => !line.includes('typeof process === "object"')),
      [],
    );
  },
);

t.test('what stands in for a file in browsers exports the same names', async (t) => {
  const { browser } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const names = async (path) => Object.keys(await import(pathToFileURL(join(root, path)).href));
  for (const [path, stand] of Object.entries(browser)) {
    const replaced = await names(stand);
    for (const name of await names(path)) t.ok(replaced.includes(name), `${name} of ${path}`);
  }
});

t.test('with the option, a bundle falls back once and says why', async (t) => {
  const server = await listen(t);
  const { Client, WithHighPerformanceTransport } = await loadBundle();
  const events = [];
  const logger = { info() {}, warn: (fields) => events.push(fields) };
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1', logger },
    WithHighPerformanceTransport(),
  );
  const game = await client.dialGame(`127.0.0.1:${server.http.port}`, { sessionToken: 'anna' });
  t.equal(game.wire, 'json-ws');
  game.send('echo', 'grüße');
  t.match(await game.readMessage(), { type: 'echo', value: 'grüße' });
  await t.rejects(game.switchTo('udp'), { name: 'TransportError', code: 'unsupported-platform' });
  await game.close();
  t.same(events, [
    { event: 'transport.fallback', reason: 'unsupported-platform', wire: 'json-ws' },
  ]);
});

t.test("with fallback 'error', a bundle rejects with the reason", async (t) => {
  const server = await listen(t);
  const { Client, WithHighPerformanceTransport } = await loadBundle();
  const client = new Client(
    { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' },
    WithHighPerformanceTransport({ fallback: 'error' }),
  );
  const dialled = client.dialGame(`127.0.0.1:${server.http.port}`, { sessionToken: 'anna' });
  await t.rejects(dialled, { name: 'GameDialError', code: 'unsupported-platform' });
});

t.test(
  'a bundle logs in, dials realtime with a ticket and sets no header of its own',
  async (t) => {
    const requests = [];
    const page = createServer((request, response) => {
      requests.push({ path: request.url, headers: request.headers });
      const isTicket = request.url === '/v1/ws/ticket';
      const session = { access_token: 'a', refresh_token: 'r', player_id: 7 };
      const body = isTicket
        ? { ticket: 'one-time', expires_in_seconds: 30 }
        : { ...session, expires_at: '2099-01-01T00:00:00Z' };
      response.end(JSON.stringify(body));
    });
    const sockets = new WebSocketServer({ noServer: true });
    page.on('upgrade', (request, socket, head) => {
      requests.push({ path: request.url, headers: request.headers });
      sockets.handleUpgrade(request, socket, head, (opened) => opened.send('{"type":"welcome"}'));
    });
    await new Promise((resolve) => page.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const socket of sockets.clients) socket.terminate();
      page.closeAllConnections();
      page.close();
    });
    const { AnonymousAuth, Client } = await loadBundle();
    const baseUrl = `http://127.0.0.1:${page.address().port}`;
    const client = new Client({ apiKey: 'test', baseUrl, userAgent: 'page/1' });
    await client.login(new AnonymousAuth());
    const realtime = await client.dialRealtime();
    t.match(await realtime.readMessage(), { type: 'welcome' });
    await realtime.close();
    t.same(
      requests.map(({ path }) => path),
      ['/v1/auth/anonymous', '/v1/ws/ticket', '/v1/ws?ticket=one-time'],
    );
    t.equal(requests[1].headers['x-session-token'], 'a');
    t.equal(requests[2].headers.authorization, undefined);
    t.ok(requests.every(({ headers }) => headers['user-agent'] !== 'page/1'));
    const kept = client.login(new AnonymousAuth({ storePath: 'x' }));
    await t.rejects(kept, { name: 'TransportError', code: 'unsupported-platform' });
  },
);
