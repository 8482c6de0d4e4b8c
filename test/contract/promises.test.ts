/**
 * The table "What is promised" of the README: each row has its tests, by name, and those that only this
 * table asks for are here.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GameEvent } from '../../src/messages/generated/index.js';
import { createRegistry } from '../../src/messages/index.js';
import { Client, WithHighPerformanceTransport } from '../../src/sdk/index.js';
import type { Wire } from '../../src/session/types.js';
import { UNRELIABLE_MESSAGE_BYTES_MAX } from '../../src/util/limits.js';
import { place } from '../game/resume-support.js';
import { dial, listen, until, WIRES } from '../game/support.js';
import { type Numbered, numberType } from '../session/number-type.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** File and name of a test, as it is written there. */
type Proof = readonly [file: string, name: string];

const PROMISES: Record<string, Proof[]> = {
  'encrypted, authenticated': [
    ['test/contract/promises.test.ts', 'both wires come in over TLS, and only where it is trusted'],
    [
      'test/contract/udp-admission.test.ts',
      '4. The session JWT never crosses UDP in clear, nor does anything said',
    ],
  ],
  'reliable ordered (default)': [
    [
      'test/game/both-wires.test.ts',
      'unregistered messages go both ways, in order, with equal values',
    ],
    ['sdk-compat/impaired.test.ts', 'the same transcript with the option off and on'],
    [
      'src/protocol/delivery.test.ts',
      'every mode keeps its promise under 10 % loss, duplication and reordering',
    ],
  ],
  'unreliable types': [
    [
      'src/session/json-peer.test.ts',
      'a newer sequenced message that goes out at once replaces the one that waits',
    ],
    ['src/protocol/behaviour.test.ts', 'redundant copies close single losses without a resend'],
  ],
  'a lost packet stalls': [
    ['test/contract/promises.test.ts', 'udp: a lost packet stalls its own channel'],
    ['test/contract/promises.test.ts', 'json-ws: what stalls stalls everything behind it'],
  ],
  'back-pressure': [
    ['test/game/both-wires.test.ts', 'back-pressure says full and recovers, nothing is lost'],
  ],
  'message size': [
    [
      'test/game/both-wires.test.ts',
      'a 256 KiB message arrives whole, a larger one is refused before it leaves',
    ],
    ['test/contract/promises.test.ts', 'udp: an unreliable message has up to 16 KiB'],
  ],
  'newer connection of a player': [
    ['test/contract/udp-admission.test.ts', '4. The newer connection wins with a normal close'],
  ],
  'the connection dies': [
    ['test/game/resume.test.ts', 'UDP dies: WebSocket, one event, and back to UDP when asked'],
    ['test/game/resume.test.ts', 'TCP dies, again and again'],
    [
      'test/game/resume-edges.test.ts',
      'the window ends: the player leaves with what killed its link',
    ],
  ],
  'the address changes (NAT, roaming)': [
    ['test/drivers/rebinding.test.ts', 'a client whose port changes goes on where it was'],
    ['test/game/resume.test.ts', 'TCP dies, again and again'],
  ],
  'a path that carries less': [
    ['src/protocol/rate.test.ts', 'the budget is what would leave at once, less what waits'],
    ['src/sim/scenarios/rates.ts', "title: 'bufferbloat'"],
    ['src/sim/scenarios/rates.ts', "title: 'cross traffic'"],
  ],
};

t.test('every row of the table has its tests, and they exist by these names', async (t) => {
  const [, table] = readFileSync(join(ROOT, 'README.md'), 'utf8').split('## What is promised');
  const rows = table
    .split('\n## ')[0]
    .split('\n')
    .filter((line) => /^\| [^|]/.test(line))
    .map((line) => line.split('|')[1].trim());
  t.same(rows.filter((row) => row !== '').sort(), Object.keys(PROMISES).sort());
  for (const proofs of Object.values(PROMISES)) {
    for (const [file, name] of proofs) {
      t.ok(readFileSync(join(ROOT, file), 'utf8').includes(name), `${file}: ${name}`);
    }
  }
});

