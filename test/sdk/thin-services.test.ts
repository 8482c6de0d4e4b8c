/**
 * Services that are one request each: what goes out, to the byte of the path, and what becomes of the
 * answer. Paths and fields are those of ggscale-go v0.7.0.
 */
import t from 'tap';
import { json, problem } from '../../sdk-compat/launch/answers.js';
import {
  type Client,
  isCodeCooldown,
  isConflict,
  isPartyEnqueueDisabled,
  isStaleVersion,
} from '../../src/sdk/index.js';
import { bodyOf, clientOf, errorOf, startLoggedIn } from './support.js';

const AT = '2026-01-02T03:04:05Z';
const DATE = new Date(AT);
const PARTY = {
  id: 7,
  leader_id: 1,
  version: 3,
  settings: { min_count: 2, max_count: 4 },
  members: [{ player_id: 1, disconnect_deadline: AT, attributes: { my_level: 3 } }],
};
const MEMBER = { playerId: 1, disconnectDeadline: DATE, attributes: { my_level: 3 } };
const PARTY_READ = {
  id: 7,
  leaderId: 1,
  version: 3,
  settings: { minCount: 2, maxCount: 4 },
  members: [MEMBER],
};
const VERSION = { expected_version: 3 };
const INVITE = { id: 5, party_id: 7, party_version: 3, target_id: 2, expires_at: AT };
const INVITE_READ = { id: 5, partyId: 7, partyVersion: 3, targetId: 2, expiresAt: DATE };
const PLAYER = { id: 2, display_name: 'Bert', created_at: AT };
const PLAYER_READ = { id: 2, displayName: 'Bert', createdAt: DATE };
const ADDRS = { addresses: [{ type: 'dns', address: 'a.example', scope: 'public' }] };
const OBJECT = { key: 'a/b', value: { some_name: 1 }, version: 4, updated_at: AT };
const OBJECT_READ = { key: 'a/b', value: { some_name: 1 }, version: 4, updatedAt: DATE };

interface Row {
  call: (client: Client) => Promise<unknown>;
  /** `METHOD /path?query`. */
  request: string;
  body?: unknown;
  answer?: unknown;
  result?: unknown;
}

const party = { answer: PARTY, result: PARTY_READ };

