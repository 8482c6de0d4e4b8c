/** What goes over the wire with a request. */
import assert from 'node:assert/strict';
import { Client, StdNetTransport, type TransportRequest } from '../../../src/sdk/index.js';
import { type FakeAnswer, plainText } from '../answers.js';
import { FakeLaunch, type RecordedRequest } from '../fake-server.js';
import { type ContractTest, errorOf, type Place, type PortedCase } from './case.js';

const OPTIONAL = ['authorization', 'x-session-token', 'if-match', 'if-none-match', 'content-type'];
const ANYTHING = 'GET /v1/anything';
const OK: FakeAnswer = { status: 200, body: {} };

/** The optional headers that came, sorted. */
function sent({ headers }: RecordedRequest): string[] {
  return OPTIONAL.filter((name) => headers[name] !== undefined).sort();
}

function headersOf(place: Place): RecordedRequest['headers'] {
  return place.launch.requests[0].headers;
}

export const HEADERS: ContractTest = {
  name: 'headers and omitted headers',
  cases: [
    {
      name: 'a call without a session carries the key, the user agent and a request id, no more',
      async run(place) {
        place.launch.answer(ANYTHING, OK);
        await place.client().transport.call({ method: 'GET', path: '/v1/anything' });
        const headers = headersOf(place);
        assert.deepEqual(sent(place.launch.requests[0]), ['authorization']);
        assert.equal(headers.authorization, 'Bearer ggp_fake');
        assert.match(headers['user-agent'] ?? '', /^ggscale-ts\/\d/);
        assert.match(String(headers['x-request-id']), /^[0-9a-f]{32}$/);
      },
    },
    {
      name: 'a player’s call carries the session beside the key',
      async run(place) {
        const client = await place.player();
        await client.realtime.createTicket();
        const headers = headersOf(place);
        assert.deepEqual(sent(place.launch.requests[0]), ['authorization', 'x-session-token']);
        assert.equal(headers['x-session-token'], client.session?.accessToken);
      },
    },
    {
      name: 'a body is JSON and says so; without one there is no Content-Type',
      async run(place) {
        place.launch.answer('POST /v1/anything', OK);
        const { transport } = place.client();
        await transport.call({ method: 'POST', path: '/v1/anything', body: { a: [1, null] } });
        await transport.call({ method: 'POST', path: '/v1/anything' });
        const [withBody, without] = place.launch.requests;
        assert.equal(withBody.headers['content-type'], 'application/json');
        assert.equal(Buffer.from(withBody.body).toString(), '{"a":[1,null]}');
        assert.deepEqual(sent(without), ['authorization']);
        assert.equal(without.body.length, 0);
      },
    },
    {
      name: 'If-Match and If-None-Match are sent when given',
      async run(place) {
        place.launch.answer('PUT /v1/anything', OK);
        const { transport } = place.client();
        const request = { method: 'PUT', path: '/v1/anything', ifMatch: '7', ifNoneMatch: '"a"' };
        await transport.call(request);
        assert.equal(headersOf(place)['if-match'], '7');
        assert.equal(headersOf(place)['if-none-match'], '"a"');
      },
    },
    {
      name: 'empty credentials are left out, not sent empty',
      async run(place) {
        place.launch.answer(ANYTHING, OK);
        const empty = { apiKey: '', sessionToken: '', ifMatch: '', ifNoneMatch: '' };
        const { transport } = place.client();
        await transport.call({ method: 'GET', path: '/v1/anything', ...empty });
        assert.deepEqual(sent(place.launch.requests[0]), []);
      },
    },
    {
      name: 'the option userAgent replaces ours',
      async run(place) {
        await place.client({ userAgent: 'game/1.0' }).health.get();
        assert.equal(headersOf(place)['user-agent'], 'game/1.0');
      },
    },
    {
      name: 'the realtime handshake carries the same credentials, and a request id',
      async run(place) {
        const client = await place.player();
        const realtime = await client.dialRealtime();
        const headers = headersOf(place);
        await realtime.close();
        assert.equal(headers.authorization, 'Bearer ggp_fake');
        assert.equal(headers['x-session-token'], client.session?.accessToken);
        assert.match(String(headers['x-request-id']), /^[0-9a-f]{32}$/);
        assert.match(headers['user-agent'] ?? '', /^ggscale-ts\/\d/);
        assert.equal(place.launch.requests[0].query, '');
      },
    },
  ],
};

