/** Foreign clients at the whole game server: `npm start -- --serve --echo-foreign`, compiled. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ourToken } from './our-tokens.js';
import { buildPeers } from './peer-build.js';
import { collectText, PeerProcess } from './peer-process.js';
import {
  EVERY_SIZE,
  FILE_TIMEOUT_MS,
  foreignToken,
  LOOPBACK,
  PAYLOAD_BYTES_MAX,
  type TokenFields,
  toHex,
  tokenFields,
} from './world.js';

const JOB = fileURLToPath(new URL('../../dist/bench/match/main.js', import.meta.url));

t.setTimeout(FILE_TIMEOUT_MS);

const { peers, skipReason } = await buildPeers();
if (skipReason !== null) t.plan(0, skipReason);
else if (!existsSync(JOB)) t.plan(0, 'not compiled: run `node scripts/setup.mjs` first');
else testAll();

interface GameServerProcess {
  readonly address: string;
  /** Ends it by signal; resolves with its exit code and standard error. */
  stop(): Promise<{ code: number | null; errors: string }>;
}

/** The key goes through the environment, so that it is in no list of processes. */
async function startGameServer(fields: TokenFields): Promise<GameServerProcess> {
  const words = ['--serve', '--echo-foreign', '--protocol-id', fields.protocolId.toString()];
  const child = spawn(process.execPath, [JOB, ...words], {
    env: { ...process.env, GGSCALE_PRIVATE_KEY: toHex(fields.privateKey) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const errors = collectText(child.stderr);
  const ready = await new Promise<{ host: string; udpPort: number }>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line));
    });
    ended.then(async () => reject(new Error(`the game server ended: ${await errors}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    return { code: await ended, errors: await errors };
  };
  return { address: `${ready.host}:${ready.udpPort}`, stop };
}

function testAll(): void {
  t.test('foreign clients are echoed by the game server, one after the other', async (t) => {
    const shared = tokenFields();
    const server = await startGameServer(shared);
    for (const peer of peers) {
      const makers = {
        ours: (fields: TokenFields) => ourToken(fields),
        theirs: (fields: TokenFields) => foreignToken(peer, fields),
      };
      for (const [maker, make] of Object.entries(makers)) {
        const { privateKey } = shared;
        const token = await make(tokenFields({ privateKey, server: server.address }));
        const client = new PeerProcess(peer, 'client', { bind: LOOPBACK, token: toHex(token) });
        t.teardown(() => client.kill());
        await client.next('connected');
        client.command(`drive ${EVERY_SIZE} 9 ${PAYLOAD_BYTES_MAX}`);
        const driven = { sent: EVERY_SIZE, matched: EVERY_SIZE };
        t.match(await client.next('driven'), driven, `${peer.name}, token ${maker}`);
        client.command('disconnect');
        t.equal(await client.ended, 0);
      }
    }
    const { code, errors } = await server.stop();
    // A machine that does other things as well skips ticks, and that is said.
    const wrong = errors.replace(/^ticks skipped: [^\n]*\n/gm, '');
    t.same({ code, errors: wrong }, { code: 0, errors: '' });
  });

  t.test('the game server that stops says so to a foreign client', async (t) => {
    for (const peer of peers) {
      const fields = tokenFields();
      const server = await startGameServer(fields);
      const token = toHex(ourToken({ ...fields, server: server.address }));
      const client = new PeerProcess(peer, 'client', { bind: LOOPBACK, token });
      t.teardown(() => client.kill());
      await client.next('connected');
      await server.stop();
      t.match(await client.next('disconnected'), { reason: peer.reasons.endedByServer }, peer.name);
    }
  });
}