const AS_PLAYER: readonly Row[] = [
  {
    call: ({ parties }) => parties.create({ minCount: 2, attributes: { my_level: 1 } }),
    request: 'POST /v1/parties',
    body: { settings: { min_count: 2, attributes: { my_level: 1 } } },
    ...party,
  },
  { call: ({ parties }) => parties.current(), request: 'GET /v1/parties/current', ...party },
  { call: ({ parties }) => parties.get(7), request: 'GET /v1/parties/7', ...party },
  {
    call: ({ parties }) => parties.update(7, 3, { maxCount: 4 }),
    request: 'PATCH /v1/parties/7',
    body: { ...VERSION, settings: { max_count: 4 } },
    ...party,
  },
  {
    call: ({ parties }) => parties.disband(7, 3),
    request: 'DELETE /v1/parties/7',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.heartbeat(7, 3),
    request: 'POST /v1/parties/7/heartbeat',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.joinByCode('ABC'),
    request: 'POST /v1/parties/join',
    body: { code: 'ABC' },
    ...party,
  },
  {
    call: ({ parties }) => parties.leave(7, 3),
    request: 'DELETE /v1/parties/7/members/me',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) =>
      parties.setReady(7, 3, true, { properties: { numericProperties: { skillLevel: 2 } } }),
    request: 'PUT /v1/parties/7/members/me/ready',
    body: { ...VERSION, ready: true, properties: { numeric_properties: { skillLevel: 2 } } },
    ...party,
  },
  {
    call: ({ parties }) => parties.kick(7, 3, 2),
    request: 'DELETE /v1/parties/7/members/2',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.createCode(7, 3, { maxUses: 2 }),
    request: 'POST /v1/parties/7/invite-codes',
    body: { ...VERSION, max_uses: 2 },
    answer: { id: 9, code: 'ABC', expires_at: AT, party_version: 4 },
    result: { id: 9, code: 'ABC', expiresAt: DATE, partyVersion: 4 },
  },
  {
    call: ({ parties }) => parties.createCode(7, 3),
    request: 'POST /v1/parties/7/invite-codes',
    body: VERSION,
    answer: {},
    result: {},
  },
  {
    call: ({ parties }) => parties.revokeCode(7, 3, 9),
    request: 'DELETE /v1/parties/7/invite-codes/9',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.inviteFriend(7, 3, 2),
    request: 'POST /v1/parties/7/invites',
    body: { ...VERSION, player_id: 2 },
    answer: INVITE,
    result: INVITE_READ,
  },
  {
    call: ({ parties }) => parties.listInvites(),
    request: 'GET /v1/party-invites',
    answer: [INVITE],
    result: [INVITE_READ],
  },
  {
    call: ({ parties }) => parties.acceptInvite(5, 3),
    request: 'POST /v1/party-invites/5/accept',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.declineInvite(5, 3),
    request: 'DELETE /v1/party-invites/5',
    body: VERSION,
  },
  {
    call: ({ parties }) => parties.queue(7, 3),
    request: 'POST /v1/parties/7/queue',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.cancelQueue(7, 3),
    request: 'DELETE /v1/parties/7/queue',
    body: VERSION,
    ...party,
  },
  {
    call: ({ parties }) => parties.rematch(7, 3, 'm1'),
    request: 'POST /v1/parties/7/rematch',
    body: { ...VERSION, last_match_id: 'm1' },
    ...party,
  },
  {
    call: ({ invites }) => invites.create('s1', 'bert@example.com'),
    request: 'POST /v1/invite',
    body: { to_email: 'bert@example.com', session_id: 's1' },
    answer: { invite_id: 5 },
    result: 5,
  },
  {
    call: ({ invites }) => invites.list(),
    request: 'GET /v1/invite',
    answer: { invites: [{ invite_id: 5, session_id: 's1', join_code: 'X', expires_at: AT }] },
    result: [{ inviteId: 5, sessionId: 's1', joinCode: 'X', expiresAt: DATE }],
  },
  { call: ({ invites }) => invites.delete(5), request: 'DELETE /v1/invite/5' },
  {
    call: ({ signals }) =>
      signals.send('s/1', { toPlayerId: 2, negotiationId: 'n', kind: 'offer', payload: 'sdp' }),
    request: 'POST /v1/game-session/s%2F1/signals',
    body: { to_player_id: 2, negotiation_id: 'n', kind: 'offer', payload: 'sdp' },
    answer: { id: 11 },
    result: 11,
  },
  {
    call: ({ signals }) => signals.poll('s1', { afterId: 11 }),
    request: 'GET /v1/game-session/s1/signals?after_id=11',
    answer: { signals: [{ id: 12, from_player_id: 2, payload: 'sdp', created_at: AT }] },
    result: [{ id: 12, fromPlayerId: 2, payload: 'sdp', createdAt: DATE }],
  },
  {
    call: ({ signals }) => signals.poll('s1'),
    request: 'GET /v1/game-session/s1/signals',
    answer: { signals: null },
    result: [],
  },
  {
    call: ({ players }) => players.get(2),
    request: 'GET /v1/players/2',
    answer: PLAYER,
    result: PLAYER_READ,
  },
  {
    call: ({ players }) => players.resolve([2, 3]),
    request: 'GET /v1/players?ids=2%2C3',
    answer: { players: [PLAYER] },
    result: [PLAYER_READ],
  },
  {
    call: ({ players }) => players.resolveFriendCode('A B'),
    request: 'GET /v1/players/by-code/A%20B',
    answer: PLAYER,
    result: PLAYER_READ,
  },
  {
    call: ({ account }) => account.remoteAddrs(),
    request: 'GET /v1/account/remote-addrs',
    answer: ADDRS,
    result: ADDRS.addresses,
  },
  {
    call: ({ account }) => account.setRemoteAddrs([{ type: 'dns', address: 'a.example' }]),
    request: 'PUT /v1/account/remote-addrs',
    body: { addresses: [{ type: 'dns', address: 'a.example' }] },
    answer: ADDRS,
    result: ADDRS.addresses,
  },
  {
    call: ({ friends }) => friends.remoteAddrs(2),
    request: 'GET /v1/friends/2/remote-addrs',
    answer: ADDRS,
    result: ADDRS.addresses,
  },
  {
    call: ({ leaderboards }) => leaderboards.periods(1, { limit: 2, cursor: 'c' }),
    request: 'GET /v1/leaderboards/1/periods?cursor=c&limit=2',
    answer: {
      current_period: 3,
      reset_schedule: 'weekly',
      next_reset_at: AT,
      periods: [{ period: 2, started_at: AT, ended_at: AT }],
      next_cursor: 'd',
    },
    result: {
      currentPeriod: 3,
      resetSchedule: 'weekly',
      nextResetAt: DATE,
      items: [{ period: 2, startedAt: DATE, endedAt: DATE }],
      nextCursor: 'd',
    },
  },
  {
    call: ({ leaderboards }) => leaderboards.periodTop(1, 0, { limit: 1 }),
    request: 'GET /v1/leaderboards/1/periods/0/top?limit=1',
    answer: { entries: [{ player_id: 2, score: 5, rank: 0 }] },
    result: [{ playerId: 2, score: 5, rank: 0 }],
  },
];

