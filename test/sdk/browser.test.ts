/**
 * What pages do otherwise: the realtime socket opens with a ticket, no header is set that a page may not
 * set. Run in Node, with the parts that browsers use called by hand; test/package/bundle.test.mjs runs
 * the bundle.
 */
import t from 'tap';
import { WebSocket } from 'ws';
import { openBrowserRealtime } from '../../src/sdk/realtime/browser-socket.js';
import { errorOf, startLoggedIn } from './support.js';

t.before(() => {
  Object.assign(globalThis, { WebSocket });
});

async function openWith(t: Parameters<typeof startLoggedIn>[0], readBytesMax = 1000) {
  const { launch, client } = await startLoggedIn(t);
  const { ticket } = await client.realtime.createTicket();
  const url = `${launch.url.replace('http', 'ws')}/v1/ws?ticket=${ticket}`;
  const open = (signal = new AbortController().signal) =>
    openBrowserRealtime({ url, readBytesMax, signal });
  return { launch, open };
}

t.test('the ticket opens one socket, without headers; a second time it is refused', async (t) => {
  const { launch, open } = await openWith(t);
  const socket = await open();
  t.equal(launch.requests.at(-1)?.headers.authorization, undefined);
  launch.sockets[0].push('early', 1);
  const texts: (string | null)[] = [];
  const closed = new Promise((resolve) => {
    socket.start({
      onText: (text) => texts.push(text),
      onClose: (code, reason) => resolve({ code, reason }),
    });
  });
  launch.sockets[0].push('late');
  launch.sockets[0].close(1012, 'restart');
  t.same(await closed, { code: 1012, reason: 'restart' });
  t.same(texts, ['{"type":"early","payload":1}', '{"type":"late"}']);
  t.match(await errorOf(open()), { name: 'RealtimeDialError', status: 0 });
});

t.test(
  'a message over the limit ends it as 1009; terminate ends it without the peer',
  async (t) => {
    const { launch, open } = await openWith(t, 50);
    const socket = await open();
    const closed = new Promise((resolve) => {
      socket.start({ onText: () => {}, onClose: (code) => resolve(code) });
    });
    launch.sockets[0].push('x'.repeat(50));
    t.equal(await closed, 1009);
    t.equal((await launch.sockets[0].closed).code, 4009);
    const other = await openWith(t);
    const terminated = await other.open();
    const ended = new Promise((resolve) => {
      terminated.start({ onText: () => {}, onClose: (code) => resolve(code) });
    });
    terminated.terminate();
    t.equal(await ended, 1006);
  },
);

t.test('a dial that is given up, a URL that the page may not open', async (t) => {
  const { open } = await openWith(t);
  t.match(await errorOf(open(AbortSignal.abort())), { name: 'RealtimeDialError', status: 0 });
  const bad = openBrowserRealtime({
    url: 'gopher://x',
    readBytesMax: 1,
    signal: new AbortController().signal,
  });
  t.match(await errorOf(bad), { name: 'RealtimeDialError' });
});
