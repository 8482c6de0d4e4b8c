import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import t from 'tap';
import { Client } from '../../src/sdk/index.js';
import { until } from '../../test/game/support.js';
import { Brawler } from './brawler.js';
import { brawlerRegistry, type Messages, type RosterEntry } from './messages.js';

const logger = {
  info() {},
  warn() {},
  error: (fields: object, message: string) => console.error(message, fields),
};

/** Joins over WebSocket through the front, as a page does. */
async function join(brawler: Brawler, name: string) {
  const client = new Client({ apiKey: 'test', baseUrl: brawler.url });
  const options = { registry: brawlerRegistry(), sessionToken: `${name}#1` };
  const connection = await client.dialGame<Messages>(brawler.url, options);
  const seen = { connection, netId: -1, names: '', events: 0 };
  connection.on('welcome', ({ netId }) => {
    seen.netId = netId;
  });
  connection.on('roster', (roster: RosterEntry[]) => {
    seen.names = roster.map((entry) => `${entry.netId} ${entry.name} ${entry.wire}`).join(', ');
  });
  connection.on('GameEvent', () => {
    seen.events++;
  });
  connection.on('Snapshot', () => {});
  return seen;
}

t.test('people take the seats of bots, wait when there is none, and give them back', async (t) => {
  const brawler = await Brawler.start({ port: 0, bots: 4, logger });
  t.teardown(() => brawler.close());
  const people = [];
  for (const name of ['Ada', 'Bea', 'Cem', 'Dan']) {
    const person = await join(brawler, name);
    await until(() => person.netId > 0, `the seat of ${name}`);
    people.push(person);
  }
  const [ada] = people;
  const late = await join(brawler, 'Eve');
  await until(() => late.netId === 0, 'Eve watches');
  const four = '1 Dan json-ws, 2 Cem json-ws, 3 Bea json-ws, 4 Ada json-ws';
  await until(() => late.names.split(', ').sort().join(', ') === four, 'who plays');
  await ada.connection.close();
  await until(() => late.netId === 4, 'a person comes before the bots');
  for (const { connection } of people.slice(1)) await connection.close();
  await until(() => late.names.match(/udp/g)?.length === 3, 'three bots play again');
  const before = late.events;
  await until(() => late.events > before, 'they fight');
});

t.test('the command prints where to play, serves the page, and a signal ends it', async (t) => {
  const root = createRequire(import.meta.url).resolve('@ggscale/transport/package.json');
  const program = new URL('dist/examples/brawler/main.js', `file://${root}`).pathname;
  const child = spawn(process.execPath, [program, '--port', '0', '--bots', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  await until(() => printed.includes('udp\n') || child.exitCode !== null, 'the address');
  const url = /Play at (http:\S+)/.exec(printed)?.[1] ?? '';
  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/main.js', 'text/javascript'],
    ['/style.css', 'text/css'],
    ['/?name=Ada', 'text/html; charset=utf-8'],
  ]) {
    const response = await fetch(url + path);
    t.equal(response.status, 200, path);
    t.equal(response.headers.get('content-type'), type);
    t.ok((await response.text()).length > 1000);
  }
  t.equal((await fetch(`${url}/none`)).status, 404);
  t.equal((await fetch(`${url}/v1/healthz`)).status, 200, 'of the game server');
  child.kill('SIGTERM');
  t.equal(await ended, 0);
});

t.test('--help tells how it is used, and starts nothing', async (t) => {
  const root = createRequire(import.meta.url).resolve('@ggscale/transport/package.json');
  const program = new URL('dist/examples/brawler/main.js', `file://${root}`).pathname;
  const child = spawn(process.execPath, [program, '--help'], { stdio: 'pipe' });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  t.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
  t.match(printed, /^usage: npm run example -- /);
});

t.test('bad arguments are refused with what is accepted', async (t) => {
  const root = createRequire(import.meta.url).resolve('@ggscale/transport/package.json');
  const program = new URL('dist/examples/brawler/main.js', `file://${root}`).pathname;
  const child = spawn(process.execPath, [program, '--bots', '5'], { stdio: 'pipe' });
  let printed = '';
  child.stderr.on('data', (chunk) => {
    printed += chunk;
  });
  t.equal(await new Promise((resolve) => child.on('close', resolve)), 1);
  t.equal(printed, '--bots is "5", accepted: 0 to 4\n');
});