const AS_SERVER: readonly Row[] = [
  {
    call: ({ server }) => server.playerRemoteAddrs(2),
    request: 'GET /v1/server/players/2/remote-addrs',
    answer: ADDRS,
    result: ADDRS.addresses,
  },
  {
    call: ({ server }) => server.storageGet(2, 'a/b'),
    request: 'GET /v1/server/players/2/storage/objects/a%2Fb',
    answer: OBJECT,
    result: OBJECT_READ,
  },
  {
    call: ({ server }) => server.storagePut(2, 'a', { some_name: 1 }, { ifMatch: 3 }),
    request: 'PUT /v1/server/players/2/storage/objects/a',
    body: { some_name: 1 },
    answer: OBJECT,
    result: OBJECT_READ,
  },
  {
    call: ({ server }) => server.storageList(2, { keyPrefix: 'a', limit: 1 }),
    request: 'GET /v1/server/players/2/storage/objects?key_prefix=a&limit=1',
    answer: { items: [{ key: 'a', updated_at: AT }], next_cursor: '' },
    result: { items: [{ key: 'a', updatedAt: DATE }], nextCursor: '' },
  },
];

for (const [who, rows] of Object.entries({ player: AS_PLAYER, server: AS_SERVER })) {
  t.test(`requests of a ${who}, and what becomes of the answers`, async (t) => {
    const { launch, client } = await startLoggedIn(t);
    const caller = who === 'player' ? client : clientOf(launch, { apiKey: launch.secretKey });
    for (const { call, request, body, answer, result } of rows) {
      const [method, target] = request.split(' ') as [string, string];
      const [path, query = ''] = target.split('?') as [string, string?];
      const said = answer === undefined ? { status: 204 } : json(200, answer as object);
      launch.answer(`${method} ${path}` as 'GET /x', said, { times: 1 });
      t.same(await call(caller), result, request);
      const sent = launch.requests.at(-1) as (typeof launch.requests)[number];
      t.same([sent.method, sent.path, sent.query], [method, path, query], request);
      t.same(sent.body.length === 0 ? undefined : bodyOf(sent), body, request);
      t.equal(sent.headers['x-session-token'] === undefined, who === 'server', request);
    }
  });
}

t.test('queueing has a key of its own each time, or the caller’s, and is retried', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer('POST /v1/parties/7/queue', json(200, PARTY));
  launch.answer('POST /v1/parties/7/rematch', json(200, PARTY));
  await client.parties.queue(7, 3);
  await client.parties.queue(7, 3);
  await client.parties.rematch(7, 3, 'm1', { idempotencyKey: 'mine' });
  const keys = launch.requests.slice(-3).map(({ headers }) => headers['idempotency-key']);
  t.match(keys[0], /^[0-9a-f]{32}$/);
  t.not(keys[0], keys[1]);
  t.equal(keys[2], 'mine');
  launch.answerAsUsual();
  launch.answer('POST /v1/parties/7/queue', problem(503, 'busy'), { times: 1 });
  launch.answer('POST /v1/parties/7/queue', json(200, PARTY));
  const before = launch.requests.length;
  await client.parties.queue(7, 3);
  const tries = launch.requests.slice(before).map(({ headers }) => headers['idempotency-key']);
  t.equal(tries.length, 2);
  t.equal(tries[0], tries[1]);
});

t.test('a page after another: objects of a player, periods of a leaderboard', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const { server } = clientOf(launch, { apiKey: launch.secretKey });
  const OBJECTS = 'GET /v1/server/players/2/storage/objects';
  launch.answer(OBJECTS, json(200, { items: [{ key: 'a' }], next_cursor: 'n' }), { times: 1 });
  launch.answer(OBJECTS, json(200, { items: [{ key: 'b' }], next_cursor: '' }));
  const keys = [];
  for await (const { key } of server.storageAll(2)) keys.push(key);
  t.same(keys, ['a', 'b']);
  const PERIODS = 'GET /v1/leaderboards/1/periods';
  launch.answer(PERIODS, json(200, { periods: [{ period: 2 }], next_cursor: 'n' }), { times: 1 });
  launch.answer(PERIODS, json(200, { periods: [{ period: 1 }], next_cursor: '' }));
  const periods = [];
  for await (const { period } of client.leaderboards.allPeriods(1)) periods.push(period);
  t.same(periods, [2, 1]);
  t.equal(launch.requests.at(-1)?.query, 'cursor=n');
});

t.test('refusals of parties are known by the server’s word', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const QUEUE = 'POST /v1/parties/7/queue';
  const refused = async (status: number, word: string) => {
    launch.answer(QUEUE, problem(status, word), { times: 1 });
    return errorOf(client.parties.queue(7, 3));
  };
  const stale = await refused(409, 'stale_version');
  t.ok(isStaleVersion(stale) && isConflict(stale));
  t.notOk(isStaleVersion(await refused(409, 'party_full')));
  const before = launch.requests.length;
  t.ok(isPartyEnqueueDisabled(await refused(503, 'party_enqueue_disabled')));
  t.equal(launch.requests.length, before + 1, 'a setting is not retried');
  launch.answer('POST /v1/parties/join', problem(429, 'code_redemption_cooldown'));
  t.ok(isCodeCooldown(await errorOf(client.parties.joinByCode('x'))));
});
