import t from 'tap';
import type { HttpAnswer } from './answers.js';
import { plainText, problem } from './answers.js';
import { runCheck } from './check.js';
import { CHECKS } from './checks.js';
import { ENDPOINTS, type Operation } from './contract.js';
import type { FakeLaunch } from './fake-server.js';

type Spoil = (launch: FakeLaunch) => void;

/** Answers otherwise than the contract wants, to every request of one route. */
function rewriting(
  route: `${string} /${string}`,
  rewrite: (answer: HttpAnswer) => HttpAnswer,
): Spoil {
  return (launch) => {
    launch.answer(route, (_request, usual) => rewrite(usual() as HttpAnswer));
  };
}

function operation(name: Operation, rewrite: (answer: HttpAnswer) => HttpAnswer): Spoil {
  const { method, path } = ENDPOINTS[name];
  return rewriting(`${method} ${path}` as 'GET /', rewrite);
}

const withBody = (change: (body: Record<string, unknown>) => object) => (answer: HttpAnswer) => ({
  ...answer,
  body: change(answer.body as Record<string, unknown>),
});

/** Of answers with that status only. */
const on = (status: number, rewrite: (answer: HttpAnswer) => HttpAnswer) => (answer: HttpAnswer) =>
  answer.status === status ? rewrite(answer) : answer;

