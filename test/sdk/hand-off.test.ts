/** From a login to a match that is played: the match goes into `dialGame` as it is. */
import t from 'tap';
import {
  AnonymousAuth,
  Client,
  type ClientOption,
  type ClientOptions,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import { listen, WIRES } from '../game/support.js';
import { expireIn, start } from './support.js';

/** One program for both wires: it does not know which. */
async function play(options: ClientOptions, ...clientOptions: ClientOption[]): Promise<unknown[]> {
  const client = new Client(options, ...clientOptions);
  await client.login(new AnonymousAuth());
  const match = await client.matchmaker.waitForMatch({ fleet: 'arena', minCount: 1, maxCount: 1 });
  const game = await client.dialGame(match);
  game.send('hello', { from: 'player' });
  const { type, value } = await game.readMessage();
  const told = [match.mode, game.wire, type, value, game.playerId, client.session?.playerId];
  await game.close();
  return told;
}

for (const wire of WIRES) {
  t.test(`a match is found and played over ${wire}, its player verified by the API`, async (t) => {
    const { launch } = await start(t);
    const backend = new Client({ apiKey: launch.secretKey, baseUrl: launch.url });
    const server = await listen({ verifySession: backend.server.sessionVerifier() });
    t.teardown(() => server.close());
    server.on('hello', (player, value) => player.send('welcome', { to: player.id, value }));
    const address = `127.0.0.1:${server.http.port}`;
    launch.matchmaker.fleets.set('arena', { address, protocolHint: 'tcpudp' });
    const option = WithHighPerformanceTransport({ fallback: 'error' });
    const options = { apiKey: launch.publishableKey, baseUrl: launch.url };
    const [mode, played, type, value, asked, me] = await play(
      options,
      ...(wire === 'udp' ? [option] : []),
    );
    t.equal(mode, 'fleet_allocation');
    t.equal(played, wire);
    t.equal(type, 'welcome');
    t.same(value, { to: String(me), value: { from: 'player' } });
    t.equal(asked, String(me));
  });
}

t.test(
  'dialGame shows the session, fresh; setSessionToken overrides it until a login',
  async (t) => {
    const { launch, client } = await start(t);
    const tokens: string[] = [];
    const server = await listen({
      udp: false,
      verifySession: async (token) => {
        tokens.push(token);
        return { playerId: 'anna' };
      },
    });
    t.teardown(() => server.close());
    const address = `127.0.0.1:${server.http.port}`;
    const dialAndClose = async () => (await client.dialGame(address)).close();
    await client.login(new AnonymousAuth());
    await dialAndClose();
    expireIn(client, 1000);
    await dialAndClose();
    t.equal(launch.requestsTo('POST /v1/auth/refresh').length, 1);
    t.equal(tokens[1], client.session?.accessToken);
    t.not(tokens[0], tokens[1]);
    client.setSessionToken('by hand');
    await dialAndClose();
    t.equal(tokens[2], 'by hand');
    await client.login(new AnonymousAuth());
    await dialAndClose();
    t.equal(tokens[3], client.session?.accessToken);
  },
);
