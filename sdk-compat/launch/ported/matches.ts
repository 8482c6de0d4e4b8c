/** Waiting for a match. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type HttpAnswer, plainText, problem } from '../answers.js';
import type { FakeLaunchOptions } from '../fake-server.js';
import { type ContractTest, errorOf, type Place } from './case.js';

const FLEETS: FakeLaunchOptions = {
  fleets: { default: { address: '203.0.113.10:7777', protocolHint: 'tcpudp' } },
};
const PAIR: sdk.MatchRequest = { fleet: 'default', minCount: 2, maxCount: 2 };
/** So long that only a push ends a wait. */
const NEVER = { pollIntervalMs: 600_000 };
const READ = 'GET /v1/matchmaker/tickets/{id}';
const CREATE = 'POST /v1/matchmaker/tickets';

/** Resolves with the ticket's id when the player stands in the queue. */
function queued(place: Place): Promise<number> {
  return new Promise((resolve) => {
    place.launch.answer(CREATE, (_request, usual) => {
      const answer = usual() as HttpAnswer;
      resolve((answer.body as { id: number }).id);
      return answer;
    });
  });
}

export const SOCKET_FIRST: ContractTest = {
  name: 'socket before ticket',
  cases: [
    {
      name: 'the socket is open before the ticket is created',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        let openAtCreation = -1;
        place.launch.answer(CREATE, () => {
          openAtCreation = place.launch.sockets.filter(({ isOpen }) => isOpen).length;
          return undefined;
        });
        const request = { fleet: 'default', minCount: 1, maxCount: 1 };
        await client.matchmaker.waitForMatch(request, NEVER);
        const paths = place.launch.requests.map(({ path }) => path);
        assert.equal(paths[0], '/v1/ws');
        assert.equal(openAtCreation, 1);
      },
    },
    {
      name: 'without a socket the ticket is read now and then',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        place.launch.answer('GET /v1/ws', plainText(503, 'too many connections'));
        const request = { fleet: 'default', minCount: 1, maxCount: 1 };
        const match = await client.matchmaker.waitForMatch(request, { pollIntervalMs: 1 });
        assert.equal(match.address, '203.0.113.10:7777');
      },
    },
    {
      name: 'the socket is closed when the wait is over',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        const request = { fleet: 'default', minCount: 1, maxCount: 1 };
        await client.matchmaker.waitForMatch(request, NEVER);
        assert.deepEqual(await place.launch.sockets[0].closed, { code: 1000, reason: '' });
      },
    },
  ],
};

export const READ_AFTER_PUSH: ContractTest = {
  name: 'a push triggers the authoritative read',
  cases: [
    {
      name: 'two players get one match, with all that the ticket says',
      launch: FLEETS,
      async run(place) {
        const clients = [await place.player(), await place.player()];
        const matches = await Promise.all(
          clients.map(({ matchmaker }) => matchmaker.waitForMatch(PAIR, NEVER)),
        );
        assert.equal(matches[0].matchId, matches[1].matchId);
        for (const match of matches) {
          assert.equal(match.mode, 'fleet_allocation');
          assert.equal(match.address, '203.0.113.10:7777');
          assert.equal(match.protocolHint, 'tcpudp');
          assert.deepEqual(
            match.users.map(({ playerId }) => playerId).sort(),
            clients.map(({ session }) => session?.playerId).sort(),
          );
        }
        assert.equal(place.launch.requestsTo(READ).length, 2);
      },
    },
    {
      name: 'where push and ticket differ, the ticket is right',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        place.launch.answer(READ, (_request, usual) => {
          const answer = usual() as HttpAnswer;
          const body = { ...(answer.body as object), match_address: '198.51.100.1:1' };
          return { ...answer, body };
        });
        const request = { fleet: 'default', minCount: 1, maxCount: 1 };
        const match = await client.matchmaker.waitForMatch(request, NEVER);
        assert.equal(match.address, '198.51.100.1:1');
      },
    },
    {
      name: 'when the ticket cannot be read, the push has to do',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        place.launch.answer(READ, problem(500, 'internal error'));
        const request = { fleet: 'default', minCount: 1, maxCount: 1 };
        const match = await client.matchmaker.waitForMatch(request, NEVER);
        assert.equal(match.address, '203.0.113.10:7777');
        assert.equal(place.launch.requestsTo(READ).length, 1);
      },
    },
    {
      name: 'a push for another ticket is passed over',
      launch: FLEETS,
      async run(place) {
        const { launch } = place;
        const client = await place.player();
        launch.matchmaker.isAutomatic = false;
        const inQueue = queued(place);
        const waiting = client.matchmaker.waitForMatch(PAIR, NEVER);
        const id = await inQueue;
        const playerId = client.session?.playerId ?? 0;
        const other = { ticket_id: id + 1, match_id: 'mm_other', mode: 'match_only', users: [] };
        launch.realtime.push(playerId, 'matchmaker_matched', other);
        const mine = { ...other, ticket_id: id, match_id: 'mm_mine' };
        launch.realtime.push(playerId, 'matchmaker_matched', mine);
        assert.equal((await waiting).matchId, 'mm_mine');
        assert.equal(launch.requestsTo(READ).length, 1);
      },
    },
    {
      name: 'a ticket that failed rejects with its reason',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        const inQueue = queued(place);
        const waiting = errorOf(client.matchmaker.waitForMatch(PAIR, { pollIntervalMs: 1 }));
        place.launch.matchmaker.fail(await inQueue, 'expired');
        const error = await waiting;
        assert.ok(error instanceof sdk.MatchFailedError);
        assert.equal(error.reason, 'expired');
      },
    },
    {
      name: 'a ticket that another device cancelled rejects',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        const inQueue = queued(place);
        const waiting = errorOf(client.matchmaker.waitForMatch(PAIR, { pollIntervalMs: 1 }));
        place.launch.matchmaker.cancelFor(await inQueue);
        assert.ok((await waiting) instanceof sdk.ErrMatchCancelled);
      },
    },
    {
      name: 'who gives up cancels the ticket',
      launch: FLEETS,
      async run(place) {
        const client = await place.player();
        const controller = new AbortController();
        const inQueue = queued(place);
        // It reads the ticket, so it has it.
        place.launch.answer(READ, () => void controller.abort(), { times: 1 });
        const options = { pollIntervalMs: 1, signal: controller.signal };
        const waiting = errorOf(client.matchmaker.waitForMatch(PAIR, options));
        const id = await inQueue;
        assert.equal((await waiting).kind, 'canceled');
        assert.equal((await client.matchmaker.getTicket(id)).status, 'cancelled');
      },
    },
  ],
};
