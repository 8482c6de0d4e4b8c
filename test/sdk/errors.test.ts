import t from 'tap';
import { legacy, plainText, problem } from '../../sdk-compat/launch/answers.js';
import * as sdk from '../../src/sdk/index.js';
import { errorOf, start } from './support.js';

const POST = { method: 'POST', path: '/v1/x', body: {} };

const PREDICATES: [(error: unknown) => boolean, number[]][] = [
  [sdk.isUnauthorized, [401]],
  [sdk.isForbidden, [403]],
  [sdk.isNotFound, [404]],
  [sdk.isConflict, [409, 412]],
  [sdk.isRateLimited, [429]],
  [sdk.isBadRequest, [400]],
  [sdk.isValidation, [422]],
];

t.test('each status is what its predicate says, and nothing else is', async (t) => {
  const { launch, client } = await start(t);
  const statuses = [400, 401, 403, 404, 409, 412, 418, 422, 429, 500, 503];
  for (const status of statuses) {
    launch.answer('POST /v1/x', problem(status, 'no'), { times: 1 });
    const error = await errorOf(client.transport.call(POST));
    t.ok(error instanceof sdk.GGScaleError);
    for (const [is, wanted] of PREDICATES) {
      t.equal(is(error), wanted.includes(status), `${is.name} of ${status}`);
    }
  }
  for (const [is] of PREDICATES) {
    t.notOk(is(new Error('no')));
    t.notOk(is(undefined));
  }
});

t.test('problem JSON: code, detail, fields, version that stands', async (t) => {
  const { launch, client } = await start(t);
  const errors = [{ message: 'too long', location: 'body.name', value: 'x' }];
  const extra = { code: 'stale', type: 'about:blank', instance: '/i/1', version: 12, errors };
  const headers = { 'X-Request-Id': 'r-1', 'Retry-After': '7' };
  launch.answer('POST /v1/x', problem(409, 'someone was faster', { ...extra, headers }));
  t.match(await errorOf(client.transport.call(POST)), {
    name: 'GGScaleError',
    status: 409,
    code: 'stale',
    message: 'ggscale: HTTP 409: someone was faster',
    requestId: 'r-1',
    retryAfter: 7,
    details: errors,
    conflictVersion: 12,
    problem: {
      type: 'about:blank',
      title: 'Conflict',
      detail: 'someone was faster',
      instance: '/i/1',
    },
  });
});

t.test('the legacy envelope: error, message, retry_after_seconds', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('POST /v1/x', legacy(429, 'rate_limit_exceeded', 9), { times: 1 });
  const limited = await errorOf(client.transport.call(POST));
  t.match(limited, { status: 429, code: 'rate_limit_exceeded', retryAfter: 9 });
  const body = { error: 'nope', message: 'not like that', retry_after_seconds: 4 };
  launch.answer('POST /v1/x', { status: 400, body });
  t.match(await errorOf(client.transport.call(POST)), {
    code: 'nope',
    message: 'ggscale: HTTP 400: not like that',
    retryAfter: 4,
  });
});

t.test('plain text: all of it is the message, up to 4 KiB; no text, the status', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('POST /v1/x', plainText(403, 'forbidden'), { times: 1 });
  const plain = await errorOf(client.transport.call(POST));
  t.match(plain, { status: 403, code: '', message: 'ggscale: HTTP 403: forbidden' });
  t.equal(plain.requestId, launch.requests[0].headers['x-request-id']);
  launch.answer('POST /v1/x', { status: 500, body: 'y'.repeat(9000) }, { times: 1 });
  const long = await errorOf(client.transport.call(POST));
  t.equal(long.message.match(/y/g)?.length, 4096);
  launch.answer('POST /v1/x', { status: 404 });
  const empty = await errorOf(client.transport.call(POST));
  t.equal(empty.message, 'ggscale: HTTP 404: Not Found');
});

t.test('Retry-After is seconds or a date; the longer of header and body counts', async (t) => {
  const { launch, client } = await start(t);
  const after = async (retryAfter: string, body: unknown = 'x') => {
    const headers = { 'Retry-After': retryAfter };
    launch.answer('POST /v1/x', { status: 503, headers, body }, { times: 1 });
    return (await errorOf(client.transport.call(POST))).retryAfter as number;
  };
  t.equal(await after('5'), 5);
  t.equal(await after('5', { error: 'e', retry_after_seconds: 8 }), 8);
  t.equal(await after('9', { error: 'e', retry_after_seconds: 8 }), 9);
  const minute = await after(new Date(Date.now() + 60_000).toUTCString());
  t.ok(minute > 0 && minute <= 60, `${minute}`);
  for (const none of ['-5', 'soon', new Date(0).toUTCString(), '']) t.equal(await after(none), 0);
});

t.test('a ticket that is active already is told apart, with its id', async (t) => {
  const { launch, client } = await start(t);
  const errors = [{ message: 'active', location: 'active_ticket_id', value: 77 }];
  const extra = { code: 'ticket_already_active', errors };
  launch.answer('POST /v1/x', problem(409, 'one at a time', extra), { times: 1 });
  const error = await errorOf(client.transport.call(POST));
  t.ok(sdk.isTicketActive(error));
  t.equal(sdk.activeTicketIdOf(error as never), 77);
  launch.answer('POST /v1/x', {
    status: 409,
    body: { error: 'x', message: 'ticket_already_active' },
  });
  const old = await errorOf(client.transport.call(POST));
  t.ok(sdk.isTicketActive(old));
  t.equal(sdk.activeTicketIdOf(old as never), 0);
});
