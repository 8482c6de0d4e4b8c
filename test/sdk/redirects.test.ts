import type { IncomingHttpHeaders } from 'node:http';
import t from 'tap';
import { bodyOf, serve, start } from './support.js';

const GET = { method: 'GET', path: '/v1/x', sessionToken: 'player-secret' };
const POST = { method: 'POST', path: '/v1/x', body: { a: 1 } };
const to = (Location: string, status = 302) => ({ status, headers: { Location } });

t.test('within the origin a redirect keeps the credentials', async (t) => {
  const { launch, client } = await start(t);
  launch.answer('GET /v1/x', to('/v1/y?z=1#part'));
  launch.answer('GET /v1/y', { status: 200, body: { fine: true } });
  t.same(await client.transport.call(GET), { fine: true });
  const [, followed] = launch.requests;
  t.equal(followed.query, 'z=1');
  t.equal(followed.headers.authorization, `Bearer ${launch.publishableKey}`);
  t.equal(followed.headers['x-session-token'], 'player-secret');
  t.equal(followed.headers['x-request-id'], launch.requests[0].headers['x-request-id']);
});

t.test('credentials are stripped across origins, and stay so on the way back', async (t) => {
  const { launch, client } = await start(t);
  const seen: IncomingHttpHeaders[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers);
    response.writeHead(302, { Location: `${launch.url}/v1/back` }).end();
  });
  launch.answer('GET /v1/x', to(`${other}/elsewhere`));
  launch.answer('GET /v1/back', { status: 200, body: { fine: true } });
  t.same(await client.transport.call(GET), { fine: true });
  for (const headers of [seen[0], launch.requests[1].headers]) {
    t.equal(headers.authorization, undefined);
    t.equal(headers['x-session-token'], undefined);
    t.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
  }
});

for (const status of [301, 302, 303]) {
  t.test(`${status} turns a write into a read without a body`, async (t) => {
    const { launch, client } = await start(t);
    launch.answer('POST /v1/x', to('/v1/y', status));
    launch.answer('GET /v1/y', { status: 200, body: { fine: true } });
    t.same(await client.transport.call(POST), { fine: true });
    t.equal(launch.requests[1].body.length, 0);
    t.equal(launch.requests[1].headers['content-type'], undefined);
  });
}

for (const status of [307, 308]) {
  t.test(`${status} repeats the write, but takes no body to another origin`, async (t) => {
    const { launch, client } = await start(t);
    launch.answer('POST /v1/x', to('/v1/y', status), { times: 1 });
    launch.answer('POST /v1/y', { status: 200, body: { fine: true } });
    t.same(await client.transport.call(POST), { fine: true });
    t.same(bodyOf(launch.requests[1]), { a: 1 });
    let came = 0;
    const other = await serve(t, (_request, response) => {
      came++;
      response.end('{}');
    });
    launch.answer('POST /v1/x', to(other, status));
    await t.rejects(client.transport.call(POST), { kind: 'protocol', message: /another origin/ });
    t.equal(came, 0);
  });
}

t.test('ten redirects are followed, an eleventh is not', async (t) => {
  const { launch, client } = await start(t);
  let left = 10;
  launch.answer('GET /v1/x', () => (left-- > 0 ? to('/v1/x') : { status: 200, body: { left } }));
  t.same(await client.transport.call(GET), { left: -1 });
  left = 11;
  await t.rejects(client.transport.call(GET), { kind: 'protocol', message: /more than 10/ });
  t.equal(launch.requests.length, 22);
});

t.test('redirects to nowhere are protocol errors; without a place they are answers', async (t) => {
  const { launch, client } = await start(t);
  for (const place of [
    'ftp://example.com/',
    'http://user:pass@example.com/',
    'http://[',
    'data:,x',
  ]) {
    launch.answer('GET /v1/x', to(place), { times: 1 });
    await t.rejects(client.transport.call(GET), { name: 'RequestError', kind: 'protocol' }, place);
  }
  launch.answer('GET /v1/x', { status: 302 });
  await t.rejects(client.transport.call(GET), { name: 'GGScaleError', status: 302 });
});
