import t from 'tap';
import { FakeLaunch } from './fake-server.js';
import { connect, post, signIn } from './test-support.js';

t.test('two players of one fleet get the same match, pushed and in their tickets', async (t) => {
  const launch = await FakeLaunch.start({
    fleets: { default: { address: '127.0.0.1:7777', protocolHint: 'tcpudp' } },
  });
  t.teardown(() => launch.close());
  const players = [await signIn(launch), await signIn(launch)];
  const sockets = await Promise.all(players.map((player) => connect(launch, player)));
  const request = { fleet: 'default', min_count: 2, max_count: 2 };
  const tickets = await Promise.all(
    players.map((player) => post(launch, '/v1/matchmaker/tickets', request, player)),
  );
  const frames = await Promise.all(sockets.map((socket) => socket.text()));
  const pushed = frames.map((text) => JSON.parse(text));
  t.same(
    pushed.map(({ type }) => type),
    ['matchmaker_matched', 'matchmaker_matched'],
  );
  t.same(
    pushed.map(({ payload }) => payload.ticket_id),
    tickets.map(({ body }) => body.id),
  );
  t.equal(pushed[0].payload.match_id, pushed[1].payload.match_id);
  t.match(pushed[0].payload, {
    mode: 'fleet_allocation',
    address: '127.0.0.1:7777',
    protocol_hint: 'tcpudp',
    users: players.map(({ player_id }) => ({ player_id })),
  });
});
