/**
 * What carries WebSocket and HTTP: `ws`, and uWebSockets.js where that optional peer is installed. What
 * the other files of this folder expect of WebSockets is expected here again of uWebSockets.js.
 */
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Logger, WsEngine } from '../../src/server/index.js';
import { findUws } from '../../src/server/uws-module.js';
import { openPlayerSocket } from './raw-support.js';
import { dial, listen, until } from './support.js';

interface Messages {
  [type: string]: unknown;
}

const isInstalled = (await findUws()) !== null;
const skip = isInstalled ? false : 'the optional peer uWebSockets.js is not installed';

/** Suites that ask the most of a WebSocket and of the HTTP face. */
const SUITES = [
  '../../src/server/http-face.test.ts',
  '../../src/server/origins.test.ts',
  './admission.test.ts',
  './both-wires.test.ts',
  './delivery-edges.test.ts',
  './dial-edges.test.ts',
  './endings.test.ts',
  '../contract/fallback.test.ts',
  './hostile.test.ts',
  './leave-codes.test.ts',
  './resume-edges.test.ts',
  './resume.test.ts',
  '../ops/metrics.test.ts',
];

// They wait more than they work: some for timeouts of half a minute.
if (isInstalled) {
  t.setTimeout(600_000);
  t.jobs = 4;
}
for (const suite of SUITES) {
  const file = fileURLToPath(new URL(suite, import.meta.url));
  const env = { ...process.env, GGSCALE_TEST_WS_ENGINE: 'uws' };
  const options = { env, skip, buffered: true, timeout: 200_000 };
  t.spawn(process.execPath, [...process.execArgv, file], options, `uws: ${suite}`);
}

/** The whole answer to raw bytes, until the server closes. The pieces are read one by one. */
function raw(port: number, pieces: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;
    const next = () => {
      if (sent < pieces.length) socket.write(pieces[sent++]);
    };
    socket.on('connect', () => {
      next();
      timer = setInterval(next, 5);
    });
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => {
      clearInterval(timer);
      resolve(answer);
    });
    socket.on('error', reject);
  });
}

