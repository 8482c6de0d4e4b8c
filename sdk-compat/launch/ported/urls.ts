/** Where a request goes: base URLs and redirects. */
import assert from 'node:assert/strict';
import { Client, StdNetTransport } from '../../../src/sdk/index.js';
import type { FakeAnswer } from '../answers.js';
import { FakeLaunch } from '../fake-server.js';
import { type ContractTest, errorOf, type PortedCase } from './case.js';

const ANYTHING = 'GET /v1/anything';
const OK: FakeAnswer = { status: 200, body: {} };

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
