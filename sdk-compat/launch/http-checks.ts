/** The checks of the operations, generated from the contract's table. */
import type { Check, Subject } from './check.js';
import { equal, expect, isLegacy, isPlainText, isProblem } from './check.js';
import { ENDPOINTS, type Endpoint, LIMITS, type Operation, type Shape } from './contract.js';
import { EXAMPLES } from './examples.js';
import { misfits } from './shapes.js';
import { type Answer, type CallOptions, call } from './test-support.js';

const OPERATIONS = Object.entries(ENDPOINTS) as [Operation, Endpoint][];

/** The one operation whose every refusal is the same. */
const OPAQUE: Operation = 'verifyPlayerSession';

/** Calls it as the contract wants it, but for what is given. */
async function perform(
  operation: Operation,
  subject: Subject,
  { body, ...options }: CallOptions & { body?: unknown } = {},
): Promise<Answer> {
  const endpoint: Endpoint = ENDPOINTS[operation];
  const { launch, player } = subject;
  const example = (await EXAMPLES[operation]?.(subject)) ?? {};
  const path = endpoint.path.replace(/\{\w+\}/g, () => encodeURIComponent(example.param ?? ''));
  const isSecret = endpoint.tier === 'secret';
  return call(launch, endpoint.method, path + (example.query ?? ''), body ?? example.body, {
    key: isSecret ? launch.secretKey : launch.publishableKey,
    ...(endpoint.tier === 'player' && { token: player.access_token }),
    ...options,
  });
}

function successOf([operation, endpoint]: [Operation, Endpoint]): Check {
  return {
    name: `${operation} answers ${endpoint.status} in the contract's shape`,
    async run(subject) {
      const answer = await perform(operation, subject);
      const found = equal('the status', answer.status, endpoint.status);
      if (endpoint.response === undefined) return [...found, ...equal('the body', answer.text, '')];
      const type = answer.headers.get('Content-Type');
      return [
        ...found,
        ...equal('the type', type, 'application/json'),
        ...(endpoint.response === 'json' ? [] : misfits(endpoint.response, answer.body)),
      ];
    },
  };
}

function headersOf([operation]: [Operation, Endpoint]): Check {
  return {
    name: `${operation} tells the API version and the request's id`,
    async run(subject) {
      const id = '0123456789abcdef0123456789abcdef';
      const { headers } = await perform(operation, subject, { headers: { 'X-Request-Id': id } });
      return [
        ...equal('X-API-Version', headers.get('X-API-Version'), 'v1'),
        ...equal('X-Request-Id', headers.get('X-Request-Id'), id),
      ];
    },
  };
}

function keyGatesOf([operation]: [Operation, Endpoint]): Check[] {
  const key = (name: string, wrong: string | null, status: number, text: string): Check => ({
    name: `${operation} ${name} is ${status} in plain text`,
    async run(subject) {
      return isPlainText(await perform(operation, subject, { key: wrong }), status, text);
    },
  });
  return [
    key('without an API key', null, 401, 'unauthorized'),
    key('with an unknown API key', 'ggp_unknown', 401, 'unauthorized'),
    {
      name: `${operation} with a revoked API key is 403 in plain text`,
      async run(subject) {
        const { launch } = subject;
        const { [operation]: example } = EXAMPLES;
        await example?.(subject); // while the key is good
        launch.revokeKey(launch.publishableKey);
        launch.revokeKey(launch.secretKey);
        const { method, path } = ENDPOINTS[operation];
        const { publishableKey, secretKey } = launch;
        const isSecret = ENDPOINTS[operation].tier === 'secret';
        const options = { key: isSecret ? secretKey : publishableKey };
        const to = path.replace(/\{\w+\}/g, '1');
        return isPlainText(await call(launch, method, to, undefined, options), 403, 'forbidden');
      },
    },
  ];
}

function secretGateOf([operation]: [Operation, Endpoint]): Check {
  return {
    name: `${operation} with a publishable key is 403 in plain text`,
    async run(subject) {
      const { publishableKey } = subject.launch;
      return isPlainText(
        await perform(operation, subject, { key: publishableKey }),
        403,
        'forbidden',
      );
    },
  };
}

