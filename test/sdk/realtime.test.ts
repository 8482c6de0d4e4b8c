import { readFileSync } from 'node:fs';
import t from 'tap';
import { plainText } from '../../sdk-compat/launch/answers.js';
import {
  Client,
  ErrConnectionClosed,
  OfflineAuth,
  type RealtimeClient,
  RealtimeError,
  type ReconnectPolicy,
} from '../../src/sdk/index.js';
import { AT_ONCE, errorOf, expireIn, serve, start, startLoggedIn } from './support.js';

const WS = 'GET /v1/ws';
const AGAIN: ReconnectPolicy = AT_ONCE;

t.test('it opens with key, session and request id as headers, and no ticket', async (t) => {
  const { launch, client } = await startLoggedIn(t, { userAgent: 'brawler/3' });
  const realtime = await client.dialRealtime();
  const [{ headers, query }] = launch.requestsTo(WS);
  t.equal(headers.authorization, `Bearer ${launch.publishableKey}`);
  t.equal(headers['x-session-token'], client.session?.accessToken);
  t.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
  t.equal(headers['user-agent'], 'brawler/3');
  t.equal(query, '');
  await realtime.close();
  t.match(await launch.sockets[0].closed, { code: 1000, reason: '' });
});

t.test(
  'messages come in order, read one by one or iterated; unknown types pass through',
  async (t) => {
    const { launch, client } = await startLoggedIn(t);
    const realtime = await client.dialRealtime();
    const [socket] = launch.sockets;
    const early = realtime.readMessage();
    socket.push('presence', { player_id: 1, status: 'online', session_id: null });
    socket.push('of_tomorrow', [1, 2]);
    socket.push('bare');
    const payload = { player_id: 1, status: 'online', session_id: null };
    t.same(await early, { type: 'presence', payload });
    t.same(await realtime.readMessage(), { type: 'of_tomorrow', payload: [1, 2] });
    t.same(await realtime.readMessage(), { type: 'bare', payload: undefined });
    const types: string[] = [];
    for (let index = 0; index < 1000; index++) socket.push(`n${index}`);
    socket.close(1000);
    for await (const { type } of realtime) types.push(type);
    t.same(
      types,
      Array.from({ length: 1000 }, (_, index) => `n${index}`),
      'more than are held at once; a normal close ends the iteration',
    );
  },
);

t.test('frames that are none are told, and end nothing', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const realtime = await client.dialRealtime();
  const [socket] = launch.sockets;
  for (const text of ['not json', '{"payload":1}', '{"type":""}', '5', 'null']) {
    socket.pushText(text);
    await t.rejects(realtime.readMessage(), { name: 'RequestError', kind: 'decode' }, text);
  }
  socket.push('fine');
  t.equal((await realtime.readMessage()).type, 'fine');
  await realtime.close();
});

t.test('pings are answered', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const realtime = await client.dialRealtime();
  launch.sockets[0].ping();
  launch.sockets[0].push('after');
  await realtime.readMessage();
  await realtime.close();
  await launch.sockets[0].closed;
  t.equal(launch.sockets[0].pongs, 1);
});

t.test('the newer socket of the player wins: the older ends and does not come back', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: AGAIN });
  const older = await client.dialRealtime();
  const newer = await client.dialRealtime();
  const ended = await errorOf(older.readMessage());
  t.ok(ended instanceof ErrConnectionClosed && !(ended instanceof RealtimeError));
  t.match(ended, { closeCode: 1000, reason: '' });
  launch.sockets[1].push('still');
  t.equal((await newer.readMessage()).type, 'still');
  t.equal(launch.requestsTo(WS).length, 2);
  await newer.close();
});

for (const code of ['drop', 1001, 1011, 1012, 1013] as const) {
  t.test(`${code} is an outage: the connection comes back, then the hook is called`, async (t) => {
    const reconnected: unknown[] = [];
    const { launch, client } = await startLoggedIn(t, {
      reconnectPolicy: AGAIN,
      onRealtimeReconnect: (of) => void reconnected.push(of),
    });
    const realtime = await client.dialRealtime();
    const reading = realtime.readMessage();
    pushOnceBack(launch, 1);
    if (code === 'drop') launch.sockets[0].drop();
    else launch.sockets[0].close(code);
    t.equal((await reading).type, 'back');
    t.same(reconnected, [client]);
    await realtime.close();
  });
}

