/** Real scrapes of real servers, with players on both wires. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t from 'tap';
import { Input, type InputValue } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import type { GameServer } from '../../src/server/index.js';
import { dial, listen, until, WIRES } from '../game/support.js';

const registry = createRegistry({ Input });
type Game = { Input: InputValue; note: unknown; boom: unknown };
const BEARER = 'a-bearer-for-this-test';

function ask(server: GameServer<Game>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.http.port}/metrics`, { headers });
}

interface Scrape {
  types: Map<string, string>;
  /** By name and labels, as printed. */
  values: Map<string, number>;
}

/** Prometheus' text format 0.0.4, strictly: a line that is none of its kinds fails. */
async function scrape(server: GameServer<Game>): Promise<Scrape> {
  const response = await ask(server);
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    if (line === '' || /^# HELP ggscale_[a-z0-9_]+ \S.*$/.test(line)) continue;
    const type = /^# TYPE (ggscale_[a-z0-9_]+) (gauge|counter|histogram)$/.exec(line);
    const sample = /^(ggscale_[a-z0-9_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)$/.exec(
      line,
    );
    if (type !== null) types.set(type[1], type[2]);
    else if (sample !== null) values.set(sample[1], Number(sample[2].replace('+Inf', 'Infinity')));
    else throw new Error(`not a line of metrics: ${line}`);
  }
  return { types, values };
}

t.test('prom-client is loaded by the first scrape, not before', async (t) => {
  const { cache } = createRequire(import.meta.url);
  const isLoaded = () => Object.keys(cache).some((path) => /[\\/]prom-client[\\/]/.test(path));
  const server = await listen<Game>({ udp: false, metrics: true, tickHz: 100 });
  t.teardown(() => server.close());
  await until(() => server.nowMs() > 50, 'a few ticks');
  t.notOk(isLoaded());
  await scrape(server);
  t.ok(isLoaded());
});

t.test('a game on both wires is told in numbers', async (t) => {
  const server = await listen<Game>({ registry, tickHz: 100, metrics: true, maxPlayers: 50 });
  t.teardown(() => server.close());
  server.onError(() => {});
  server.onJoin((player) => server.room('all').join(player));
  server.room('all').onTick(100, () => {});
  server.on('note', (player, value) => player.send('note', value));
  server.on('boom', () => {
    throw new Error('boom');
  });
  const before = await scrape(server);
  const connections = await Promise.all(
    WIRES.map((wire) => dial(server, wire, `anna-${wire}`, registry)),
  );
  for (const connection of connections) {
    for (let i = 0; i < 10; i++) connection.send('note', i);
    connection.send('boom', null);
    connection.send('Input', { inputs: [] });
    for (let i = 0; i < 10; i++) t.same((await connection.readMessage()).value, i);
  }
  await until(() => server.stats().drops['message-unhandled'] === 2, 'both inputs');
  const during = await scrape(server);
  const value = (name: string) => during.values.get(`ggscale_${name}`) ?? Number.NaN;
  t.equal(value('players_max'), 50);
  t.equal(value('rooms'), 1);
  t.equal(value('handler_errors_total'), 2);
  t.equal(value('drops_total{reason="message-unhandled"}'), 2);
  t.equal(value('http_requests_total{route="ticket",status="200"}'), 2);
  t.equal(value('http_requests_total{route="ws",status="101"}'), 1);
  t.equal(value('http_requests_total{route="metrics",status="200"}'), 1);
  for (const wire of WIRES) {
    t.equal(value(`players{wire="${wire}"}`), 1);
    t.equal(value(`joins_total{wire="${wire}"}`), 1);
    t.equal(value(`leaves_total{wire="${wire}"}`), 0);
    t.equal(value(`messages_total{wire="${wire}",direction="in"}`), 12);
    t.equal(value(`messages_total{wire="${wire}",direction="out"}`), 10);
    t.ok(value(`bytes_total{wire="${wire}",direction="in"}`) > 100);
    t.ok(value(`packets_total{wire="${wire}",direction="out"}`) >= 1);
  }
  t.ok(value('rtt_seconds{wire="udp",quantile="1"}') > 0);
  t.equal(value('udp_flows'), 1);
  t.equal(value('udp_flows_max'), 4096);
  t.equal(value('udp_info{driver="tick",threads="0"}'), 1);
  t.ok(value('message_age_seconds_count') >= 12, 'ages of the messages by UDP');
  t.ok(value('ticks_total') >= 1);
  t.ok(value('room_ticks_total') >= 1);
  t.equal(value('tick_duration_seconds_count'), value('ticks_total'));
  t.equal(value('tick_lateness_seconds_count'), value('ticks_total'));
  t.ok(value('process_memory_bytes{kind="resident"}') > 1e6);
  t.ok(value('process_cpu_seconds_total{mode="user"}') > 0);
  t.ok(value('event_loop_delay_seconds{quantile="1"}') >= 0);

  for (const connection of connections) await connection.close();
  await until(() => server.players.size === 0, 'both to leave');
  const after = await scrape(server);
  for (const wire of WIRES) {
    t.equal(after.values.get(`ggscale_players{wire="${wire}"}`), 0);
    t.equal(after.values.get(`ggscale_leaves_total{wire="${wire}"}`), 1);
  }

  t.test('5. Counters never fall; names: ggscale_, seconds, _total', async (t) => {
    for (const [name, type] of after.types) {
      t.equal(type === 'counter', name.endsWith('_total'), name);
      if (type === 'histogram') t.match(name, /_seconds$/);
      for (const [sample, old] of before.values) {
        if (type === 'gauge' || !sample.startsWith(name)) continue;
        t.ok((after.values.get(sample) ?? -1) >= old, sample);
      }
    }
  });

  t.test('buckets of a histogram add up to its count', async (t) => {
    for (const [name, type] of after.types) {
      if (type !== 'histogram') continue;
      for (const [sample, count] of after.values) {
        if (!sample.startsWith(`${name}_count`)) continue;
        const labels = /\{(.*)\}/.exec(sample)?.[1];
        const le = labels === undefined ? 'le="+Inf"' : `${labels},le="+Inf"`;
        t.equal(after.values.get(`${name}_bucket{${le}}`), count, sample);
      }
    }
  });

  t.test('5. No metric tells one player from another', async (t) => {
    for (const sample of after.values.keys()) {
      t.notMatch(sample, /[{,](player|tenant|session|address|id)[a-z_]*=|anna|127\.0/);
    }
  });

  t.test('docs/OPERATIONS.md lists these metrics and no others', async (t) => {
    const text = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `(ggscale_[a-z0-9_]+)` \| (\w+) \|/gm)];
    const documented = rows.map(([, name, type]) => `${name} ${type}`).sort();
    t.same(documented, [...after.types].map(([name, type]) => `${name} ${type}`).sort());
  });

  t.test('labels are those of the document', async (t) => {
    const text = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    for (const name of after.types.keys()) {
      const row = new RegExp(`^\\| \`${name}\` \\| \\w+ \\| ([^|]*) \\|`, 'm').exec(text);
      const documented = [...(row?.[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, label]) => label);
      const shown = new Set<string>();
      for (const sample of during.values.keys()) {
        if (!new RegExp(`^${name}(_bucket|_sum|_count)?(\\{|$)`).test(sample)) continue;
        for (const [, label] of sample.matchAll(/([a-z_]+)="/g)) shown.add(label);
      }
      shown.delete('le');
      t.same([...shown].sort(), documented.sort(), name);
    }
  });
});

t.test('without UDP there are no metrics of it, and the rest is as ever', async (t) => {
  const server = await listen<Game>({ udp: false, tickHz: 50, metrics: true });
  t.teardown(() => server.close());
  const { types } = await scrape(server);
  t.ok(types.has('ggscale_players'));
  t.notOk([...types.keys()].some((name) => name.startsWith('ggscale_udp')));
});

t.test('5. GET /metrics is off unless asked for, and a bearer guards it', async (t) => {
  const silent = await listen<Game>({ udp: false });
  t.teardown(() => silent.close());
  t.equal((await ask(silent)).status, 404);

  const guarded = await listen<Game>({ udp: false, metrics: { bearer: BEARER } });
  t.teardown(() => guarded.close());
  for (const authorization of ['', BEARER, `Bearer ${BEARER}x`, 'Bearer x']) {
    const response = await ask(guarded, authorization === '' ? {} : { authorization });
    t.equal(response.status, 401);
    t.equal(response.headers.get('www-authenticate'), 'Bearer');
    t.notMatch(await response.text(), /ggscale_/);
  }
  const response = await ask(guarded, { authorization: `Bearer ${BEARER}` });
  t.equal(response.status, 200);
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  t.equal(response.headers.get('cache-control'), 'no-store');
  const post = { method: 'POST', headers: { authorization: `Bearer ${BEARER}` } };
  t.equal((await fetch(`http://127.0.0.1:${guarded.http.port}/metrics`, post)).status, 405);
});

t.test('5. GET /v1/healthz is what the launch convention says', async (t) => {
  const server = await listen<Game>({ udp: false });
  t.teardown(() => server.close());
  process.env.GGSCALE_COMMIT = '0123abc';
  t.teardown(() => delete process.env.GGSCALE_COMMIT);
  const response = await fetch(`http://127.0.0.1:${server.http.port}/v1/healthz`);
  t.equal(response.headers.get('x-api-version'), 'v1');
  t.same(await response.json(), { status: 'ok', version: 'v1', commit: '0123abc' });
});
