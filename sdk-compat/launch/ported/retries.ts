/** What is tried again, and when. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type FakeAnswer, plainText, rateLimited } from '../answers.js';
import { type ContractTest, errorOf, type PortedCase } from './case.js';

/** How often a request is sent that is always answered like this. */
function sentTimes(
  name: string,
  request: { method: string; replaySafe?: boolean; headers?: Record<string, string> },
  answer: FakeAnswer,
  wanted: number,
): PortedCase {
  return {
    name: `${name}: ${wanted === 1 ? 'once' : `${wanted} times`}`,
    async run(place) {
      place.launch.answer(`${request.method} /v1/anything`, answer);
      await errorOf(place.client().transport.call({ path: '/v1/anything', ...request }));
      assert.equal(place.launch.requests.length, wanted);
    },
  };
}

const BUSY = plainText(503, 'busy');

export const NO_UNSAFE_RETRY: ContractTest = {
  name: 'no retry of unsafe methods',
  cases: [
    ...['POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) => [
      sentTimes(`a ${method} that is answered 503`, { method }, BUSY, 1),
      sentTimes(`a ${method} whose connection breaks`, { method }, 'drop', 1),
    ]),
    sentTimes('a POST that is replay-safe', { method: 'POST', replaySafe: true }, BUSY, 3),
    sentTimes(
      'a POST with an idempotency key',
      { method: 'POST', headers: { 'Idempotency-Key': 'k' } },
      BUSY,
      3,
    ),
    ...['GET', 'HEAD'].map((method) => sentTimes(`a ${method}`, { method }, BUSY, 3)),
    sentTimes('a GET whose connection breaks', { method: 'GET' }, 'drop', 3),
    ...[408, 429, 502, 503, 504].map((status) =>
      sentTimes(`a GET that is answered ${status}`, { method: 'GET' }, { status }, 3),
    ),
    ...[400, 401, 403, 404, 409, 412, 422, 500, 501].map((status) =>
      sentTimes(`a GET that is answered ${status}`, { method: 'GET' }, { status }, 1),
    ),
  ],
};

/** A logger that keeps the waits between attempts. */
function waitsOf() {
  const waits: unknown[] = [];
  const logger = {
    info(fields: { event?: string; delayMs?: unknown }) {
      if (fields.event === 'http.retry') waits.push(fields.delayMs);
    },
    warn() {},
  };
  return { waits, logger };
}

export const RETRY_AFTER: ContractTest = {
  name: 'Retry-After beyond the deadline',
  cases: [
    {
      name: 'it is returned at once, with the server’s answer',
      async run(place) {
        place.launch.answer('GET /v1/healthz', rateLimited(3600));
        const error = await errorOf(place.client().health.get({ timeoutMs: 60_000 }));
        assert.ok(sdk.isRateLimited(error));
        assert.equal(error.retryAfter, 3600);
        assert.equal(place.launch.requests.length, 1);
      },
    },
    {
      name: 'so it is with the client’s limit',
      async run(place) {
        place.launch.answer('GET /v1/healthz', rateLimited(3600));
        const error = await errorOf(place.client({ callTimeoutMs: 60_000 }).health.get());
        assert.ok(sdk.isRateLimited(error));
        assert.equal(place.launch.requests.length, 1);
      },
    },
    {
      name: 'so it is with the default of 30 s',
      async run(place) {
        place.launch.answer('GET /v1/healthz', rateLimited(31));
        assert.ok(sdk.isRateLimited(await errorOf(place.client().health.get())));
        assert.equal(place.launch.requests.length, 1);
      },
    },
    {
      name: 'one that fits is the least that is waited',
      async run(place) {
        const { waits, logger } = waitsOf();
        place.launch.answer('GET /v1/healthz', rateLimited(1), { times: 1 });
        await place.client({ logger }).health.get();
        assert.deepEqual(waits, [1000]);
        assert.equal(place.launch.requests.length, 2);
      },
    },
    {
      name: 'without one the wait is jittered below a cap that doubles',
      async run(place) {
        const { waits, logger } = waitsOf();
        const caps: number[] = [];
        const jitter = (capMs: number) => {
          caps.push(capMs);
          return 0;
        };
        place.launch.answer('GET /v1/healthz', BUSY);
        await errorOf(place.client({ logger, retryPolicy: { jitter } }).health.get());
        assert.deepEqual(caps, [250, 500]);
        assert.deepEqual(waits, [0, 0]);
      },
    },
  ],
};