function query(
  name: string,
  values: NonNullable<TransportRequest['query']>,
  wanted: string,
): PortedCase {
  return {
    name,
    async run({ launch }) {
      launch.answer(ANYTHING, OK);
      const transport = new StdNetTransport({ baseUrl: launch.url, apiKey: '' });
      await transport.call({ method: 'GET', path: '/v1/anything', query: values });
      assert.equal(launch.requests[0].query, wanted);
    },
  };
}

export const QUERY_ORDER: ContractTest = {
  name: 'query order',
  cases: [
    query('names are sorted', { limit: 5, cursor: 'c', a: true }, 'a=true&cursor=c&limit=5'),
    query('the order of writing does not show', { b: 1, a: 2 }, 'a=2&b=1'),
    query('values of one name keep theirs', { id: [3, 1, 2] }, 'id=3&id=1&id=2'),
    query('undefined is left out, empty is not', { a: undefined, b: '' }, 'b='),
    query('special characters are escaped', { q: 'a b&c=ü' }, 'q=a+b%26c%3D%C3%BC'),
    query('without values there is no question mark', {}, ''),
  ],
};

export const STABLE_REQUEST_ID: ContractTest = {
  name: 'stable request id',
  cases: [
    {
      name: 'every attempt of a call has the call’s id',
      async run(place) {
        place.launch.answer('GET /v1/healthz', plainText(503, 'busy'), { times: 2 });
        await place.client().health.get();
        const ids = place.launch.requests.map(({ headers }) => headers['x-request-id']);
        assert.equal(ids.length, 3);
        assert.equal(new Set(ids).size, 1);
      },
    },
    {
      name: 'the retry after a refresh has it, too',
      async run(place) {
        const client = await place.player();
        place.launch.answer('POST /v1/ws/ticket', plainText(401, 'unauthorized'), { times: 1 });
        await client.realtime.createTicket();
        const calls = place.launch.requestsTo('POST /v1/ws/ticket');
        const ids = calls.map(({ headers }) => headers['x-request-id']);
        assert.equal(ids.length, 2);
        assert.equal(ids[0], ids[1]);
      },
    },
    {
      name: 'two calls have two ids',
      async run(place) {
        const { health } = place.client();
        await health.get();
        await health.get();
        const [first, second] = place.launch.requests;
        assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id']);
      },
    },
    {
      name: 'an id that is given is sent',
      async run(place) {
        const request = { method: 'GET', path: '/v1/healthz', requestId: 'of-the-caller' };
        await place.client().transport.call(request);
        assert.equal(headersOf(place)['x-request-id'], 'of-the-caller');
      },
    },
    {
      name: 'an error names the id that the server answered with',
      async run(place) {
        const answer = { status: 404, headers: { 'X-Request-Id': 'of-the-server' } };
        place.launch.answer('GET /v1/healthz', answer);
        assert.equal((await errorOf(place.client().health.get())).requestId, 'of-the-server');
      },
    },
  ],
};

/** A second server: another origin. */
async function withOther(run: (other: FakeLaunch) => Promise<void>): Promise<void> {
  const other = await FakeLaunch.start();
  try {
    await run(other);
  } finally {
    await other.close();
  }
}

function redirect(status: number, to: string): FakeAnswer {
  return { status, headers: { Location: to } };
}

const SECRETS = { sessionToken: 'session', headers: { Cookie: 'c=1' } };

