/** What may happen while a session has no link: closes, dials, revocation, thieves, the end of time. */
import t from 'tap';
import { WebSocket } from 'ws';
import type { LeaveInfo } from '../../src/server/index.js';
import { type Place, place } from './resume-support.js';
import { until } from './support.js';

/** Joins as `playerId` over WebSocket and loses the path. */
async function suspended(at: Place, playerId: string) {
  const connection = await at.dial(playerId);
  at.tcp.isDown = true;
  at.tcp.cut();
  await until(() => connection.state === 'reconnecting', 'the client to notice');
  await until(() => at.server.players.get(playerId)?.state === 'suspended', 'the server to notice');
  return connection;
}

async function ticketFor(at: Place, playerId: string, resume?: unknown) {
  const response = await fetch(`http://127.0.0.1:${at.server.http.port}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Session-Token': playerId },
    body: JSON.stringify(resume === undefined ? {} : { resume }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** A client of our own making; collects frames, and the close. */
async function rawSocket(at: Place, ticket: unknown) {
  const socket = new WebSocket(`ws://127.0.0.1:${at.server.http.port}/v1/game/ws?ticket=${ticket}`);
  const frames: { type: string; payload: Record<string, unknown> }[] = [];
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  const send = (type: string, payload: unknown) => socket.send(JSON.stringify({ type, payload }));
  return { socket, frames, closed, send };
}

t.test('the window ends: the player leaves with what killed its link', async (t) => {
  const at = await place(t, { udp: false, resumeWindowMs: 200 });
  const leaves: LeaveInfo[] = [];
  at.server.onLeave((_player, info) => leaves.push(info));
  const connection = await suspended(at, 'anna');
  const player = at.server.players.get('anna');
  t.equal(player?.send('n', 1), 'queued');
  await until(() => leaves.length === 1, 'the leave');
  t.match(leaves, [{ code: 1006, wasClean: false }]);
  t.equal(player?.state, 'left');
  t.equal(player?.send('n', 1), 'full');
  t.match(await connection.closed, { code: 1006, wasClean: false });
  t.throws(() => connection.send('n', 1), { name: 'ErrConnectionClosed', closeCode: 1006 });
  t.same(at.history, ['anna suspended 1006', 'anna left 1006']);
});

t.test('no window: a dead link is the end, at once', async (t) => {
  const at = await place(t, { udp: false, resumeWindowMs: 0 });
  const connection = await at.dial('anna');
  at.tcp.cut();
  t.match(await connection.closed, { code: 1006 });
  await until(() => at.server.players.size === 0, 'the leave');
  t.same(at.history, ['anna left 1006']);
});

t.test('the server ends the player meanwhile: its client learns how', async (t) => {
  const at = await place(t, { udp: false });
  const connection = await suspended(at, 'anna');
  at.server.players.get('anna')?.close(4005, 'cheater');
  t.same(at.history, ['anna suspended 1006', 'anna left 4005']);
  at.tcp.isDown = false;
  t.same(await connection.closed, { code: 4005, reason: 'cheater', wasClean: true });
});

t.test('a newer dial of the player wins over a suspended session', async (t) => {
  const at = await place(t, { udp: false, maxPlayers: 1 });
  const first = await suspended(at, 'anna');
  t.match((await ticketFor(at, 'berta')).body, { code: 'server-full' }, 'a place is held for it');
  at.tcp.isDown = false;
  const second = await at.dial('anna');
  t.same(await first.closed, { code: 1000, reason: '', wasClean: true });
  t.equal(second.state, 'open');
  t.equal(at.server.players.size, 1);
});

t.test('a busy or full server lets a suspended player come back', async (t) => {
  const at = await place(t, { udp: false, maxPlayers: 1 });
  const connection = await suspended(at, 'anna');
  at.server.setAdmission({ busy: true });
  at.tcp.isDown = false;
  await until(() => connection.state === 'open', 'the session to go on');
  t.same(at.history, ['anna suspended 1006', 'anna resumed on json-ws']);
});

t.test('a player who is not verified any more does not come back', async (t) => {
  let isRevoked = false;
  const verifySession = (playerId: string) => (isRevoked ? null : { playerId });
  const at = await place(t, { udp: false, verifySession });
  const connection = await suspended(at, 'anna');
  isRevoked = true;
  at.tcp.isDown = false;
  t.same(await connection.closed, { code: 1008, reason: 'unauthenticated', wasClean: true });
  t.equal(at.server.players.get('anna')?.state, 'suspended', 'until its window is over');
});

t.test('close() while there is no link ends at once, or waits for the log a little', async (t) => {
  const at = await place(t, { udp: false });
  const idle = await suspended(at, 'anna');
  await idle.close();
  t.equal(idle.state, 'closed');
  at.tcp.isDown = false;
  const heard: unknown[] = [];
  at.server.on('last words', (_player, value) => heard.push(value));
  const busy = await suspended(at, 'berta');
  busy.send('last words', 'bye');
  const closing = busy.close(4000, 'gone');
  t.equal(busy.state, 'closing');
  t.throws(() => busy.send('n', 1), { name: 'ErrConnectionClosed' });
  at.tcp.isDown = false;
  await closing;
  t.same(heard, ['bye'], 'it came back to say what was accepted');
  await until(() => at.history.includes('berta left 4000'), 'the goodbye');
});

t.test('drained() waits for the session, at both ends', async (t) => {
  const at = await place(t, { udp: false });
  const connection = await suspended(at, 'anna');
  const player = at.server.players.get('anna');
  await player?.drained(); // nothing to wait for
  await connection.drained();
  let isDrained = 0;
  connection.send('n', 1);
  player?.send('n', 1);
  void connection.drained().then(() => isDrained++);
  void player?.drained().then(() => isDrained++);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(isDrained, 0);
  at.tcp.isDown = false;
  await until(() => isDrained === 2, 'both ends');
});

t.test('who has a ticket but not the secret has three tries', async (t) => {
  const at = await place(t, { udp: false });
  await suspended(at, 'anna');
  const victim = await rawSocket(at, (await ticketFor(at, 'carla')).body.ticket);
  await until(() => victim.frames.length > 0, '$hello');
  const session = victim.frames[0].payload.session as string;
  victim.socket.terminate();
  await until(() => at.server.players.get('carla')?.state === 'suspended', 'the suspension');
  const resume = { session, from: 0, link: 1, received: { frames: 0 } };
  for (const [index, secret] of ['', 'x'.repeat(22), 'y'.repeat(22)].entries()) {
    t.equal(at.server.players.get('carla')?.state, 'suspended', `try ${index}`);
    const thief = await rawSocket(at, (await ticketFor(at, 'carla', session)).body.ticket);
    thief.send('$resume', { ...resume, secret });
    t.equal(await thief.closed, '1008 resume-refused');
    t.same(thief.frames, []);
  }
  t.equal(at.server.players.get('carla'), undefined, 'the session is over');
  t.match(await ticketFor(at, 'carla', session), {
    status: 409,
    body: { code: 'session-unknown' },
  });
});

t.test('a secret is spent when the link it opened is confirmed', async (t) => {
  const at = await place(t, { udp: false });
  const first = await rawSocket(at, (await ticketFor(at, 'anna')).body.ticket);
  await until(() => first.frames.length > 0, '$hello');
  const { session, secret } = first.frames[0].payload as { session: string; secret: string };
  const ask = async (body: object) => {
    const next = await rawSocket(at, (await ticketFor(at, 'anna', session)).body.ticket);
    next.send('$resume', { session, received: { frames: 0 }, ...body });
    return next;
  };
  const second = await ask({ secret, from: 0, link: 1 });
  await until(() => second.frames.length > 0, '$resumed');
  const third = await ask({ secret, from: 0, link: 2 });
  await until(() => third.frames.length > 0, '$resumed once more: the answer might have been lost');
  t.not(third.frames[0].payload.secret, second.frames[0].payload.secret);
  t.equal(await second.closed, '1000 resumed');
  const late = await ask({ secret, from: 0, link: 2 });
  t.equal(await late.closed, '1008 resume-refused', 'an attempt that was overtaken');
  third.send('$ack', { frames: 0 });
  third.send('hello', null);
  await until(() => (at.server.players.get('anna')?.stats().messagesIn ?? 0) > 0, 'the message');
  const replay = await ask({ secret, from: 2, link: 3, received: { frames: 0 } });
  t.equal(await replay.closed, '1008 resume-refused', 'the secret is spent');
  t.equal(at.server.players.get('anna')?.state, 'connected', 'and the session goes on');
});

t.test('what is not a resumption is refused', async (t) => {
  const at = await place(t, { udp: false });
  const anna = await rawSocket(at, (await ticketFor(at, 'anna')).body.ticket);
  await until(() => anna.frames.length > 0, '$hello');
  const { session, secret } = anna.frames[0].payload as { session: string; secret: string };
  const good = { session, secret, from: 0, link: 1, received: { frames: 0 } };
  t.match(await ticketFor(at, 'berta', session), { status: 409 }, 'of another player');
  t.match(await ticketFor(at, 'anna', 'x'), { status: 400, body: { code: 'bad-resume' } });
  for (const [type, body, expected] of [
    ['n', 1, '1008 no $resume'],
    ['$resume', { ...good, link: -1 }, '1002 malformed $resume'],
    ['$resume', { ...good, received: { lanes: [[0, 1, 5]] } }, '1002 malformed $resume'],
    ['$resume', { ...good, session: '0'.repeat(16) }, '1008 resume-refused'],
    ['$resume', { ...good, from: 7 }, '1008 resume-refused'],
  ] as const) {
    const raw = await rawSocket(at, (await ticketFor(at, 'anna', session)).body.ticket);
    raw.send(type, body);
    t.equal(await raw.closed, expected);
    t.equal(at.server.players.get('anna')?.state, 'connected');
  }
  const liar = await rawSocket(at, (await ticketFor(at, 'anna', session)).body.ticket);
  liar.send('$resume', { ...good, received: { frames: 5 } });
  t.equal(await liar.closed, '1002 false report', 'what was never sent cannot have come');
  t.equal(await anna.closed, '1002 false report');
  t.equal(at.server.players.size, 0);
});

t.test('switchTo says why it cannot, and leaves the session where it is', async (t) => {
  const at = await place(t, { udp: false });
  const plain = await at.dial('anna');
  await t.rejects(plain.switchTo('udp'), { name: 'GameDialError', code: 'udp-not-opted-in' });
  await t.rejects(plain.switchTo('tcp' as never), { code: 'bad-option' });
  await plain.switchTo('json-ws');
  const opted = await at.dial('berta', {});
  t.equal(opted.wire, 'json-ws');
  await t.rejects(opted.switchTo('udp'), { code: 'server-has-no-udp' });
  t.equal(opted.state, 'open');
  opted.send('n', 1);
  await opted.drained();
  await opted.close();
  await t.rejects(opted.switchTo('udp'), { name: 'ErrConnectionClosed' });
});

t.test('UDP does not answer a switch: the session stays on WebSocket', async (t) => {
  const at = await place(t);
  const connection = await at.dial('anna', { handshakeTimeoutMs: 300 });
  await connection.switchTo('json-ws');
  at.udp.isBlackhole = true;
  const heard: unknown[] = [];
  at.server.on('n', (_player, value) => heard.push(value));
  const switching = connection.switchTo('udp');
  await t.rejects(connection.switchTo('udp'), { code: 'switch-in-progress' });
  connection.send('n', 1);
  await t.rejects(switching, { code: 'handshake-timeout' });
  connection.send('n', 2);
  await until(() => heard.length === 2, 'both messages');
  t.same(heard, [1, 2]);
  t.equal(connection.wire, 'json-ws');
  t.same(at.history, []);
});

t.test('a server that closes tells suspended players nothing, and lets them go', async (t) => {
  const at = await place(t, { udp: false });
  await suspended(at, 'anna');
  await at.server.close();
  t.same(at.history, ['anna suspended 1006', 'anna left 1001']);
});

t.test(
  'a connection that closes while its session is being resumed closes once, and for good',
  async (t) => {
    const at = await place(t, { udp: false });
    const connection = await at.dial('anna');
    const closes: Promise<void>[] = [];
    at.server.onResume(() => closes.push(connection.close(4001, 'enough'))); // it has not heard yet
    at.tcp.cut();
    await until(() => closes.length === 1, 'the resumption');
    await Promise.all(closes);
    t.same(await connection.closed, { code: 4001, reason: 'enough', wasClean: true });
    t.equal(connection.state, 'closed');
  },
);
