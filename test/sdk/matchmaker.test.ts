import t from 'tap';
import { plainText, problem } from '../../sdk-compat/launch/answers.js';
import {
  AnonymousAuth,
  activeTicketIdOf,
  type Client,
  isConflict,
  isTicketActive,
} from '../../src/sdk/index.js';
import { until } from '../game/support.js';
import { AT_ONCE, bodyOf, clientOf, errorOf, startLoggedIn } from './support.js';

const TICKETS = 'POST /v1/matchmaker/tickets';
const TICKET = 'GET /v1/matchmaker/tickets/{id}';
const CANCEL = 'DELETE /v1/matchmaker/tickets/{id}';
const WS = 'GET /v1/ws';

const DUEL = { fleet: 'arena', minCount: 2, maxCount: 2 };
const FLEETS = {
  fleets: { arena: { address: '127.0.0.1:7777', protocolHint: 'tcpudp' as const } },
};
/** Longer than a test lives: what then comes came by the push. */
const NEVER = 600_000;

async function joinBy(launch: Parameters<typeof clientOf>[0]): Promise<Client> {
  const client = clientOf(launch);
  await client.login(new AnonymousAuth());
  return client;
}

t.test('two players get one match: where, how, and who', async (t) => {
  const { launch, client } = await startLoggedIn(t, {}, FLEETS);
  const other = await joinBy(launch);
  const wait = { pollIntervalMs: NEVER };
  const [first, second] = await Promise.all([
    client.matchmaker.waitForMatch({ ...DUEL, attributes: { my_level: 3 } }, wait),
    other.matchmaker.waitForMatch(DUEL, wait),
  ]);
  t.equal(first.matchId, second.matchId);
  t.not(first.ticketId, second.ticketId);
  t.match(first, {
    mode: 'fleet_allocation',
    address: '127.0.0.1:7777',
    protocolHint: 'tcpudp',
    sessionId: '',
    hostPlayerId: 0,
  });
  const ids = [client, other].map(({ session }) => session?.playerId);
  t.same(first.users.map(({ playerId }) => playerId).sort(), ids.sort());
  const me = first.users.find(({ playerId }) => playerId === client.session?.playerId);
  t.same(me?.attributes, { my_level: 3 }, 'the game’s own names stay');
  await Promise.all(launch.sockets.map(({ closed }) => closed));
});

t.test('the socket is open before the ticket is made', async (t) => {
  const { launch, client } = await startLoggedIn(t, {}, FLEETS);
  await client.matchmaker.waitForMatch({ ...DUEL, minCount: 1, maxCount: 1 });
  const order = launch.requests.map(({ method, path }) => `${method} ${path}`);
  t.ok(order.indexOf(WS) >= 0 && order.indexOf(WS) < order.indexOf(TICKETS), order.join());
});

t.test('what is left out of a request is not on the wire', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  const ticket = await client.matchmaker.createTicket({
    mode: 'match_only',
    allowCrossRegion: false,
    stringProperties: { map_name: 'ctf' },
    attributes: { someName: 1 },
  });
  t.same(bodyOf(launch.requestsTo(TICKETS)[0]), {
    mode: 'match_only',
    allow_cross_region: false,
    string_properties: { map_name: 'ctf' },
    attributes: { someName: 1 },
  });
  t.match(ticket, { status: 'queued', mode: 'match_only', createdAt: Date });
  t.same(await client.matchmaker.getTicket(ticket.id), ticket);
});

t.test('a push makes the ticket read, and what is read counts', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  const waiting = client.matchmaker.waitForMatch({}, { pollIntervalMs: NEVER });
  await until(() => launch.requestsTo(TICKETS).length === 1, 'the ticket');
  const ticket = { id: 9001, status: 'matched', mode: 'game_session', match_id: 'of-ticket' };
  const more = { session_id: 's-1', join_code: 'ABC', host_player_id: 42, users: [] };
  launch.answer(TICKET, { status: 200, body: { ...ticket, ...more } });
  launch.sockets[0].push('matchmaker_matched', { ticket_id: 9001, match_id: 'of-push', users: [] });
  t.match(await waiting, {
    ticketId: 9001,
    matchId: 'of-ticket',
    mode: 'game_session',
    sessionId: 's-1',
    joinCode: 'ABC',
    hostPlayerId: 42,
    address: '',
    protocolHint: '',
  });
});

t.test('when the ticket cannot be read, what the push carried has to do', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  launch.answer(TICKET, problem(500, 'no'));
  const waiting = client.matchmaker.waitForMatch({}, { pollIntervalMs: NEVER });
  await until(() => launch.requestsTo(TICKETS).length === 1, 'the ticket');
  const [socket] = launch.sockets;
  socket.push('presence', {});
  socket.pushText('no frame');
  socket.push('matchmaker_matched', { ticket_id: 1, match_id: 'another ticket’s' });
  socket.push('matchmaker_matched', 'nonsense');
  socket.push('matchmaker_matched', {
    ticket_id: 9001,
    match_id: 'of-push',
    mode: 'fleet_allocation',
    address: 'game.example.com:7000',
    protocol_hint: 'carrier pigeon',
    users: [{ player_id: 5, string_properties: { a_b: 'c' } }],
  });
  t.match(await waiting, {
    matchId: 'of-push',
    address: 'game.example.com:7000',
    protocolHint: '',
    users: [{ playerId: 5, stringProperties: { a_b: 'c' } }],
  });
  t.equal(launch.requestsTo(TICKET).length, 1);
});

