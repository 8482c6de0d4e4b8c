import t from 'tap';
import { problem, rateLimited } from '../../sdk-compat/launch/answers.js';
import type { ClientOptions } from '../../src/sdk/index.js';
import { errorOf, start } from './support.js';

const GET = { method: 'GET', path: '/v1/x' };
const POST = { method: 'POST', path: '/v1/x', body: {} };

/** The waits that are asked of `jitter`, and no waiting. */
function recorded(): { caps: number[]; retryPolicy: NonNullable<ClientOptions['retryPolicy']> } {
  const caps: number[] = [];
  const jitter = (capMs: number) => {
    caps.push(capMs);
    return 0;
  };
  return { caps, retryPolicy: { jitter } };
}

for (const status of [408, 429, 502, 503, 504]) {
  t.test(`reading is retried on ${status}, with one request id`, async (t) => {
    const { launch, client } = await start(t);
    launch.answer('GET /v1/x', problem(status, 'not now'), { times: 2 });
    launch.answer('GET /v1/x', { status: 200, body: { fine: true } });
    t.same(await client.transport.call(GET), { fine: true });
    const ids = launch.requests.map(({ headers }) => headers['x-request-id']);
    t.equal(ids.length, 3);
    t.equal(new Set(ids).size, 1);
  });
}

t.test('three attempts are all there are, then the answer is thrown', async (t) => {
  const { caps, retryPolicy } = recorded();
  const { launch, client } = await start(t, { retryPolicy });
  launch.answer('GET /v1/x', problem(503, 'not now'));
  await t.rejects(client.transport.call(GET), { name: 'GGScaleError', status: 503 });
  t.equal(launch.requests.length, 3);
  t.same(caps, [250, 500], 'full jitter up to caps that double');
});

t.test('the policy’s attempts and caps are obeyed', async (t) => {
  const { caps, retryPolicy } = recorded();
  const policy = { ...retryPolicy, maxAttempts: 6, baseDelayMs: 100, maxDelayMs: 500 };
  const { launch, client } = await start(t, { retryPolicy: policy });
  launch.answer('GET /v1/x', problem(503, 'not now'));
  await t.rejects(client.transport.call(GET), { name: 'GGScaleError', status: 503 });
  t.equal(launch.requests.length, 6);
  t.same(caps, [100, 200, 400, 500, 500]);
});

for (const status of [400, 401, 403, 404, 409, 412, 422, 500, 501]) {
  t.test(`${status} is final`, async (t) => {
    const { launch, client } = await start(t);
    launch.answer('GET /v1/x', problem(status, 'no'));
    await t.rejects(client.transport.call(GET), { name: 'GGScaleError', status });
    t.equal(launch.requests.length, 1);
  });
}

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
  t.test(`${method} is not repeated, unless it says that it may be`, async (t) => {
    const { launch, client } = await start(t);
    launch.answer(`${method} /v1/x`, problem(503, 'not now'), { times: 2 });
    await t.rejects(client.transport.call({ ...POST, method }), {
      name: 'GGScaleError',
      status: 503,
    });
    t.equal(launch.requests.length, 1);
    launch.answer(`${method} /v1/x`, { status: 200, body: {} });
    await client.transport.call({ ...POST, method, replaySafe: true });
    t.equal(launch.requests.length, 3);
  });
}

t.test('an idempotency key makes a write safe to repeat; a permanent 503 stays', async (t) => {
  const { launch, client } = await start(t);
  const request = { ...POST, headers: { 'Idempotency-Key': 'k1' } };
  launch.answer('POST /v1/x', problem(503, 'not now'), { times: 1 });
  launch.answer('POST /v1/x', { status: 200, body: {} }, { times: 1 });
  await client.transport.call(request);
  t.equal(launch.requests.length, 2);
  launch.answer('POST /v1/x', problem(503, 'off', { code: 'party_enqueue_disabled' }));
  await t.rejects(client.transport.call(request), { code: 'party_enqueue_disabled' });
  t.equal(launch.requests.length, 3);
});

t.test('a connection that is cut is retried for reads only', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('GET /v1/x', 'drop', { times: 2 });
  launch.answer('GET /v1/x', { status: 200, body: { fine: true } });
  launch.answer('POST /v1/x', 'drop');
  t.same(await client.transport.call(GET), { fine: true });
  t.equal(launch.requests.length, 3);
  const cut = await errorOf(client.transport.call({ ...POST, operationId: 'doX' }));
  t.match(cut, { name: 'RequestError', kind: 'connect', operationId: 'doX' });
  t.equal(cut.requestId, launch.requests[3].headers['x-request-id']);
  t.equal(launch.requests.length, 4);
});

