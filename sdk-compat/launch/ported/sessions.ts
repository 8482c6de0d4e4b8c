/** How the client keeps its session. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type HttpAnswer, plainText } from '../answers.js';
import { type ContractTest, errorOf, type Place } from './case.js';

const REFRESH = 'POST /v1/auth/refresh';
const TICKET = 'POST /v1/ws/ticket';
const UNAUTHORIZED = plainText(401, 'unauthorized');

/** A client whose session the server lets end in 10 s, so that it is due for a refresh. */
async function stalePlayer(place: Place): Promise<sdk.Client> {
  place.launch.answer(
    'POST /v1/auth/anonymous',
    (_request, usual) => {
      const answer = usual() as HttpAnswer;
      const expires_at = new Date(Date.now() + 10_000).toISOString();
      return { ...answer, body: { ...(answer.body as object), expires_at } };
    },
    { times: 1 },
  );
  return place.player();
}

function tokensTo(place: Place, route: 'POST /v1/ws/ticket' | 'GET /v1/ws'): unknown[] {
  return place.launch.requestsTo(route).map(({ headers }) => headers['x-session-token']);
}

export const ONE_REFRESH: ContractTest = {
  name: 'ten callers, one refresh',
  cases: [
    {
      name: 'ten calls with a session that is about to end refresh it once',
      async run(place) {
        const client = await stalePlayer(place);
        await Promise.all(Array.from({ length: 10 }, () => client.realtime.createTicket()));
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
        const fresh = client.session?.accessToken;
        assert.deepEqual(tokensTo(place, TICKET), Array(10).fill(fresh));
      },
    },
    {
      name: 'ten calls that are answered 401 refresh once, too',
      async run(place) {
        const client = await place.player();
        const old = client.session?.accessToken;
        place.launch.answer(TICKET, ({ headers }) =>
          headers['x-session-token'] === old ? UNAUTHORIZED : undefined,
        );
        await Promise.all(Array.from({ length: 10 }, () => client.realtime.createTicket()));
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
      },
    },
    {
      name: 'a session with more than 30 s left is not refreshed',
      launch: { accessTokenTtlMs: 45_000 },
      async run(place) {
        const client = await place.player();
        await client.realtime.createTicket();
        assert.equal(place.launch.requestsTo(REFRESH).length, 0);
      },
    },
    {
      name: 'one of them gives up, the others get the refreshed session',
      async run(place) {
        const client = await stalePlayer(place);
        const controller = new AbortController();
        place.launch.answer(REFRESH, () => {
          controller.abort();
          return undefined;
        });
        const { signal } = controller;
        const givenUp = errorOf(client.realtime.createTicket({ signal }));
        const patient = client.realtime.createTicket();
        assert.equal((await givenUp).kind, 'canceled');
        assert.equal((await patient).ticket.length, 43);
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
      },
    },
    {
      name: 'the hook is told of the refreshed session once',
      async run(place) {
        const told: (string | undefined)[] = [];
        const client = await place.player({
          onSessionUpdate: (session) => void told.push(session?.accessToken),
        });
        place.launch.answer(TICKET, UNAUTHORIZED, { times: 1 });
        await client.realtime.createTicket();
        assert.equal(told.length, 2); // the login, the refresh
        assert.equal(told[1], client.session?.accessToken);
        assert.notEqual(told[0], told[1]);
      },
    },
  ],
};

