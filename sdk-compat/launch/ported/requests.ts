/** What goes over the wire with a request. */
import assert from 'node:assert/strict';
import { StdNetTransport, type TransportRequest } from '../../../src/sdk/index.js';
import { type FakeAnswer, plainText } from '../answers.js';
import type { RecordedRequest } from '../fake-server.js';
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
