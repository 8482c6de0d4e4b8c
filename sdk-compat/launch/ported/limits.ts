/** How much and how long the client takes. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type HttpAnswer, plainText } from '../answers.js';
import { type ContractTest, errorOf, type PortedCase } from './case.js';

const BUSY = plainText(503, 'busy');
const CAP = { maxResponseBodyBytes: 1024 };
const MIB = new Uint8Array(1024 * 1024).fill(0x20);

function textOf(bytes: number): string {
  return `"${'x'.repeat(bytes - 2)}"`;
}

function capped(name: string, answer: HttpAnswer, options: object = CAP): PortedCase {
  return {
    name,
    async run(place) {
      place.launch.answer('GET /v1/healthz', answer);
      const error = await errorOf(place.client(options).health.get());
      assert.ok(error instanceof sdk.RequestError);
      assert.equal(error.kind, 'protocol');
      assert.match(error.message, /larger than/);
    },
  };
}

export const BODY_CAP: ContractTest = {
  name: 'body cap',
  cases: [
    {
      name: 'a body of exactly the cap is read',
      async run(place) {
        place.launch.answer('GET /v1/anything', { status: 200, body: textOf(1024) });
        const { transport } = place.client(CAP);
        const body = await transport.call({ method: 'GET', path: '/v1/anything' });
        assert.equal((body as string).length, 1022);
      },
    },
    capped('one byte more is refused', { status: 200, body: textOf(1025) }),
    capped('so it is without Content-Length', { status: 200, chunks: [textOf(1000), textOf(25)] }),
    capped('so it is with an error’s body', { status: 500, body: textOf(1025) }),
    capped('the default is 64 MiB', { status: 200, chunks: Array(65).fill(MIB) }, {}),
    {
      name: 'a realtime message beyond 1 MiB ends the connection with 1009',
      async run(place) {
        const realtime = await (await place.player()).dialRealtime();
        place.launch.sockets[0].pushText(JSON.stringify({ type: 'x'.repeat(1024 * 1024) }));
        const error = await errorOf(realtime.readMessage());
        assert.ok(error instanceof sdk.RealtimeError);
        assert.equal(error.closeCode, 1009);
      },
    },
    {
      name: 'a realtime message of exactly the limit is read',
      async run(place) {
        const client = await place.player({ realtimeReadLimit: 64 });
        const realtime = await client.dialRealtime();
        place.launch.sockets[0].pushText(JSON.stringify({ type: 'x'.repeat(53) }));
        assert.equal((await realtime.readMessage()).type.length, 53);
        await realtime.close();
      },
    },
  ],
};

async function* neverEnding(): AsyncGenerator<string> {
  yield '{';
  await new Promise(() => {});
}

async function kindOf(call: Promise<unknown>): Promise<unknown> {
  const error = await errorOf(call);
  assert.ok(error instanceof sdk.RequestError, String(error));
  return error.kind;
}

export const DEADLINES: ContractTest = {
  name: 'deadlines',
  cases: [
    {
      name: 'a server that does not answer is a timeout',
      async run(place) {
        place.launch.answer('GET /v1/healthz', 'hang');
        assert.equal(await kindOf(place.client().health.get({ timeoutMs: 20 })), 'timeout');
      },
    },
    {
      name: 'so is one that begins to answer and stops',
      async run(place) {
        place.launch.answer('GET /v1/healthz', { status: 200, chunks: neverEnding() });
        assert.equal(await kindOf(place.client().health.get({ timeoutMs: 50 })), 'timeout');
      },
    },
    {
      name: 'the client’s limit is for calls that bring none',
      async run(place) {
        place.launch.answer('GET /v1/healthz', 'hang');
        assert.equal(await kindOf(place.client({ callTimeoutMs: 20 }).health.get()), 'timeout');
      },
    },
    {
      name: 'the limit is for all attempts together',
      async run(place) {
        place.launch.answer('GET /v1/healthz', BUSY, { times: 1 });
        place.launch.answer('GET /v1/healthz', 'hang');
        assert.equal(await kindOf(place.client().health.get({ timeoutMs: 50 })), 'timeout');
        assert.equal(place.launch.requests.length, 2);
      },
    },
    {
      name: 'a signal of AbortSignal.timeout is a timeout',
      async run(place) {
        place.launch.answer('GET /v1/healthz', 'hang');
        const signal = AbortSignal.timeout(20);
        assert.equal(await kindOf(place.client().health.get({ signal })), 'timeout');
      },
    },
    {
      name: 'a caller who gives up is no timeout',
      async run(place) {
        const controller = new AbortController();
        place.launch.answer('GET /v1/healthz', () => {
          controller.abort();
          return 'hang';
        });
        const { signal } = controller;
        assert.equal(await kindOf(place.client().health.get({ signal })), 'canceled');
      },
    },
    {
      name: 'what was given up before is not sent',
      async run(place) {
        const signal = AbortSignal.abort();
        assert.equal(await kindOf(place.client().health.get({ signal })), 'canceled');
        assert.equal(place.launch.requests.length, 0);
      },
    },
    {
      name: 'a handshake that is not answered ends after its own limit',
      async run(place) {
        const client = await place.player({ webSocketHandshakeTimeoutMs: 20 });
        place.launch.answer('GET /v1/ws', 'hang');
        const error = await errorOf(client.dialRealtime());
        assert.ok(error instanceof sdk.RealtimeDialError, String(error));
        assert.equal(error.status, 0);
      },
    },
  ],
};