for (const code of [1002, 1008, 1009, 4000]) {
  t.test(`${code} is final, and every later read says so again`, async (t) => {
    const { launch, client } = await startLoggedIn(t, { reconnectPolicy: AGAIN });
    const realtime = await client.dialRealtime();
    launch.sockets[0].push('last');
    launch.sockets[0].close(code, 'because');
    t.equal((await realtime.readMessage()).type, 'last', 'what came before is read first');
    const first = await errorOf(realtime.readMessage());
    t.ok(first instanceof RealtimeError && first instanceof ErrConnectionClosed);
    t.match(first, { closeCode: code, reason: 'because' });
    t.equal(await errorOf(realtime.readMessage()), first);
    t.equal(launch.requestsTo(WS).length, 1);
    await realtime.close();
  });
}

t.test('with reconnecting disabled an outage is final', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: { disabled: true } });
  const realtime = await client.dialRealtime();
  launch.sockets[0].close(1012);
  t.match(await errorOf(realtime.readMessage()), { name: 'RealtimeError', closeCode: 1012 });
  t.equal(launch.requestsTo(WS).length, 1);
});

t.test('five attempts, first within 5 s, then 1 s that doubles; then it is final', async (t) => {
  const caps: number[] = [];
  const jitter = (capMs: number) => {
    caps.push(capMs);
    return 0;
  };
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: { jitter } });
  const realtime = await client.dialRealtime();
  launch.answer(WS, plainText(503, 'too many connections'));
  launch.sockets[0].close(1013);
  const error = await errorOf(realtime.readMessage());
  t.match(error, { name: 'RealtimeError', closeCode: 1013 });
  t.match(error.cause, { name: 'RealtimeDialError', status: 503 });
  t.same(caps, [5000, 1000, 2000, 4000, 8000]);
  t.equal(launch.requestsTo(WS).length, 6);
});

t.test(
  'a server that takes the socket and drops it is asked five times, not for ever',
  async (t) => {
    const caps: number[] = [];
    const jitter = (capMs: number) => {
      caps.push(capMs);
      return 0;
    };
    const { launch, client } = await startLoggedIn(t, { reconnectPolicy: { jitter } });
    const realtime = await client.dialRealtime();
    for (let index = 0; index <= 5; index++) {
      await launch.realtime.accepted(index + 1);
      launch.sockets[index].drop();
    }
    t.match(await errorOf(realtime.readMessage()), { name: 'RealtimeError', closeCode: 1006 });
    t.same(caps, [5000, 1000, 2000, 4000, 8000]);
    t.equal(launch.requestsTo(WS).length, 6);
  },
);

t.test('all that is dialled for one connection has one request id', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: AGAIN });
  launch.answer(WS, plainText(401, 'unauthorized'), { times: 1 });
  const realtime = await client.dialRealtime();
  pushOnceBack(launch, 1);
  launch.sockets[0].drop();
  await realtime.readMessage();
  const other = await client.dialRealtime();
  const ids = launch.requestsTo(WS).map(({ headers }) => headers['x-request-id']);
  t.same(ids, [ids[0], ids[0], ids[0], ids[3]]);
  t.not(ids[0], ids[3]);
  await Promise.all([realtime.close(), other.close()]);
});

t.test('a refusal of who we are ends reconnecting at once', async (t) => {
  const { launch, client } = await startLoggedIn(t, { reconnectPolicy: AGAIN });
  const realtime = await client.dialRealtime();
  launch.answer(WS, plainText(403, 'forbidden'));
  launch.sockets[0].drop();
  const error = await errorOf(realtime.readMessage());
  t.match(error, { name: 'RealtimeError', closeCode: 1006, cause: { status: 403 } });
  t.equal(launch.requestsTo(WS).length, 2);
});

