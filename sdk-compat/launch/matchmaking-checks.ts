/** Tickets: how they become matches, and what stands against them. */
import type { SessionBody } from './accounts.js';
import { type Check, equal, expect, isProblem, type Subject } from './check.js';
import { FRAMES, ROSTER_ENTRY } from './contract.js';
import { misfits } from './shapes.js';
import { type Answer, call, connect, post, signIn } from './test-support.js';

const TICKETS = '/v1/matchmaker/tickets';
const PAIR = { mode: 'match_only', min_count: 2, max_count: 2 };

function read({ launch }: Subject, id: number, player: SessionBody): Promise<Answer> {
  const token = player.access_token;
  return call(launch, 'GET', `${TICKETS}/${id}`, undefined, { token });
}

const SEVENTEEN = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`property_${i}`, i]));

/** Of players of their own, one after the other; each can be read. */
async function queueAll(subject: Subject, requests: object[]) {
  const tickets: (() => Promise<Answer['body']>)[] = [];
  for (const request of requests) {
    const player = await signIn(subject.launch);
    const { body } = await post(subject.launch, TICKETS, request, player);
    tickets.push(async () => (await read(subject, body.id, player)).body);
  }
  return tickets;
}

/** Both tickets, read after both players have the push. */
async function matchTwo(subject: Subject, request: object) {
  const { launch, player } = subject;
  const players = [player, await signIn(launch)];
  const sockets = await Promise.all(players.map((one) => connect(launch, one)));
  const created = await Promise.all(players.map((one) => post(launch, TICKETS, request, one)));
  const frames = await Promise.all(sockets.map(async (one) => JSON.parse(await one.text())));
  const tickets = await Promise.all(
    players.map(async (one, index) => (await read(subject, created[index].body.id, one)).body),
  );
  return { players, created, frames, tickets };
}