t.test('a push that is missed, a socket that is lost: reading finds the match', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: { disabled: true } });
  launch.matchmaker.isAutomatic = false;
  launch.matchmaker.isPushing = false;
  launch.answer(TICKET, problem(500, 'not this time'), { times: 1 });
  const waiting = client.matchmaker.waitForMatch(
    { minCount: 1, maxCount: 1 },
    { pollIntervalMs: 5 },
  );
  await until(() => launch.requestsTo(TICKET).length > 1, 'a read');
  launch.sockets[0].drop();
  launch.matchmaker.formMatches();
  t.match(await waiting, { mode: 'match_only', hostPlayerId: client.session?.playerId });
});

t.test('without a socket it reads only, and says so in the log', async (t) => {
  const warned: object[] = [];
  const logger = { info() {}, warn: (fields: object) => warned.push(fields) };
  const { launch, client } = await startLoggedIn(t, { logger });
  launch.answer(WS, plainText(503, 'too many connections'));
  const request = { minCount: 1, maxCount: 1 };
  t.ok((await client.matchmaker.waitForMatch(request, { pollIntervalMs: 5 })).matchId);
  t.match(warned, [{ event: 'matchmaker.polling', reason: /503/ }]);
});

t.test('a ticket that fails, one that is cancelled elsewhere', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  const wait = { pollIntervalMs: 5 };
  const failing = errorOf(client.matchmaker.waitForMatch({}, wait));
  await until(() => launch.requestsTo(TICKET).length > 0, 'a read');
  launch.matchmaker.fail(9001, 'expired');
  t.match(await failing, { name: 'MatchFailedError', code: 'match-failed', reason: 'expired' });
  const cancelled = errorOf(client.matchmaker.waitForMatch({}, wait));
  await until(() => launch.requestsTo(TICKETS).length === 2, 'the ticket');
  await client.matchmaker.cancelTicket(9002);
  t.match(await cancelled, { name: 'ErrMatchCancelled', code: 'match-cancelled' });
});

t.test('who gives up waiting has no ticket left, and no socket', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  const controller = new AbortController();
  const waiting = errorOf(client.matchmaker.waitForMatch({}, { signal: controller.signal }));
  await until(() => launch.requestsTo(TICKETS).length === 1, 'the ticket');
  await until(() => launch.sockets.length === 1, 'the socket');
  controller.abort();
  t.match(await waiting, { name: 'RequestError', kind: 'canceled' });
  await launch.sockets[0].closed;
  const timed = client.matchmaker.waitForMatch({}, { timeoutMs: 200 });
  await t.rejects(timed, { name: 'RequestError', kind: 'timeout' });
  t.equal(launch.requestsTo(CANCEL).length, 2);
  t.match(await client.matchmaker.getTicket(9002), { status: 'cancelled' });
});

t.test('a read that will never work ends the wait', async (t) => {
  for (const answer of [plainText(403, 'forbidden'), problem(404, 'ticket not found')]) {
    const { launch, client } = await startLoggedIn(t);
    launch.matchmaker.isAutomatic = false;
    launch.answer(TICKET, answer);
    const waiting = client.matchmaker.waitForMatch({}, { pollIntervalMs: 5 });
    await t.rejects(waiting, { name: 'GGScaleError', status: answer.status });
  }
});

t.test('a ticket without an id is no ticket: nobody waits for it', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  for (const body of [{}, { id: '9001', status: 'queued' }, { id: 2 ** 53, status: 'queued' }]) {
    launch.answer(TICKETS, { status: 201, body }, { times: 1 });
    const waiting = client.matchmaker.waitForMatch({});
    await t.rejects(waiting, { name: 'RequestError', kind: 'decode' }, JSON.stringify(body));
  }
  t.equal(launch.requestsTo(TICKET).length, 0);
});

t.test('one ticket at a time: the error names the one there is', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.matchmaker.isAutomatic = false;
  const { id } = await client.matchmaker.createTicket({});
  const error = await errorOf(client.matchmaker.waitForMatch({}));
  t.ok(isTicketActive(error));
  t.equal(activeTicketIdOf(error as never), id);
  await client.matchmaker.cancelTicket(id);
  t.ok(isConflict(await errorOf(client.matchmaker.cancelTicket(id))), 'settled already');
});

t.test('nobody logged in, options that are none', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: AT_ONCE });
  const wait = (options: object) => client.matchmaker.waitForMatch({}, options as never);
  await t.rejects(wait({ poll: 1 }), { code: 'bad-option', message: /unknown option poll/ });
  await t.rejects(wait({ pollIntervalMs: 0 }), { code: 'bad-option' });
  client.setSession(null);
  await t.rejects(wait({}), { name: 'ErrNoSession' });
  t.equal(launch.requests.length, 1, 'the login');
});