t.test(
  'a hook that blocks or throws holds up no read; hooks run one after the other',
  async (t) => {
    let release: () => void = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const order: string[] = [];
    const warned: object[] = [];
    const { launch, client } = await startLoggedIn(t, {
      reconnectPolicy: AGAIN,
      async onRealtimeReconnect() {
        order.push('begins');
        await blocked;
        order.push('ends');
        throw new Error('of the game');
      },
      logger: { info() {}, warn: (fields) => warned.push(fields) },
    });
    const realtime = await client.dialRealtime();
    for (const round of [1, 2]) {
      pushOnceBack(launch, round);
      launch.sockets[round - 1].drop();
      t.equal((await realtime.readMessage()).type, 'back');
    }
    t.same(order, ['begins']);
    release();
    while (warned.length < 2) await new Promise((resolve) => setImmediate(resolve));
    t.same(order, ['begins', 'ends', 'begins', 'ends']);
    t.match(warned[1], { event: 'client.hook-failed', hook: 'onRealtimeReconnect' });
    await realtime.close();
  },
);

t.test('close is idempotent, ends reads, and ends a reconnection', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const realtime = await client.dialRealtime();
  const reading = errorOf(realtime.readMessage());
  const closing = realtime.close();
  t.equal(realtime.close(), closing);
  await closing;
  t.match(await reading, { name: 'ErrConnectionClosed', closeCode: 1000 });
  t.equal(await errorOf(realtime.readMessage()), await reading);
  await realtime.close();
  const other = await client.dialRealtime();
  launch.sockets[1].drop();
  await launch.sockets[1].closed;
  const reconnecting = errorOf(other.readMessage());
  await other.close();
  t.match(await reconnecting, { name: 'ErrConnectionClosed', closeCode: 1000 });
  t.equal(launch.requestsTo(WS).length, 2);
});

t.test('a read can be given up; what comes then is the next read’s', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const realtime = await client.dialRealtime();
  const controller = new AbortController();
  const given = realtime.readMessage({ signal: controller.signal });
  controller.abort();
  await t.rejects(given, { name: 'RequestError', kind: 'canceled' });
  const late = realtime.readMessage({ signal: AbortSignal.timeout(20) });
  await t.rejects(late, { name: 'RequestError', kind: 'timeout' });
  launch.sockets[0].push('kept');
  t.equal((await realtime.readMessage()).type, 'kept');
  await t.rejects(realtime.readMessage({ timeout: 1 } as never), { code: 'bad-option' });
  await realtime.close();
});

t.test('a message over the limit ends the connection for good', async (t) => {
  const { launch, client } = await startLoggedIn(t, {
    realtimeReadLimit: 100,
    reconnectPolicy: AGAIN,
  });
  const realtime = await client.dialRealtime();
  const fits = JSON.stringify({ type: 'x'.repeat(100 - '{"type":""}'.length) });
  launch.sockets[0].pushText(fits);
  t.equal((await realtime.readMessage()).type.length, 89);
  launch.sockets[0].pushText(`${fits} `);
  const error = await errorOf(realtime.readMessage());
  t.match(error, { name: 'RealtimeError', closeCode: 1009 });
  t.equal((await launch.sockets[0].closed).code, 1009);
});

t.test('refusals are HTTP: status, text and Retry-After', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const refused = () => errorOf(client.dialRealtime());
  launch.answer(WS, plainText(403, 'forbidden'), { times: 1 });
  t.match(await refused(), { name: 'RealtimeDialError', status: 403, message: /forbidden/ });
  launch.realtime.tenantSocketsMax = 0;
  t.match(await refused(), { status: 503, retryAfter: 5, message: /too many connections/ });
});

t.test('a refusal that never ends is told by what came of it', async (t) => {
  const baseUrl = await serve(t, (_request, response) => {
    response.writeHead(503, { 'Retry-After': '5' }).write('x'.repeat(8192));
  });
  const client = new Client({ apiKey: 'k', baseUrl, webSocketHandshakeTimeoutMs: 2000 });
  await client.login(new OfflineAuth());
  const refused = await errorOf(client.dialRealtime());
  t.match(refused, { name: 'RealtimeDialError', status: 503, retryAfter: 5 });
});

