/** `udp.nx`: who speaks it, and who must. */
import t from 'tap';
import { Endpoint } from '../../src/addon/index.js';
import { dial, listen, until } from './support.js';

interface Game {
  echo: { n: number };
}

/** What a client asks for over HTTP before it dials. */
async function connectToken(http: { host: string; port: number }): Promise<Uint8Array> {
  const response = await fetch(`http://${http.host}:${http.port}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-session-token': 'anna', connection: 'close' },
    body: '{}',
  });
  const { connectToken } = (await response.json()) as { connectToken: string };
  return Buffer.from(connectToken, 'base64');
}

t.test('a server that requires NX serves those who speak it and nobody else', async (t) => {
  const server = await listen<Game>({ udp: { nx: 'require' } });
  t.teardown(() => server.close());
  server.on('echo', (player, payload) => player.send('echo', payload));
  const connection = await dial<Game>(server, 'udp', 'anna');
  const echoed: number[] = [];
  connection.on('echo', ({ n }) => echoed.push(n));
  for (let n = 0; n < 5; n++) connection.send('echo', { n });
  await until(() => echoed.length === 5, 'the echoes');
  t.same(echoed, [0, 1, 2, 3, 4]);
  await connection.close();

  const plain = Endpoint.openClient({ host: '127.0.0.1', nx: 'off' }, () => {});
  const token = await connectToken(server.http);
  t.throws(() => plain.connect(token), { code: 'bad-token', message: /nx-required/ });
  plain.close();
});

t.test('by default plain netcode clients are served too', async (t) => {
  const server = await listen();
  t.teardown(() => server.close());
  const plain = Endpoint.openClient({ host: '127.0.0.1', nx: 'off' }, () => {});
  t.ok(plain.connect(await connectToken(server.http)).generation > 0);
  plain.close();
  await t.rejects(listen({ udp: { nx: 1 } } as never), { code: 'bad-option' });
});