function playerGatesOf([operation]: [Operation, Endpoint]): Check[] {
  const token = (name: string, wrong: string): Check => ({
    name: `${operation} with ${name} is 401 in plain text`,
    async run(subject) {
      return isPlainText(await perform(operation, subject, { token: wrong }), 401, 'unauthorized');
    },
  });
  const challenged = (why: string, end: (subject: Subject) => void): Check => ({
    name: `${operation} with a session that is ${why} is 401 and says so`,
    async run(subject) {
      const { launch, player } = subject;
      const { method, path } = ENDPOINTS[operation];
      end(subject);
      const to = path.replace(/\{\w+\}/g, '1');
      const options = { token: player.access_token };
      const answer = await call(launch, method, to, undefined, options);
      const told = why === 'expired' ? 'token expired' : 'session revoked';
      const challenge = `Bearer error="invalid_token", error_description="${told}"`;
      return [
        ...isPlainText(answer, 401, 'unauthorized'),
        ...equal('WWW-Authenticate', answer.headers.get('WWW-Authenticate'), challenge),
      ];
    },
  });
  return [
    token('no session token', ''),
    token('a session token of nobody', 'not.a.token'),
    challenged('expired', ({ time }) => {
      time.nowMs += LIMITS.accessTokenTtlMs + LIMITS.tokenLeewayMs;
    }),
    challenged('revoked', ({ launch, player }) => launch.accounts.revoke(player.player_id)),
  ];
}

/** Never the right type for any field. */
const WRONG: Record<string, unknown> = {
  string: 7,
  integer: 'seven',
  number: 'seven',
  boolean: 'yes',
  time: 7,
  array: {},
  object: [],
};

function bodyChecksOf([operation, { request }]: [Operation, Endpoint]): Check[] {
  const refused = (name: string, spoil: (body: Record<string, unknown>) => void, at: string) => ({
    name: `${operation} with ${name} is 422 and names ${at}`,
    async run(subject: Subject) {
      const example = await EXAMPLES[operation]?.(subject);
      const body = { ...(example?.body as object) };
      spoil(body);
      const answer = await perform(operation, subject, { body });
      const locations = (answer.body?.errors ?? []).map(
        ({ location }: { location: string }) => location,
      );
      return [...isProblem(answer, 422), ...expect(locations.includes(at), 'it names', locations)];
    },
  });
  return Object.entries(request as Shape).flatMap(([field, type]) => {
    const name = field.replace(/\?$/, '');
    const checks: Check[] = [];
    if (name === field) checks.push(refused(`no ${name}`, (body) => delete body[name], 'body'));
    if (type !== 'any') {
      const at = `body.${name}`;
      const spoil = (body: Record<string, unknown>) => {
        body[name] = WRONG[type];
      };
      checks.push(refused(`a ${name} of the wrong type`, spoil, at));
    }
    return checks;
  });
}

function formChecksOf([operation]: [Operation, Endpoint]): Check[] {
  return [
    {
      name: `${operation} with a field that nobody knows is 422`,
      async run(subject) {
        const example = await EXAMPLES[operation]?.(subject);
        const body = { ...(example?.body as object), unheard_of: 1 };
        return isProblem(await perform(operation, subject, { body }), 422);
      },
    },
    {
      name: `${operation} with a body that is no JSON is 400`,
      async run(subject) {
        return isProblem(await perform(operation, subject, { body: '{' }), 400);
      },
    },
  ];
}

function opaqueChecks(): Check[] {
  const bodies: [string, unknown][] = [
    ['a token of nobody', { session_token: 'not.a.token' }],
    ['no token', {}],
    ['a field that nobody knows', { session_token: 'not.a.token', more: 1 }],
    ['a body that is no JSON', '{'],
  ];
  return bodies.map(([name, body]) => ({
    name: `${OPAQUE} with ${name} is the same 401`,
    async run(subject) {
      const answer = await perform(OPAQUE, subject, { body });
      return [
        ...isLegacy(answer, 401),
        ...equal('the error', answer.body?.error, 'invalid session'),
      ];
    },
  }));
}

export function httpChecks(): Check[] {
  const withKey = OPERATIONS.filter(([, { tier }]) => tier !== 'open');
  const ofPlayers = OPERATIONS.filter(([, { tier }]) => tier === 'player');
  const ofServers = OPERATIONS.filter(([, { tier }]) => tier === 'secret');
  const withBody = OPERATIONS.filter(
    ([operation, { request }]) => typeof request === 'object' && operation !== OPAQUE,
  );
  return [
    ...OPERATIONS.map(successOf),
    ...OPERATIONS.map(headersOf),
    ...withKey.flatMap(keyGatesOf),
    ...ofServers.map(secretGateOf),
    ...ofPlayers.flatMap(playerGatesOf),
    ...withBody.flatMap(bodyChecksOf),
    ...withBody.flatMap(formChecksOf),
    ...opaqueChecks(),
  ];
}