/** Name of the wrong server, what is wrong, the check that has to find it. */
const WRONG: [string, Spoil, string][] = [
  [
    'leaves out a field',
    operation(
      'authAnonymous',
      withBody(({ external_id: _, ...rest }) => rest),
    ),
    "authAnonymous answers 200 in the contract's shape",
  ],
  [
    'adds a field',
    operation(
      'healthz',
      withBody((body) => ({ ...body, uptime: 7 })),
    ),
    "healthz answers 200 in the contract's shape",
  ],
  [
    'sends an id as text',
    operation(
      'createMatchmakerTicket',
      withBody((body) => ({ ...body, id: String(body.id) })),
    ),
    "createMatchmakerTicket answers 201 in the contract's shape",
  ],
  [
    'sends a time as a number',
    operation(
      'authLogin',
      withBody((body) => ({ ...body, expires_at: 1767366245 })),
    ),
    "authLogin answers 200 in the contract's shape",
  ],
  [
    'answers 200 where 204 is due',
    operation(
      'authLogout',
      on(204, (answer) => ({ ...answer, status: 200 })),
    ),
    "authLogout answers 204 in the contract's shape",
  ],
  [
    'calls JSON text',
    operation('healthz', (answer) => ({ ...answer, headers: { 'Content-Type': 'text/plain' } })),
    "healthz answers 200 in the contract's shape",
  ],
  [
    'makes a request id of its own',
    operation('healthz', (answer) => ({ ...answer, headers: { 'X-Request-Id': 'mine' } })),
    "healthz tells the API version and the request's id",
  ],
  [
    'is of another API version',
    operation('healthz', (answer) => ({ ...answer, headers: { 'X-API-Version': 'v2' } })),
    "healthz tells the API version and the request's id",
  ],
  [
    'refuses a key in JSON',
    operation(
      'authLogin',
      on(401, () => problem(401, 'unauthorized')),
    ),
    'authLogin without an API key is 401 in plain text',
  ],
  [
    'refuses a revoked key with 401',
    operation(
      'authLogin',
      on(403, () => plainText(401, 'unauthorized')),
    ),
    'authLogin with a revoked API key is 403 in plain text',
  ],
  [
    'ends plain text without a newline',
    operation(
      'authLogin',
      on(401, (answer) => ({ ...answer, body: 'unauthorized' })),
    ),
    'authLogin with an unknown API key is 401 in plain text',
  ],
  [
    'lets a publishable key verify sessions',
    (launch) => {
      launch.answer('POST /v1/server/player-sessions/verify', {
        status: 200,
        body: { player_id: 42, external_id: 'anon_1' },
      });
    },
    'verifyPlayerSession with a publishable key is 403 in plain text',
  ],
  [
    'does not say that a session expired',
    operation(
      'createRealtimeTicket',
      on(401, () => plainText(401, 'unauthorized')),
    ),
    'createRealtimeTicket with a session that is expired is 401 and says so',
  ],
  [
    'answers 400 to a wrong field',
    operation(
      'submitScore',
      on(422, () => problem(400, 'validation failed')),
    ),
    'submitScore with a score of the wrong type is 422 and names body.score',
  ],
  [
    'does not name the field',
    operation(
      'submitScore',
      on(422, () => problem(422, 'validation failed')),
    ),
    'submitScore with a score of the wrong type is 422 and names body.score',
  ],
  [
    'calls a problem JSON',
    operation(
      'authLogin',
      on(401, (answer) => ({ ...answer, headers: {} })),
    ),
    'a wrong password and an unknown email look the same',
  ],
  [
    'tells what is wrong with a session',
    operation(
      'verifyPlayerSession',
      on(
        401,
        withBody(() => ({ error: 'token expired' })),
      ),
    ),
    'verifyPlayerSession with a token of nobody is the same 401',
  ],
  [
    'keeps the refresh token',
    (launch) => {
      launch.answer('POST /v1/auth/refresh', ({ body }, usual) => {
        const { refresh_token } = JSON.parse(Buffer.from(body).toString());
        const answer = usual() as HttpAnswer;
        return { ...answer, body: { ...(answer.body as object), refresh_token } };
      });
    },
    'a refresh gives the same player new tokens and voids the old refresh token',
  ],
  [
    'gives tickets of another length',
    operation(
      'createRealtimeTicket',
      withBody((body) => ({ ...body, ticket: 'short' })),
    ),
    'a ticket is 43 characters of base64url, for 30 seconds',
  ],
  [
    'rejects an upgrade in JSON',
    rewriting(
      'GET /v1/ws',
      on(401, () => problem(401, 'unauthorized')),
    ),
    'an upgrade without a session is 401 in plain text',
  ],
  [
    'lets everybody in',
    (launch) => {
      launch.realtime.redeemTicket = () => launch.accounts.find(42) ?? null;
    },
    'a ticket opens one socket, without any header',
  ],
  [
    'ends the older socket with a reason',
    (launch) => {
      launch.answer('GET /v1/ws', () => {
        launch.sockets.at(-1)?.close(1000, 'replaced');
        return undefined;
      });
    },
    'a newer socket of the player ends the older one with 1000 and no reason',
  ],
  [
    'ends the older socket with another code',
    (launch) => {
      launch.answer('GET /v1/ws', () => {
        launch.sockets.at(-1)?.close(4000);
        return undefined;
      });
    },
    'a newer socket of the player ends the older one with 1000 and no reason',
  ],
  [
    'says goodbye when it should break',
    (launch) => {
      launch.answer('GET /v1/ws', () => {
        setImmediate(() => launch.sockets.at(-1)?.close(1011));
        return undefined;
      });
    },
    'a revoked session ends its socket at the next ping, without a close frame',
  ],
  [
    'gives no Retry-After at the tenant’s cap',
    rewriting(
      'GET /v1/ws',
      on(503, () => plainText(503, 'too many connections')),
    ),
    'beyond the tenant’s cap an upgrade is 503 with Retry-After: 5',
  ],
  [
    'has room for a fifth socket',
    (launch) => {
      launch.realtime.refusal = () => null;
    },
    'a player has at most 4 sockets; one more is 503, without Retry-After',
  ],
  [
    'pushes another match than the ticket has',
    operation(
      'getMatchmakerTicket',
      withBody((body) => ({ ...body, match_id: 'mm_0' })),
    ),
    'a matched ticket says what the push said',
  ],
  [
    'counts ranks from 1',
    operation(
      'leaderboardAroundMe',
      on(
        200,
        withBody((body) => ({ ...body, self_rank: (body.self_rank as number) + 1 })),
      ),
    ),
    'ranks are from 0, of equal scores the older player’s is first, without a score it is −1',
  ],
  [
    'matches without a look at queries',
    (launch) => {
      launch.answer('POST /v1/matchmaker/tickets', (request) => {
        const { query: _, ...rest } = JSON.parse(Buffer.from(request.body).toString());
        request.body = Buffer.from(JSON.stringify(rest));
        return undefined;
      });
    },
    'who does not fit the query of one is no match for it, whatever its own says',
  ],
  [
    'allows a second ticket',
    operation(
      'createMatchmakerTicket',
      on(409, (answer) => ({ ...answer, status: 201 })),
    ),
    'a second active ticket is 409 and names the first',
  ],
];

t.test('every wrong server fails the check that is about it', async (t) => {
  for (const [name, spoil, about] of WRONG) {
    const check = CHECKS.find(({ name }) => name === about);
    if (check === undefined) {
      t.fail(`no check is called: ${about}`);
      continue;
    }
    // A check that cannot even finish has found it, too.
    const found = await runCheck(check, spoil).catch((error: unknown) => [error]);
    t.ok(found.length > 0, `a server that ${name}`);
  }
});