t.test('Retry-After is the least wait', async (t) => {
  const delays: unknown[] = [];
  const info = (fields: object) => {
    const { event, delayMs } = fields as { event: string; delayMs?: number };
    if (event === 'http.retry') delays.push(delayMs);
  };
  const { launch, client } = await start(t, { logger: { info, warn() {} } });
  launch.answer('GET /v1/x', rateLimited(1), { times: 1 });
  launch.answer('GET /v1/x', { status: 200, body: {} });
  await client.transport.call(GET);
  t.same(delays, [1000]);
});

t.test('a Retry-After that does not fit the deadline is told at once', async (t) => {
  const events: string[] = [];
  const logger = { info: (_fields: object, event: string) => void events.push(event), warn() {} };
  const { launch, client } = await start(t, { callTimeoutMs: 20_000, logger });
  launch.answer('GET /v1/x', rateLimited(60));
  const error = await errorOf(client.transport.call(GET));
  t.match(error, { name: 'GGScaleError', status: 429, retryAfter: 60 });
  t.equal(launch.requests.length, 1);
  const ofCall = await errorOf(client.transport.call(GET, { timeoutMs: 10_000 }));
  t.match(ofCall, { status: 429, retryAfter: 60 });
  t.same(events, ['http.complete', 'http.complete'], 'no wait was begun');
});

t.test('a deadline that nobody knew of ends the wait with the server’s answer', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('GET /v1/x', rateLimited(60));
  const signal = AbortSignal.timeout(300);
  await t.rejects(client.transport.call(GET, { signal }), { name: 'GGScaleError', status: 429 });
});

t.test('canceling ends a wait, and a call that hangs', async (t) => {
  const { launch, client } = await start(t);
  const controller = new AbortController();
  launch.answer('GET /v1/x', () => {
    setImmediate(() => controller.abort());
    return rateLimited(60);
  });
  const waiting = client.transport.call(GET, { signal: controller.signal });
  await t.rejects(waiting, { name: 'RequestError', kind: 'canceled' });
  launch.answer('GET /v1/y', 'hang');
  const hanging = new AbortController();
  const call = client.transport.call({ ...GET, path: '/v1/y' }, { signal: hanging.signal });
  hanging.abort();
  await t.rejects(call, { name: 'RequestError', kind: 'canceled' });
  await t.rejects(client.transport.call(GET, { signal: hanging.signal }), {
    name: 'RequestError',
    kind: 'canceled',
  });
});

t.test('deadlines: the client’s for every call, the call’s own, and a signal’s', async (t) => {
  const { launch, client } = await start(t, { callTimeoutMs: 50 });
  launch.answer('GET /v1/x', 'hang');
  const timeout = { name: 'RequestError', kind: 'timeout' };
  await t.rejects(client.transport.call(GET), timeout);
  const { signal } = new AbortController();
  await t.rejects(client.transport.call(GET, { signal }), timeout, 'beside a signal, too');
  const patient = await start(t);
  patient.launch.answer('GET /v1/x', 'hang');
  await t.rejects(patient.client.transport.call(GET, { timeoutMs: 50 }), timeout);
  const limited = patient.client.transport.call(GET, { signal: AbortSignal.timeout(50) });
  await t.rejects(limited, timeout);
  t.equal(launch.requests.length + patient.launch.requests.length, 4, 'none is retried');
});

t.test('a limit that no timer can wait for is none, and none that is over', async (t) => {
  const { launch, client } = await start(t);
  for (const timeoutMs of [Number.POSITIVE_INFINITY, 2 ** 31]) {
    const controller = new AbortController();
    const { signal } = controller;
    launch.answer(
      'GET /v1/x',
      () => {
        setTimeout(() => controller.abort(), 20);
        return 'hang';
      },
      { times: 1 },
    );
    const call = client.transport.call(GET, { timeoutMs, signal });
    await t.rejects(call, { name: 'RequestError', kind: 'canceled' }, `${timeoutMs}`);
  }
});

t.test('a server that does not listen is a connect error', async (t) => {
  const { client, launch } = await start(t);
  await launch.close();
  await t.rejects(client.transport.call(GET), { name: 'RequestError', kind: 'connect' });
});