export const MATCHMAKING_CHECKS: readonly Check[] = [
  {
    name: 'a matched ticket says what the push said',
    async run(subject) {
      const { created, frames, tickets } = await matchTwo(subject, PAIR);
      return [0, 1].flatMap((index) => {
        const { type, payload } = frames[index];
        const ticket = tickets[index];
        return [
          ...equal('the type', type, 'matchmaker_matched'),
          ...misfits(FRAMES.matchmaker_matched, payload),
          ...payload.users.flatMap((user: unknown) => misfits(ROSTER_ENTRY, user)),
          ...equal('the first status', created[index].body.status, 'queued'),
          ...equal('the ticket', payload.ticket_id, ticket.id),
          ...equal('the status', ticket.status, 'matched'),
          ...equal('the match', payload.match_id, ticket.match_id),
          ...equal('the host', payload.host_player_id, ticket.host_player_id),
          ...equal('the roster', JSON.stringify(payload.users), JSON.stringify(ticket.users)),
          ...expect(/^mm_[0-9a-f]{16}$/.test(ticket.match_id), 'the match id', ticket.match_id),
        ];
      });
    },
  },
  {
    name: 'a fleet allocation carries the address and no host',
    async run(subject) {
      const { frames, tickets } = await matchTwo(subject, {
        fleet: 'default',
        min_count: 2,
        max_count: 2,
      });
      return [
        ...equal('the mode', tickets[0].mode, 'fleet_allocation'),
        ...equal('match_address', tickets[0].match_address, '203.0.113.10:7777'),
        ...equal('address', frames[0].payload.address, '203.0.113.10:7777'),
        ...equal('protocol_hint', frames[0].payload.protocol_hint, 'udp'),
        ...equal('the host', tickets[0].host_player_id, undefined),
        ...equal('the pushed host', frames[0].payload.host_player_id, undefined),
      ];
    },
  },
  {
    name: 'a game-session match opens a room that both may join',
    async run(subject) {
      const { launch } = subject;
      const { players, tickets } = await matchTwo(subject, { ...PAIR, mode: 'game_session' });
      const { session_id: id } = tickets[0];
      const address = { public_addr: { ip: '203.0.113.1', port: 7777 } };
      const joined = await post(launch, `/v1/game-session/${id}/join`, address, players[1]);
      return [
        ...equal('the room', tickets[1].session_id, id),
        ...equal('joining', joined.status, 200),
        ...equal('its peers', joined.body?.peers.length, 2),
      ];
    },
  },
  {
    name: 'players of different modes do not meet',
    async run(subject) {
      const { launch, player } = subject;
      const other = await signIn(launch);
      const { body } = await post(launch, TICKETS, { ...PAIR, game_mode: 'ctf' }, player);
      await post(launch, TICKETS, { ...PAIR, game_mode: 'duel' }, other);
      launch.matchmaker.formMatches();
      return equal('status', (await read(subject, body.id, player)).body.status, 'queued');
    },
  },
  {
    name: 'a group that is not full forms when the waiting is over',
    async run(subject) {
      const { launch, player } = subject;
      const request = { mode: 'match_only', min_count: 1, max_count: 4 };
      const { body } = await post(launch, TICKETS, request, player);
      const before = await read(subject, body.id, player);
      launch.matchmaker.formMatches();
      const after = await read(subject, body.id, player);
      return [
        ...equal('before', before.body.status, 'queued'),
        ...equal('after', after.body.status, 'matched'),
      ];
    },
  },
  {
    name: 'who does not fit the query of one is no match for it, whatever its own says',
    async run(subject) {
      const { launch } = subject;
      const picky = { ...PAIR, query: 'skill>=10 AND map:"arena 2"' };
      const weak = { numeric_properties: { skill: 9 }, string_properties: { map: 'arena 2' } };
      const good = { numeric_properties: { skill: 10 }, string_properties: { map: 'arena 2' } };
      const [first, second, third] = await queueAll(subject, [
        picky,
        { ...PAIR, ...weak },
        { ...PAIR, ...good },
      ]);
      launch.matchmaker.formMatches();
      return [
        ...equal('the picky one', (await first()).status, 'matched'),
        ...equal('who fits', (await third()).match_id, (await first()).match_id),
        ...equal('who does not', (await second()).status, 'queued'),
      ];
    },
  },
  {
    name: 'players of two regions meet late, and where both tickets allow it',
    async run(subject) {
      const { launch } = subject;
      const at = (region: string, more = {}) => ({ ...PAIR, region, ...more });
      const [north, lonely] = await queueAll(subject, [
        at('north'),
        at('west', { allow_cross_region: false }),
      ]);
      launch.matchmaker.formMatches();
      const refused = [(await north()).status, (await lonely()).status];
      const [east] = await queueAll(subject, [at('east')]);
      const early = (await east()).status;
      launch.matchmaker.formMatches();
      return [
        ...equal('where one does not', refused.join(), 'queued,queued'),
        ...equal('at first', early, 'queued'),
        ...equal('at last', (await east()).status, 'matched'),
        ...equal('with whom', (await east()).match_id, (await north()).match_id),
        ...equal('who stays at home', (await lonely()).status, 'queued'),
      ];
    },
  },
  {
    name: 'who is of the same region is taken before who came earlier',
    async run(subject) {
      const { launch } = subject;
      launch.matchmaker.isAutomatic = false;
      const regions = ['south', 'north', 'south'];
      const requests = regions.map((region) => ({ ...PAIR, region }));
      const [first, second, third] = await queueAll(subject, requests);
      launch.matchmaker.formMatches();
      return [
        ...equal('the first', (await first()).status, 'matched'),
        ...equal('with whom', (await third()).match_id, (await first()).match_id),
        ...equal('the one between', (await second()).status, 'queued'),
      ];
    },
  },
  {
    name: 'a group suits the counts of each of its tickets',
    async run(subject) {
      const counts = (min_count: number, max_count: number, count_multiple = 1) => ({
        mode: 'match_only',
        min_count,
        max_count,
        count_multiple,
      });
      const [four, two, three] = await queueAll(subject, [
        counts(2, 4, 2),
        counts(2, 4),
        counts(3, 4),
      ]);
      subject.launch.matchmaker.formMatches();
      return [
        ...equal('its roster', (await four()).users?.length, 2),
        ...equal('the other', (await two()).match_id, (await four()).match_id),
        ...equal('who wants three', (await three()).status, 'queued'),
      ];
    },
  },
  {
    name: 'a second active ticket is 409 and names the first',
    async run({ launch, player }) {
      const { body } = await post(launch, TICKETS, PAIR, player);
      const second = await post(launch, TICKETS, PAIR, player);
      return [
        ...isProblem(second, 409),
        ...equal('the detail', second.body?.detail, 'ticket_already_active'),
        ...equal('the location', second.body?.errors?.[0].location, 'active_ticket_id'),
        ...equal('the ticket', second.body?.errors?.[0].value, body.id),
      ];
    },
  },
  {
    name: 'a ticket is cancelled once, and by its player only',
    async run(subject) {
      const { launch, player } = subject;
      const { body } = await post(launch, TICKETS, PAIR, player);
      const stranger = await signIn(launch);
      const cancel = (one: SessionBody) => {
        const token = one.access_token;
        return call(launch, 'DELETE', `${TICKETS}/${body.id}`, undefined, { token });
      };
      return [
        ...isProblem(await cancel(stranger), 404),
        ...equal('cancelled', (await cancel(player)).status, 204),
        ...isProblem(await cancel(player), 409),
        ...equal('status', (await read(subject, body.id, player)).body.status, 'cancelled'),
      ];
    },
  },
  {
    name: 'a ticket that failed says why',
    async run(subject) {
      const { launch, player } = subject;
      const { body } = await post(launch, TICKETS, PAIR, player);
      launch.matchmaker.fail(body.id, 'expired');
      const ticket = (await read(subject, body.id, player)).body;
      return [
        ...equal('status', ticket.status, 'failed'),
        ...equal('failure_reason', ticket.failure_reason, 'expired'),
      ];
    },
  },
  ...[
    ['an unknown mode', { mode: 'duel' }],
    ['a fleet that is not there', { fleet: 'nowhere' }],
    ['a fleet for another mode', { mode: 'match_only', fleet: 'default' }],
    ['no fleet for fleet_allocation', { mode: 'fleet_allocation' }],
    ['min_count above max_count', { min_count: 3, max_count: 2 }],
    ['counts that no roster has', { min_count: 3, max_count: 3, count_multiple: 2 }],
    ['attributes beyond 4 KiB', { attributes: { note: 'x'.repeat(4096) } }],
    ['more players than a game session has', { mode: 'game_session', max_count: 65 }],
    ['a query that is none', { query: 'skill >' }],
    ['a query beyond 512 bytes', { query: `map:${'x'.repeat(509)}` }],
    ['a property that no query could name', { numeric_properties: { '1e5': 1 } }],
    ['a property that is a field of tickets', { string_properties: { region: 'north' } }],
    ['a property beyond 128 bytes', { string_properties: { map: 'ä'.repeat(65) } }],
    ['17 properties of a kind', { numeric_properties: SEVENTEEN }],
  ].map(
    ([name, request]): Check => ({
      name: `a ticket with ${name} is 400`,
      async run({ launch, player }) {
        return isProblem(await post(launch, TICKETS, request, player), 400);
      },
    }),
  ),
  {
    name: 'relay credentials of a match are for its players only',
    async run(subject) {
      const { launch } = subject;
      const { players, tickets } = await matchTwo(subject, PAIR);
      const path = `/v1/relay/credentials?match_id=${tickets[0].match_id}`;
      const mine = await post(launch, path, undefined, players[0]);
      const strangers = await post(launch, path, undefined, await signIn(launch));
      return [...equal('mine', mine.status, 200), ...isProblem(strangers, 403)];
    },
  },
  {
    name: 'a room has two places when nobody says how many, and 64 at most',
    async run({ launch, player }) {
      const room = { public_addr: { ip: '203.0.113.1', port: 7777 } };
      const opened = await post(launch, '/v1/game-session', room, player);
      const path = `/v1/game-session/${opened.body?.session_id}/join`;
      const second = await post(launch, path, room, await signIn(launch));
      const third = await post(launch, path, room, await signIn(launch));
      const most = await post(launch, '/v1/game-session', { ...room, max_players: 64 }, player);
      const more = await post(launch, '/v1/game-session', { ...room, max_players: 65 }, player);
      return [
        ...equal('the second player', second.status, 200),
        ...isProblem(third, 409),
        ...equal('64 places', most.status, 201),
        ...isProblem(more, 400),
      ];
    },
  },
  {
    name: 'a room is full at max_players and ends with its host',
    async run(subject) {
      const { launch, player } = subject;
      const address = { public_addr: { ip: '203.0.113.1', port: 7777 } };
      const request = { ...address, max_players: 1 };
      const { body } = await post(launch, '/v1/game-session', request, player);
      const other = await signIn(launch);
      const path = `/v1/game-session/${body.session_id}`;
      const full = await post(launch, `${path}/join`, address, other);
      await call(launch, 'DELETE', path, undefined, { token: player.access_token });
      const ended = await post(launch, `${path}/join`, address, other);
      const options = { token: player.access_token };
      const state = (await call(launch, 'GET', path, undefined, options)).body.state;
      return [
        ...isProblem(full, 409),
        ...isProblem(ended, 410),
        ...equal('the state', state, 'ended'),
      ];
    },
  },
];
