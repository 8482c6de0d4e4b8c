/** What the client makes of answers outside 2xx, and of none. */
import assert from 'node:assert/strict';
import * as sdk from '../../../src/sdk/index.js';
import { type HttpAnswer, legacy, plainText, problem, rateLimited } from '../answers.js';
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
      'both envelopes at once',
      {
        status: 409,
        body: { code: 'new', error: 'old', title: 'T', detail: 'words', message: 'older words' },
      },
      { code: 'new', message: 'words', is: 'isConflict' },
    ),
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