for (const engine of ['ws', 'uws'] as const satisfies readonly WsEngine[]) {
  const options = engine === 'uws' ? { skip } : {};
  const start = () => listen<Messages>({ udp: false, resumeWindowMs: 0, ws: { engine } });

  t.test(
    `${engine}: a body may come in pieces; one that is too large is refused`,
    options,
    async (t) => {
      const server = await start();
      t.teardown(() => server.close());
      const head = (length: number) =>
        'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
        `X-Session-Token: anna\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
      const pieces = [head(4), '{', ' ', ' ', '}'];
      t.match(await raw(server.http.port, pieces), /^HTTP\/1.1 200 OK\r\n[\s\S]*"ticket":/);
      const large = `"${'x'.repeat(5000)}"`;
      const refused = await raw(server.http.port, [head(large.length), large]);
      t.match(refused, /^HTTP\/1.1 413 [\s\S]*"code":"body-too-large"/);
    },
  );

  t.test(`${engine}: who leaves in the middle of a body hurts nobody`, options, async (t) => {
    const server = await start();
    t.teardown(() => server.close());
    const socket = connect(server.http.port, '127.0.0.1');
    await new Promise((resolve) => {
      socket.write(
        'POST /v1/game/ticket HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
          'X-Session-Token: anna\r\nContent-Length: 100\r\n\r\n{',
        resolve,
      );
    });
    socket.destroy();
    const connection = await dial(server, 'json-ws', 'ben');
    await connection.close();
    t.pass('served');
  });

  t.test(
    `${engine}: X-Forwarded-For in two lines is one list, the proxy's word is the last`,
    options,
    async (t) => {
      const server = await listen<Messages>({
        dev: false,
        udp: false,
        trustProxy: true,
        verifySession: (playerId) => ({ playerId }),
        admission: { blocked: ['198.51.100.0/24'] },
        ws: { engine },
      });
      t.teardown(() => server.close());
      const ask = (first: string, second: string) =>
        raw(server.http.port, [
          'GET /v1/healthz HTTP/1.1\r\nHost: game\r\nConnection: close\r\n' +
            `X-Forwarded-For: ${first}\r\nX-Forwarded-For: ${second}\r\n\r\n`,
        ]);
      t.match(await ask('203.0.113.1', '198.51.100.7'), /^HTTP\/1.1 403 [\s\S]*"code":"blocked"/);
      t.match(await ask('198.51.100.7', '203.0.113.1'), /^HTTP\/1.1 200 /);
    },
  );

  t.test(`${engine}: an answer to HEAD has no body`, options, async (t) => {
    const server = await start();
    t.teardown(() => server.close());
    const head = 'HEAD /v1/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
    t.match(await raw(server.http.port, [head]), /^HTTP\/1.1 405 [\s\S]*\r\n\r\n$/);
  });

  t.test(`${engine}: an upgrade that is none is answered in HTTP`, options, async (t) => {
    const server = await start();
    t.teardown(() => server.close());
    const text =
      'GET /v1/game/ws?ticket=x HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-WebSocket-Version: 13\r\n' +
      'Connection: close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    t.match(await raw(server.http.port, [text]), /^HTTP\/1.1 404 [\s\S]*"code":"not-found"/);
  });

  t.test(
    `${engine}: who does not read is told apart, and gets all in order once it reads`,
    options,
    async (t) => {
      const server = await start();
      t.teardown(() => server.close());
      const socket = await openPlayerSocket(server, 'anna');
      const numbers: number[] = [];
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(data.toString());
        if (!type.startsWith('$')) numbers.push(payload.number);
      });
      const player = server.players.get('anna');
      if (player === undefined) throw new Error('anna is not there');
      socket.pause();
      // It acknowledges without reading, so that only the socket holds the server up.
      const padding = 'x'.repeat(60_000);
      let said = 0;
      while (player.stats().queuedBytes < 512 * 1024) {
        while (player.send('bulk', { number: said, padding }) !== 'full') said++;
        socket.send(JSON.stringify({ type: '$ack', payload: { frames: said } }));
        const acknowledged = server.stats()['json-ws'].bytesIn;
        await until(() => server.stats()['json-ws'].bytesIn > acknowledged, 'the acknowledgement');
        if (said > 2000) throw new Error('the kernel takes everything');
      }
      t.equal(player.budget(), 0);
      socket.resume();
      await player.writable();
      await until(() => player.stats().queuedBytes === 0, 'the backlog to leave');
      t.not(player.send('bulk', { number: said, padding }), 'full');
      await until(() => numbers.length === said + 1, 'all messages');
      t.same(
        numbers,
        Array.from({ length: said + 1 }, (_, number) => number),
      );
      socket.terminate();
      await until(() => server.players.size === 0, 'the leave');
    },
  );

  t.test(`${engine}: both ends count the same bytes and frames`, options, async (t) => {
    const server = await start();
    t.teardown(() => server.close());
    server.on('echo', (player, value) => player.send('echo', value));
    const connection = await dial<Messages>(server, 'json-ws', 'anna');
    // One for each length of a frame's header, of one, two and three bytes a character.
    for (const text of ['a', 'ä'.repeat(300), '€'.repeat(40_000)]) {
      connection.send('echo', text);
      t.same(await connection.readMessage(), { type: 'echo', value: text });
    }
    const player = server.players.get('anna');
    await player?.drained();
    await connection.drained();
    const agree = () => {
      const ours = player?.stats();
      const theirs = connection.stats();
      // `$hello` may have come in one segment with the answer to the upgrade, which is not counted.
      const uncounted = Number(ours?.bytesOut) - theirs.bytesIn;
      return (
        uncounted >= 0 &&
        uncounted < 500 &&
        ours?.bytesIn === theirs.bytesOut &&
        ours.packetsOut === theirs.packetsIn &&
        ours.packetsIn === theirs.packetsOut
      );
    };
    await until(agree, 'figures that agree');
    t.ok(Number(player?.stats().bytesIn) > 120_000);
    await connection.close();
  });
}

t.test('uws: asked for and absent is an error that tells the way out', async (t) => {
  if (isInstalled) {
    t.pass('the peer is installed');
    return;
  }
  const listening = listen({ udp: false, ws: { engine: 'uws' } });
  await t.rejects(listening, { code: 'engine-missing', message: /npm install uNetworking\// });
});

t.test('auto: serves with the peer where it is installed, else with ws', async (t) => {
  const engines: unknown[] = [];
  const info = (fields: { engine?: string }, message: string) => {
    if (message === 'listening') engines.push(fields.engine);
  };
  const logger: Logger = { info, warn() {}, error() {} };
  const server = await listen<Messages>({ udp: false, logger, ws: { engine: 'auto' } });
  t.teardown(() => server.close());
  const connection = await dial(server, 'json-ws', 'anna');
  t.equal(server.players.size, 1);
  t.same(engines, [isInstalled ? 'uws' : 'ws']);
  await connection.close();
});

t.test('uws: what it cannot do is refused before it is looked for', async (t) => {
  const engine = 'uws';
  const hosted = { dev: false, trustProxy: true, verifySession: () => null };
  await t.rejects(listen({ ...hosted, host: '0.0.0.0', ws: { engine } }), {
    code: 'bad-option',
    message: /ws\.engine is "uws", accepted: .*udp\.advertise/,
  });
  await t.rejects(listen({ ws: { engine: 'fast' as never } }), {
    code: 'bad-option',
    message: /ws\.engine is "fast"/,
  });
});