t.test('a 401 refreshes once and dials once more; a second one is the caller’s', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  launch.answer(WS, plainText(401, 'unauthorized'), { times: 1 });
  const realtime: RealtimeClient = await client.dialRealtime();
  await realtime.close();
  t.equal(launch.requestsTo('POST /v1/auth/refresh').length, 1);
  launch.answer(WS, plainText(401, 'unauthorized'));
  t.match(await errorOf(client.dialRealtime()), { name: 'RealtimeDialError', status: 401 });
  t.equal(launch.requestsTo(WS).length, 4);
});

t.test('a session that is about to end is refreshed before the dial', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  expireIn(client, 1000);
  const realtime = await client.dialRealtime();
  t.equal(launch.requestsTo('POST /v1/auth/refresh').length, 1);
  await realtime.close();
});

t.test('the handshake has its limit, and the dial its signal', async (t) => {
  const { launch, client } = await startLoggedIn(t, { webSocketHandshakeTimeoutMs: 50 });
  launch.answer(WS, 'hang');
  const late = await errorOf(client.dialRealtime());
  t.match(late, { name: 'RealtimeDialError', status: 0, message: /no answer within 50 ms/ });
  const controller = new AbortController();
  launch.answerAsUsual();
  launch.answer(WS, () => {
    controller.abort();
    return 'hang';
  });
  const given = client.dialRealtime({ signal: controller.signal });
  await t.rejects(given, { name: 'RequestError', kind: 'canceled' });
  const never = client.dialRealtime({ signal: AbortSignal.abort() });
  await t.rejects(never, { name: 'RequestError', kind: 'canceled' });
});

t.test('without a session, and without a place to dial, nothing is sent', async (t) => {
  const { launch, client } = await start(t);
  await t.rejects(client.dialRealtime(), { name: 'ErrNoSession' });
  t.same(launch.requests, []);
});

const isLinux = process.platform === 'linux';

t.test('a server that vanished is noticed: the kernel asks it', { skip: !isLinux }, async (t) => {
  const { launch, client } = await startLoggedIn(t);
  const realtime = await client.dialRealtime();
  const port = Number(new URL(launch.url).port);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // proc_net_tcp(5): local and remote address, state 01 (established), queues, the timer's kind.
  const ofClient = new RegExp(`:[0-9A-F]{4} \\w+:${hex} 01 \\w+:\\w+ (\\w+):`, 'g');
  const timers = [...readFileSync('/proc/net/tcp', 'utf8').matchAll(ofClient)].map(
    ([, kind]) => kind,
  );
  t.ok(timers.length >= 2, 'the login, the socket');
  t.same(new Set(timers), new Set(['02']), 'a keep-alive timer each');
  await realtime.close();
});

t.test('redirects of the upgrade are not followed: they would carry the credentials', async (t) => {
  let came = 0;
  const other = await serve(t, (_request, response) => {
    came++;
    response.end();
  });
  const { launch, client } = await startLoggedIn(t);
  launch.answer(WS, { status: 302, headers: { Location: `${other}/v1/ws` } });
  t.match(await errorOf(client.dialRealtime()), { name: 'RealtimeDialError', status: 302 });
  t.equal(came, 0);
});

t.test('a ticket can be asked for, for sockets that carry no headers', async (t) => {
  const { client } = await startLoggedIn(t);
  const { ticket, expiresInSeconds } = await client.realtime.createTicket();
  t.match(ticket, /^[\w-]{43}$/);
  t.equal(expiresInSeconds, 30);
});

t.test('an answer that is no ticket is a decode error', async (t) => {
  const { launch, client } = await startLoggedIn(t);
  for (const body of [null, [], {}, { ticket: 5 }, { ticket: '' }]) {
    launch.answer('POST /v1/ws/ticket', { status: 201, body }, { times: 1 });
    const asked = client.realtime.createTicket();
    await t.rejects(asked, { name: 'RequestError', kind: 'decode' }, JSON.stringify(body));
  }
});

/** Pushes `back` on the socket with that index as soon as it is there. */
function pushOnceBack(
  launch: { sockets: readonly { push(type: string): void }[] },
  index: number,
): void {
  const look = () => {
    if (launch.sockets.length > index) launch.sockets[index].push('back');
    else setImmediate(look);
  };
  look();
}
