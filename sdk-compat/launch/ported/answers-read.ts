/** What the client makes of answers: errors, retries, limits. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import {
  type FakeAnswer,
  type HttpAnswer,
  legacy,
  plainText,
  problem,
  rateLimited,
} from '../answers.js';
import { type ContractTest, errorOf, type PortedCase } from './case.js';

const PREDICATES = {
  isUnauthorized: sdk.isUnauthorized,
  isForbidden: sdk.isForbidden,
  isNotFound: sdk.isNotFound,
  isConflict: sdk.isConflict,
  isRateLimited: sdk.isRateLimited,
  isBadRequest: sdk.isBadRequest,
  isValidation: sdk.isValidation,
};

interface Wanted {
  code?: string;
  message: string;
  retryAfter?: number;
  details?: unknown;
  /** The one that is true. */
  is?: keyof typeof PREDICATES;
}

const NO_RETRY = { retryPolicy: { maxAttempts: 1 } };

function row(name: string, answer: HttpAnswer, wanted: Wanted): PortedCase {
  return {
    name: `${name}, ${answer.status}`,
    async run(place) {
      place.launch.answer('GET /v1/healthz', answer);
      const error = await errorOf(place.client(NO_RETRY).health.get());
      assert.ok(error instanceof sdk.GGScaleError);
      assert.equal(error.status, answer.status);
      assert.equal(error.message, `ggscale: HTTP ${answer.status}: ${wanted.message}`);
      assert.equal(error.code, wanted.code ?? '');
      assert.equal(error.retryAfter, wanted.retryAfter ?? 0);
      assert.deepEqual(error.details, wanted.details);
      const held = Object.entries(PREDICATES).filter(([, isOf]) => isOf(error));
      const names = held.map(([name]) => name);
      assert.deepEqual(names, wanted.is === undefined ? [] : [wanted.is]);
    },
  };
}

const FIELD = [{ message: 'expected integer', location: 'body.score', value: 'x' }];

export const ERROR_TABLE: ContractTest = {
  name: 'error table',
  cases: [
    row('plain text', plainText(401, 'unauthorized'), {
      message: 'unauthorized',
      is: 'isUnauthorized',
    }),
    row('plain text', plainText(403, 'forbidden'), { message: 'forbidden', is: 'isForbidden' }),
    row('plain text', plainText(500, 'internal error'), { message: 'internal error' }),
    row('plain text with a wait', plainText(503, 'too many connections', { 'Retry-After': '5' }), {
      message: 'too many connections',
      retryAfter: 5,
    }),
    row('problem JSON', problem(400, 'unknown fleet'), {
      message: 'unknown fleet',
      is: 'isBadRequest',
    }),
    row('problem JSON', problem(404, 'not found'), { message: 'not found', is: 'isNotFound' }),
    row('problem JSON', problem(409, 'version conflict'), {
      message: 'version conflict',
      is: 'isConflict',
    }),
    row('problem JSON', problem(412, 'stale'), { message: 'stale', is: 'isConflict' }),
    row('problem JSON with fields', problem(422, 'validation failed', { errors: FIELD }), {
      message: 'validation failed',
      details: FIELD,
      is: 'isValidation',
    }),
    row('problem JSON with a code', problem(409, 'the words', { code: 'stale_version' }), {
      code: 'stale_version',
      message: 'the words',
      is: 'isConflict',
    }),
    row(
      'problem JSON with a title only',
      { status: 404, body: { title: 'Not Found' } },
      {
        message: 'Not Found',
        is: 'isNotFound',
      },
    ),
    row('the legacy envelope', rateLimited(7), {
      code: 'rate_limit_exceeded',
      message: 'rate_limit_exceeded',
      retryAfter: 7,
      is: 'isRateLimited',
    }),
    row(
      'the legacy envelope with a message',
      {
        status: 429,
        body: { error: 'slow_down', message: 'later', retry_after_seconds: 3 },
      },
      { code: 'slow_down', message: 'later', retryAfter: 3, is: 'isRateLimited' },
    ),
    row('the legacy envelope of a timeout', legacy(503, 'request_timeout', 1), {
      code: 'request_timeout',
      message: 'request_timeout',
      retryAfter: 1,
    }),
    row(
      'JSON that is no object',
      { status: 400, body: [1] },
      {
        message: '[1]',
        is: 'isBadRequest',
      },
    ),
    row('an empty body', { status: 404 }, { message: 'Not Found', is: 'isNotFound' }),
    {
      name: 'an active ticket is found in the error',
      async run(place) {
        const client = await place.player();
        const pair = { minCount: 2, maxCount: 2 };
        const { id } = await client.matchmaker.createTicket(pair);
        const error = await errorOf(client.matchmaker.createTicket(pair));
        assert.ok(sdk.isTicketActive(error) && sdk.isConflict(error));
        assert.equal(sdk.activeTicketIdOf(error), id);
      },
    },
    {
      name: 'an answer that is no JSON is a decode error',
      async run(place) {
        place.launch.answer('GET /v1/healthz', { status: 200, body: '<html>' });
        const error = await errorOf(place.client().health.get());
        assert.ok(error instanceof sdk.RequestError);
        assert.equal(error.kind, 'decode');
      },
    },
    {
      name: 'a port that nobody listens on is a connect error',
      async run(place) {
        const client = place.client();
        await place.launch.close();
        const error = await errorOf(client.health.get());
        assert.ok(error instanceof sdk.RequestError);
        assert.equal(error.kind, 'connect');
      },
    },
  ],
};

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