export const RETRY_AFTER_401: ContractTest = {
  name: '401: one refresh, one retry',
  cases: [
    {
      name: 'the call is made again with the new token',
      async run(place) {
        const client = await place.player();
        const old = client.session?.accessToken;
        place.launch.answer(TICKET, UNAUTHORIZED, { times: 1 });
        assert.equal((await client.realtime.createTicket()).ticket.length, 43);
        assert.deepEqual(tokensTo(place, TICKET), [old, client.session?.accessToken]);
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
      },
    },
    {
      name: 'a second 401 is the caller’s',
      async run(place) {
        const client = await place.player();
        place.launch.answer(TICKET, UNAUTHORIZED);
        assert.ok(sdk.isUnauthorized(await errorOf(client.realtime.createTicket())));
        assert.equal(place.launch.requestsTo(TICKET).length, 2);
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
      },
    },
    {
      name: 'when the refresh is refused, the first 401 is the caller’s',
      async run(place) {
        const client = await place.player();
        place.launch.accounts.revoke(client.session?.playerId ?? 0);
        const error = await errorOf(client.realtime.createTicket());
        assert.ok(sdk.isUnauthorized(error));
        assert.equal(error.message, 'ggscale: HTTP 401: unauthorized');
        assert.equal(place.launch.requestsTo(TICKET).length, 1);
        assert.equal(place.launch.requestsTo(REFRESH).length, 1);
      },
    },
    {
      name: 'a call without a session is not refreshed',
      async run(place) {
        const client = await place.player();
        const wrong = new sdk.EmailPasswordAuth('player@example.com', 'wrong');
        assert.ok(sdk.isUnauthorized(await errorOf(client.login(wrong))));
        assert.equal(place.launch.requestsTo(REFRESH).length, 0);
      },
    },
    {
      name: 'the realtime dial does the same',
      async run(place) {
        const client = await place.player();
        const old = client.session?.accessToken;
        place.launch.answer('GET /v1/ws', UNAUTHORIZED, { times: 1 });
        await (await client.dialRealtime()).close();
        assert.deepEqual(tokensTo(place, 'GET /v1/ws'), [old, client.session?.accessToken]);
      },
    },
    {
      name: 'a realtime dial that is refused twice tells the status',
      async run(place) {
        const client = await place.player();
        place.launch.answer('GET /v1/ws', UNAUTHORIZED);
        const error = await errorOf(client.dialRealtime());
        assert.ok(error instanceof sdk.RealtimeDialError);
        assert.equal(error.status, 401);
        assert.equal(place.launch.requestsTo('GET /v1/ws').length, 2);
      },
    },
  ],
};

const EMAIL = { email: 'player@example.com', password: 'correct' };

export const SIGNING_IN: ContractTest = {
  name: 'five ways to sign in',
  cases: [
    {
      name: 'email and password',
      launch: { accounts: [EMAIL] },
      async run(place) {
        const auth = new sdk.EmailPasswordAuth(EMAIL.email, EMAIL.password);
        const session = await place.client().login(auth);
        assert.equal(place.launch.accounts.check(session.accessToken).is, 'good');
      },
    },
    {
      name: 'a custom token',
      async run(place) {
        place.launch.accounts.acceptCustomToken('signed', 'tenant:7');
        const { playerId } = await place.client().login(new sdk.CustomTokenAuth('signed'));
        assert.equal(place.launch.accounts.find(playerId)?.externalId, 'tenant:7');
      },
    },
    {
      name: 'a Steam ticket',
      async run(place) {
        const auth = new sdk.SteamAuth('14000000048bcd42aabbccdd');
        const { playerId } = await place.client().login(auth);
        assert.match(place.launch.accounts.find(playerId)?.externalId ?? '', /^steam:/);
      },
    },
    {
      name: 'anonymously, and as the same player again',
      async run(place) {
        let kept: sdk.Session | null = null;
        const store = {
          load: () => kept,
          save: (session: sdk.Session) => {
            kept = session;
          },
          clear: () => {
            kept = null;
          },
        };
        const first = await place.client().login(new sdk.AnonymousAuth({ store }));
        const second = await place.client().login(new sdk.AnonymousAuth({ store }));
        assert.equal(second.playerId, first.playerId);
        assert.equal(place.launch.requestsTo('POST /v1/auth/anonymous').length, 1);
      },
    },
    {
      name: 'offline, without a request',
      async run(place) {
        const { playerId } = await place.client().login(new sdk.OfflineAuth());
        assert.ok(Number.isSafeInteger(playerId) && playerId > 0);
        assert.equal(place.launch.requests.length, 0);
      },
    },
    {
      name: 'a logout revokes the refresh token and empties the client',
      async run(place) {
        const client = await place.player();
        const { refreshToken = '' } = client.session ?? {};
        await client.auth.logout(refreshToken);
        assert.equal(client.session, null);
        assert.ok(sdk.isUnauthorized(await errorOf(client.auth.refresh(refreshToken))));
      },
    },
  ],
};