/** A key and a certificate for the loopback, for this run; null where there is no openssl. */
function certify(folder: string): { key: string; cert: string } | null {
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  const words =
    'req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost ' +
    '-addext subjectAltName=DNS:localhost,IP:127.0.0.1';
  try {
    execFileSync('openssl', [...words.split(' '), '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { key, cert };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'ggscale-tls-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const paths = certify(folder);
const skip = paths === null && 'no openssl on this machine';

t.test('both wires come in over TLS, and only where it is trusted', { skip }, async (t) => {
  if (paths === null) return;
  const tls = { key: readFileSync(paths.key), cert: readFileSync(paths.cert) };
  const server = await listen({ tls });
  t.teardown(() => server.close());
  server.on('echo', (player, value) => void player.send('echo', value));
  const option = WithHighPerformanceTransport({ fallback: 'error' });
  const play = async (scheme: string, wire: Wire) => {
    const { http } = server;
    const options = wire === 'udp' ? [option] : [];
    const client = new Client({ apiKey: 'test', baseUrl: 'http://127.0.0.1:1' }, ...options);
    const address = `${scheme}://127.0.0.1:${http.port}`;
    const connection = await client.dialGame(address, { sessionToken: wire });
    connection.send('echo', 'hello');
    const { value } = await connection.readMessage();
    t.equal(connection.wire, wire);
    await connection.close();
    return value;
  };
  for (const wire of WIRES) {
    await t.rejects(play('http', wire), { name: 'RequestError' }, 'nothing is said in clear');
    await t.rejects(play('https', wire), { name: 'RequestError' }, 'nobody vouches for it');
  }
  const { env } = process;
  t.teardown(() => delete env.NODE_TLS_REJECT_UNAUTHORIZED);
  env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // as if somebody did
  for (const wire of WIRES) t.equal(await play('https', wire), 'hello');
});

/** `text` is on channel 0, GameEvent on one of its own. */
const EVENT = GameEvent.normalize({}, false);

t.test('udp: a lost packet stalls its own channel', async (t) => {
  const { server, udp, dial } = await place(t);
  const connection = await dial('anna', { fallback: 'error' });
  const player = server.players.get('anna');
  let hasOvertaken = false;
  // Where the machine is busy, what was lost may be sent again before the other is sent at all.
  for (let attempt = 0; attempt < 20 && !hasOvertaken; attempt++) {
    const order: string[] = [];
    const stop = [
      connection.on('text', () => order.push('text')),
      connection.on('GameEvent', () => order.push('event')),
    ];
    let lost = 0;
    udp.loses = (isToServer, { length }) => !isToServer && length > 600 && ++lost === 1;
    player?.send('text', 'x'.repeat(700));
    await until(() => lost === 1, 'the loss');
    player?.send('GameEvent', EVENT);
    await until(() => order.length === 2, 'both');
    hasOvertaken = order[0] === 'event';
    for (const remove of stop) remove();
  }
  t.ok(hasOvertaken, 'what is on another channel does not wait');
});

t.test('json-ws: what stalls stalls everything behind it', async (t) => {
  const { server, tcp, dial } = await place(t);
  const connection = await dial('anna');
  const player = server.players.get('anna');
  const order: string[] = [];
  connection.on('text', () => order.push('text'));
  connection.on('GameEvent', () => order.push('event'));
  tcp.isStalled = true;
  for (let i = 0; i < 5; i++) {
    player?.send('text', 'x'.repeat(700));
    player?.send('GameEvent', EVENT);
  }
  tcp.isStalled = false;
  await until(() => order.length === 10, 'all of it');
  t.same(order, Array(5).fill(['text', 'event']).flat(), 'in the order of send');
});

t.test('udp: an unreliable message has up to 16 KiB', async (t) => {
  const registry = createRegistry({ Blob: numberType('Blob', 40, 1, 1) }) as never;
  const server = await listen<{ Blob: Numbered }>({ registry });
  t.teardown(() => server.close());
  const connection = await dial(server, 'udp', 'anna', registry);
  /** Beside the padding: the id, n and the padding's length. */
  const pad = UNRELIABLE_MESSAGE_BYTES_MAX - 9;
  let came = 0;
  server.on('Blob', (_player, { pad: bytes }) => {
    came = bytes;
  });
  await until(() => {
    connection.send('Blob', { n: 1, pad });
    return came > 0;
  }, 'one of them');
  t.equal(came, pad);
  const send = () => connection.send('Blob', { n: 1, pad: pad + 1 });
  t.throws(send, { code: 'message-too-large' });
  await connection.close();
});