export const REDIRECTS: ContractTest = {
  name: 'credentials stripped on redirect',
  cases: [
    {
      name: 'another origin gets neither key nor session nor cookie',
      run: ({ launch }) =>
        withOther(async (other) => {
          launch.answer(ANYTHING, redirect(307, `${other.url}/v1/healthz`));
          const transport = new StdNetTransport({ baseUrl: launch.url, apiKey: 'key' });
          await transport.call({ method: 'GET', path: '/v1/anything', ...SECRETS });
          assert.ok(launch.requests[0].headers.authorization);
          const { headers } = other.requests[0];
          const found = ['authorization', 'x-session-token', 'cookie'].filter((n) => headers[n]);
          assert.deepEqual(found, []);
        }),
    },
    {
      name: 'what came back from another origin has lost them for good',
      run: ({ launch }) =>
        withOther(async (other) => {
          launch.answer(ANYTHING, redirect(307, `${other.url}/v1/anything`));
          other.answer(ANYTHING, redirect(307, `${launch.url}/v1/healthz`));
          const transport = new StdNetTransport({ baseUrl: launch.url, apiKey: 'key' });
          await transport.call({ method: 'GET', path: '/v1/anything', ...SECRETS });
          assert.equal(launch.requests.at(-1)?.path, '/v1/healthz');
          assert.equal(launch.requests.at(-1)?.headers.authorization, undefined);
        }),
    },
    {
      name: 'the same origin keeps them',
      async run(place) {
        place.launch.answer(ANYTHING, redirect(307, '/v1/healthz'));
        const { transport } = place.client();
        await transport.call({ method: 'GET', path: '/v1/anything', ...SECRETS });
        const { headers } = place.launch.requests[1];
        assert.equal(headers.authorization, 'Bearer ggp_fake');
        assert.equal(headers['x-session-token'], 'session');
      },
    },
    {
      name: 'a body does not leave the origin',
      run: (place) =>
        withOther(async (other) => {
          place.launch.answer('POST /v1/auth/login', redirect(307, `${other.url}/v1/auth/login`));
          const body = { email: 'e', password: 'secret' };
          const request = { method: 'POST', path: '/v1/auth/login', body };
          const error = await errorOf(place.client().transport.call(request));
          assert.equal(error.kind, 'protocol');
          assert.equal(other.requests.length, 0);
        }),
    },
    {
      name: 'ten redirects are followed, the eleventh is an error',
      async run(place) {
        const { launch } = place;
        const { transport } = place.client();
        launch.answer(ANYTHING, redirect(302, '/v1/anything'), { times: 10 });
        launch.answer(ANYTHING, OK, { times: 1 });
        await transport.call({ method: 'GET', path: '/v1/anything' });
        assert.equal(launch.requests.length, 11);
        launch.answer(ANYTHING, redirect(302, '/v1/anything'));
        const error = await errorOf(transport.call({ method: 'GET', path: '/v1/anything' }));
        assert.equal(error.kind, 'protocol');
        assert.equal(launch.requests.length, 22);
      },
    },
  ],
};

/** @param secret what must not be in the message */
function refusedUrl(baseUrl: unknown, secret?: string): PortedCase {
  return {
    name: `${JSON.stringify(baseUrl)} is refused`,
    async run() {
      const create = () => new Client({ apiKey: 'key', baseUrl: baseUrl as string });
      assert.throws(create, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'bad-option');
        if (secret !== undefined) assert.ok(!error.message.includes(secret), error.message);
        return true;
      });
    },
  };
}

export const BASE_URL: ContractTest = {
  name: 'base-URL rejections',
  cases: [
    refusedUrl('api.example.com'),
    refusedUrl('/v1'),
    refusedUrl('//api.example.com'),
    refusedUrl('ftp://api.example.com'),
    refusedUrl('ws://api.example.com'),
    refusedUrl('https://'),
    refusedUrl('https://user:secret@api.example.com', 'secret'),
    refusedUrl('https://user@api.example.com'),
    refusedUrl('https://api.example.com/?token=secret', 'secret'),
    refusedUrl('https://api.example.com/#secret', 'secret'),
    refusedUrl(7),
    {
      name: 'without a base URL and a transport the message is the contract’s',
      async run() {
        const create = () => new Client({ apiKey: 'key' });
        assert.throws(create, { message: 'ggscale: either Transport or BaseURL is required' });
      },
    },
    {
      name: 'without a key the message is the contract’s',
      async run({ launch }) {
        const create = () => new Client({ apiKey: '', baseUrl: launch.url });
        assert.throws(create, { message: 'ggscale: APIKey is required' });
      },
    },
    {
      name: 'trailing slashes are trimmed, a path is kept',
      async run({ launch }) {
        launch.answer('GET /below/v1/healthz', OK);
        await new Client({ apiKey: 'key', baseUrl: `${launch.url}/below//` }).health.get();
        assert.equal(launch.requests[0].path, '/below/v1/healthz');
      },
    },
  ],
};
