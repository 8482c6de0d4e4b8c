import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { GameServer } from '../../src/server/index.js';

const PROGRAM = fileURLToPath(new URL('./fixtures/whole-game.ts', import.meta.url));

interface Line {
  level: string;
  time: string;
  name: string;
  msg: string;
  [field: string]: unknown;
}

interface Outcome {
  secrets: string[];
  shown: string[];
  scraped: string;
}

t.test(
  '5. A whole game is logged as JSON, and no secret of it is in a log or metric',
  async (t) => {
    const file = join(t.testdir(), 'outcome.json');
    const args = [...process.execArgv, PROGRAM, file];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    const { secrets, shown, scraped }: Outcome = JSON.parse(readFileSync(file, 'utf8'));
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): Line => JSON.parse(line));

    t.test('every line has its level, time and text', async (t) => {
      for (const line of lines) {
        t.match(line, { level: /^(debug|info|warn|error)$/, name: 'ggscale-transport', msg: /./ });
        t.equal(new Date(line.time).toISOString(), line.time);
      }
    });

    t.test('everything that can be logged was', async (t) => {
      const messages = new Set(lines.map(({ level, msg }) => `${level} ${msg}`));
      t.same([...messages].sort(), [
        'debug player joined',
        'debug player left',
        'debug request',
        'error handler failed',
        'error request failed',
        'info closed',
        'info listening',
        'warn ticks skipped: the process was late',
      ]);
      const of = (wanted: string) => lines.filter(({ msg }) => msg === wanted);
      t.same(new Set(of('player joined').map(({ wire }) => wire)), new Set(['udp', 'json-ws']));
      t.same(
        of('player left').map(({ player, code }) => `${player} ${code}`),
        ['anna 4100', 'berta 4100', 'carl 4200', 'anna 1000'],
      );
      t.same(
        new Set(of('handler failed').map(({ where }) => where)),
        new Set(['on boom', 'onTick']),
      );
      t.match(of('request failed')[0].error, /the database knows no \[redacted\]/);
      const answers = of('request').map(({ route, status }) => `${route} ${status}`);
      for (const answer of ['ticket 200', 'ticket 401', 'ticket 500', 'ws 101', 'metrics 401']) {
        t.ok(answers.includes(answer), answer);
      }
      t.ok(shown.some((text) => text.includes('transport.fallback')));
      t.ok(shown.some((text) => text.includes('client boom')));
    });

    t.test('and no secret is in any of it', async (t) => {
      t.ok(secrets.length > 100, `${secrets.length} spellings of secrets`);
      const everything = [stdout, stderr, scraped, ...shown].join('\n');
      t.same(
        secrets.filter((secret) => everything.includes(secret)),
        [],
      );
    });
  },
);

t.test('a logger of the program takes the lines, without debug too', async (t) => {
  const lines: string[] = [];
  const take = (_fields: object, message: string) => lines.push(message);
  const logger = { info: take, warn: take, error: take };
  const server = await GameServer.listen({ dev: true, udp: false, logger });
  await fetch(`http://127.0.0.1:${server.http.port}/v1/healthz`);
  await server.close();
  t.same(lines, ['listening', 'closed']);
});

t.test('levels and loggers out of range are refused', async (t) => {
  const logger = { info() {}, warn() {}, error() {} };
  for (const options of [
    { logLevel: 'loud' },
    { logLevel: 5 },
    { logLevel: 'info', logger },
    { logger: { ...logger, debug: 1 } },
    { metrics: 1 },
    { metrics: { bearer: 'short' } },
    { metrics: { bearer: 'sixteen or more but spaces' } },
    { metrics: { token: 'x' } },
  ]) {
    const listening = GameServer.listen({ dev: true, udp: false, ...options } as never);
    await t.rejects(listening, { code: 'bad-option' }, JSON.stringify(options));
  }
});
