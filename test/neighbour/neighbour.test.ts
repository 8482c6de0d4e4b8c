/**
 * A native module of a game's own (examples/native-neighbour) beside the runtime: built as a user would
 * build it, it reads the counters of real servers in the same process.
 */
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { GameConnection } from '../../src/sdk/index.js';
import type { GameServer } from '../../src/server/index.js';
import { dial, listen, until } from '../game/support.js';
import { openPair } from '../teardown/peers.js';
import { buildProject, type Foreign, load, missingTools, type Neighbour } from './project.js';

type Connection = GameConnection<Record<string, unknown>>;

const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url));
const THREADS = [0, 2];
/** A payload by its first byte, and shorter than any: dropped as `too-short`. */
const JUNK = new Uint8Array([0x15, 0, 0]);
const run = promisify(execFile);

/** A socket whose `send` reaches the kernel before it returns. */
async function junkSocket(t: Test, server: GameServer): Promise<Socket> {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.connect(server.udp?.port ?? 0, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** A server that echoes, and players on UDP. */
async function match(t: Test, threads: number, players: number) {
  const server = await listen({ udp: { threads } });
  t.teardown(() => server.close());
  server.on('echo', (player, value) => player.send('echo', value));
  const connections: Connection[] = [];
  for (let i = 0; i < players; i++) connections.push(await dial(server, 'udp', `player-${i}`));
  return { server, connections };
}

/** Each player sends `rounds` messages, the next when the one before is back. */
async function play(connections: Connection[], rounds: number): Promise<void> {
  let left = connections.length;
  for (const connection of connections) {
    const off = connection.on('echo', (value) => {
      if (value !== rounds) return void connection.send('echo', (value as number) + 1);
      off();
      left--;
    });
    connection.send('echo', 1);
  }
  await until(() => left === 0, 'the echoes');
}

t.test('a native neighbour', { skip: missingTools() }, async (t) => {
  const folder = t.testdir();
  await buildProject(folder);
  const neighbour = load<Neighbour>(folder, 'neighbour');
  const foreign = load<Foreign>(folder, 'foreign');
  const { read, Sampler } = neighbour;

  for (const threads of THREADS) {
    t.test(`reads what the server tells, to the datagram: threads ${threads}`, async (t) => {
      const { server, connections } = await match(t, threads, 3);
      const handle = server.nativeHandle();
      const socket = await junkSocket(t, server);
      await play(connections, 50);
      for (let i = 0; i < 5; i++) socket.send(JUNK);
      await until(() => read(handle).counters['too-short'] === 5, 'the junk');
      // An I/O thread may count between two looks; between equal ones it has not.
      let before = read(handle);
      await until(() => {
        const drops = server.drops();
        const { udp } = server.stats();
        const after = read(handle);
        const isQuiet = JSON.stringify(before) === JSON.stringify(after);
        before = after;
        if (!isQuiet) return false;
        const { closed, counters } = after;
        t.equal(closed, false);
        const shared = Object.keys(drops).filter((name) => name in counters);
        t.ok(shared.length > 30, `${shared.length} names in both`);
        for (const name of shared) t.equal(counters[name], drops[name], name);
        t.equal(counters['too-short'], 5);
        t.equal(counters.opened, 3);
        t.ok(udp.packetsIn >= 150);
        // Packets of flows: more than payloads, less than what came before there was a flow.
        t.ok(counters['payloads-in'] <= udp.packetsIn && udp.packetsIn < counters['datagrams-in']);
        t.ok(
          counters['payloads-out'] <= udp.packetsOut && udp.packetsOut < counters['datagrams-out'],
        );
        return true;
      }, 'two equal looks');
    });

    t.test(`reads what the addon counts, by the same names: threads ${threads}`, async (t) => {
      const { server, client, atClient } = await openPair({ threads });
      t.teardown(() => server.endpoint.close());
      t.teardown(() => client.endpoint.close());
      const handles = [server, client].map(({ endpoint }) => endpoint.nativeHandle());
      server.echo = true;
      for (let i = 0; i < 20; i++) client.send(atClient, new Uint8Array(100));
      client.endpoint.flush();
      await client.until(() => client.payloads.length === 20);
      for (const [index, { endpoint }] of [server, client].entries()) {
        const names = endpoint.counterNames();
        const values = new Float64Array(names.length);
        let before = read(handles[index]);
        await until(() => {
          endpoint.counters(values);
          const after = read(handles[index]);
          const isQuiet = JSON.stringify(before) === JSON.stringify(after);
          before = after;
          if (!isQuiet) return false;
          t.same(Object.keys(after.counters), names);
          t.same(Object.values(after.counters), [...values]);
          t.equal(after.counters['payloads-in'], 20);
          return true;
        }, 'two equal looks');
      }
    });

    t.test(`every look during a game is of one moment: threads ${threads}`, async (t) => {
      const { server, connections } = await match(t, threads, 4);
      const handle = server.nativeHandle();
      const isDrop = (name: string) => name in server.drops() && !/^[rt]x-/.test(name);
      const drops = Object.keys(read(handle).counters).filter(isDrop);
      const socket = await junkSocket(t, server);
      const wrong: string[] = [];
      let [looks, last] = [0, read(handle).counters];
      const look = () => {
        looks++;
        const { counters } = read(handle);
        for (const name of Object.keys(counters)) {
          if (counters[name] < last[name]) wrong.push(`${name} went back`);
        }
        last = counters;
        const dropped = drops.reduce((sum, name) => sum + counters[name], 0);
        const heard = counters['payloads-in'] + counters.consumed + dropped;
        if (counters['datagrams-in'] !== heard) wrong.push('the sum of what became of datagrams');
      };
      const isOver = play(connections, 200).then(() => true);
      while (!(await Promise.race([isOver, new Promise((done) => setImmediate(done))]))) {
        socket.send(JUNK);
        for (let i = 0; i < 20; i++) look();
      }
      t.ok(looks > 100, `${looks} looks`);
      t.ok(last['too-short'] > 0);
      t.same(wrong, []);
    });

    t.test(`samples on a thread of its own: threads ${threads}`, async (t) => {
      const { server, connections } = await match(t, threads, 2);
      const sampler = new Sampler(server.nativeHandle(), 100);
      t.teardown(() => sampler.stop());
      let report = sampler.take();
      // JavaScript never gives way in here.
      while (report.intervals < 3) report = sampler.take();
      await play(connections, 50);
      const { counters } = read(server.nativeHandle());
      // With I/O threads a look may be of the turn before.
      await until(() => {
        report = sampler.take();
        return report.totals['payloads-in'] >= counters['payloads-in'];
      }, 'a look that knows of them');
      const peaks = new Sampler(server.nativeHandle(), 100);
      t.teardown(() => peaks.stop());
      await play(connections, 50);
      await until(() => peaks.take().peaks['payloads-in'] === 0, 'quiet');
      const socket = await junkSocket(t, server);
      socket.send(JUNK);
      let most = 0;
      await until(() => {
        const { peaks: taken, totals } = peaks.take();
        most = Math.max(most, taken['too-short']);
        return totals['too-short'] === 1;
      }, 'the junk');
      t.equal(most, 1, 'in the interval in which it came');
    });

    t.test(
      `tells that the server is closed, and its last figures: threads ${threads}`,
      async (t) => {
        const { server, connections } = await match(t, threads, 2);
        const handle = server.nativeHandle();
        const sampler = new Sampler(handle, 100);
        await play(connections, 20);
        t.equal(read(handle).closed, false);
        await server.close();
        const last = read(handle);
        t.equal(last.closed, true);
        t.ok(last.counters['payloads-in'] >= 40);
        t.ok(last.counters['disconnects-out'] > 0, 'goodbyes are among them');
        await until(() => sampler.take().closed, 'the sampler to see it');
        t.same(sampler.take().totals, last.counters);
        t.throws(() => server.nativeHandle(), { name: 'TransportError', code: 'closed' });
        t.same(new Sampler(handle, 100).take().totals, last.counters, 'one that comes late');
        sampler.stop();
        sampler.stop();
      },
    );
  }

  t.test('sees what I/O threads do while JavaScript is busy', async (t) => {
    const { server } = await match(t, 2, 0);
    const sampler = new Sampler(server.nativeHandle(), 100);
    t.teardown(() => sampler.stop());
    const socket = await junkSocket(t, server);
    for (let i = 1; i <= 10; i++) {
      socket.send(JUNK);
      while (sampler.take().totals['too-short'] < i);
    }
    t.equal(server.drops()['too-short'], 10);
  });

  t.test('refuses what is no handle, and other versions', async (t) => {
    const server = await listen();
    t.teardown(() => server.close());
    const handle = server.nativeHandle();
    t.equal(foreign.check(handle), 0, 'in C, too');
    const strangers = [
      ...[undefined, null, 0, 1n, '', Symbol('handle'), {}, [], () => {}, new ArrayBuffer(64)],
      ...[Object.create(handle), new Proxy({}, {}), { ...handle }, server],
      ...[foreign.untagged, foreign.otherTag, foreign.taggedObject(), foreign.taggedExternal()],
      ...[new Proxy(handle, {}), structuredClone(handle)],
    ];
    for (const [index, stranger] of strangers.entries()) {
      t.throws(() => read(stranger), { name: 'TypeError', message: /not a value of/ }, `${index}`);
      t.throws(() => new Sampler(stranger, 100), { name: 'TypeError' });
      t.equal(foreign.check(stranger), 2, `${index} in C`);
    }
    for (const intervalUs of [undefined, 0, -1, Number.NaN, 1e10, '100']) {
      t.throws(() => new Sampler(handle, intervalUs), { name: 'RangeError' });
    }
    t.equal(foreign.check(foreign.forged(1, 0)), 0);
    t.equal(foreign.check(foreign.forged(2, 0)), 3, 'another version');
    t.throws(() => read(foreign.forged(2, 0)), { message: /another version/ });
    t.equal(foreign.check(foreign.forged(1, 8)), 3, 'an older runtime');
    t.equal(JSON.stringify(handle), '{}', 'nothing to see in it');
  });

  t.test('a server without UDP has no handle', async (t) => {
    const server = await listen({ udp: false });
    t.throws(() => server.nativeHandle(), { name: 'TransportError', code: 'udp-off' });
    await server.close();
    t.throws(() => server.nativeHandle(), { name: 'TransportError', code: 'closed' });
  });

  const program = async (name: string, nodeArgs: string[], args: string[]) => {
    const path = join(folder, `${name}.mjs`);
    cpSync(join(PROGRAMS, `${name}.mjs`), path);
    const all = [...nodeArgs, path, join(folder, 'build/Release/neighbour.node'), ...args];
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stdout } = await run(process.execPath, all, { env });
    return stdout.trim().split('\n');
  };

  for (const [end, code] of [
    ['exit', 0],
    ['throw', 1],
    ['terminate', 1],
    ['close', 0],
  ] as const) {
    t.test(`lives in a worker, and ends with it: ${end}`, async (t) => {
      const lines = await program('worker', [], [end]);
      const error = end === 'throw' ? ['in the middle of a game'] : [];
      t.same(lines, ['sampled in a worker', ...error, `exit ${code}`]);
    });
  }

  t.test('handles and samplers are collected, whoever goes first', async (t) => {
    t.same(await program('collected', ['--expose-gc'], []), ['open false', 'closed true']);
  });
});
