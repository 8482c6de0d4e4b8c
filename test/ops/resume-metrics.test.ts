/** Suspended players and resumptions, as a scrape tells them. */
import t from 'tap';
import { WebSocket } from 'ws';
import { type Place, place } from '../game/resume-support.js';
import { until } from '../game/support.js';

/** Values that are not 0, by what stands behind `ggscale_`. */
async function scrape(at: Place): Promise<Record<string, number>> {
  const response = await fetch(`http://127.0.0.1:${at.server.http.port}/metrics`);
  const lines = [
    ...(await response.text()).matchAll(/^ggscale_((?:players|suspens|resume)\S*) (\d+)$/gm),
  ];
  const values = lines.map(([, name, value]): [string, number] => [name, Number(value)]);
  return Object.fromEntries(values.filter(([, value]) => value > 0));
}

async function ticketOf(at: Place, player: string, resume?: string) {
  const response = await fetch(`http://127.0.0.1:${at.server.http.port}/v1/game/ticket`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Session-Token': player },
    body: JSON.stringify(resume === undefined ? {} : { resume }),
  });
  return ((await response.json()) as { ticket: string }).ticket;
}

/** A client of our own making: says `first`, when given, and tells the first frame and the close. */
async function link(at: Place, ticket: string, first?: object) {
  const socket = new WebSocket(`ws://127.0.0.1:${at.server.http.port}/v1/game/ws?ticket=${ticket}`);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const frame = new Promise<{ payload: Record<string, string> }>((resolve) => {
    socket.on('message', (data) => resolve(JSON.parse(String(data))));
  });
  await new Promise((resolve) => socket.once('open', resolve));
  if (first !== undefined) socket.send(JSON.stringify({ type: '$resume', payload: first }));
  return { socket, closed, frame };
}

t.test('links that die, players who come back, and those who do not', async (t) => {
  const at = await place(t, { udp: false, metrics: true, resumeWindowMs: 1500 });
  const anna = await at.dial('anna');
  const berta = await at.dial('berta');
  const carla = await at.dial('carla');
  at.tcp.isDown = true;
  at.tcp.cut();
  await until(() => at.server.stats().players.suspended === 3, 'the server to notice');
  t.match(await scrape(at), { players_suspended: 3, 'suspensions_total{wire="json-ws"}': 3 });
  at.server.players.get('carla')?.close();
  // Whoever still tried once the path is back would be refused, and counted.
  await Promise.all([anna.closed, berta.closed, carla.closed]);
  await until(() => at.server.players.size === 0, 'the windows to pass');
  at.tcp.isDown = false;
  await at.dial('anna');
  at.tcp.cut();
  await until(() => at.history.includes('anna resumed on json-ws'), 'anna to come back');
  t.same(await scrape(at), {
    'players{wire="json-ws"}': 1,
    players_max: 4096,
    'suspensions_total{wire="json-ws"}': 4,
    'suspensions_ended_total{outcome="expired"}': 2,
    'suspensions_ended_total{outcome="ended"}': 1,
    'suspensions_ended_total{outcome="resumed"}': 1,
    'resumes_total{wire="json-ws"}': 1,
  });
});

t.test('a session that moves while its link works was not suspended', async (t) => {
  const at = await place(t, { metrics: true });
  const anna = await at.dial('anna', {});
  await anna.switchTo('json-ws');
  t.same(await scrape(at), {
    'players{wire="json-ws"}': 1,
    players_max: 4096,
    'resumes_total{wire="json-ws"}': 1,
  });
});

t.test('each refusal by its reason', async (t) => {
  const at = await place(t, { udp: false, metrics: true });
  const anna = await link(at, await ticketOf(at, 'anna'));
  const { session, secret } = (await anna.frame).payload;
  const good = { session, secret, from: 0, link: 1, received: { frames: 0 } };
  const refused = async (change: object) => {
    const next = await link(at, await ticketOf(at, 'anna', session), { ...good, ...change });
    await next.closed;
  };
  await ticketOf(at, 'anna', '0'.repeat(16));
  await refused({ session: '1'.repeat(16) });
  await refused({ link: -1 });
  await refused({ secret: 'x'.repeat(22) });
  await refused({ from: 7 });
  await refused({ link: 0 });
  await refused({ received: { frames: 9 } });
  await until(() => at.server.players.size === 0, 'the lie to end the session');
  await ticketOf(at, 'anna', session);
  const values = await scrape(at);
  const reasons = Object.entries(values).filter(([name]) => name.startsWith('resumes_refused'));
  t.same(Object.fromEntries(reasons), {
    'resumes_refused_total{reason="unknown"}': 2,
    'resumes_refused_total{reason="malformed"}': 1,
    'resumes_refused_total{reason="secret"}': 1,
    'resumes_refused_total{reason="wrong-link"}': 1,
    'resumes_refused_total{reason="overtaken"}': 1,
    'resumes_refused_total{reason="false-report"}': 1,
    'resumes_refused_total{reason="over"}': 1,
  });
});
