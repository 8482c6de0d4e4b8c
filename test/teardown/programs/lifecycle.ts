/**
 * Programs of lifecycle.test.ts, by name: each ends (or does not end) by itself. The second argument
 * is the server's options.
 */
import { on } from 'node:events';
import { readdirSync } from 'node:fs';
import { type Flow, openPair, openServer, type Peer } from '../peers.js';

const options = JSON.parse(process.argv[3] ?? '{}');
const tasks = readdirSync('/proc/self/task').length;
const say = (line: string) => process.stdout.write(`${line}\n`);

let client: Peer | null = null;

/** A server that answers, closes when its client did, and is referred to by nothing here. */
async function forget(): Promise<Flow> {
  const pair = await openPair(options);
  pair.server.echo = true;
  const { endpoint } = pair.server;
  pair.server.onTurn = () => {
    if (pair.server.closed.length > 0) endpoint.close();
  };
  client = pair.client;
  return pair.atClient;
}

/** MiB of array buffers more than `before`. */
function held(before: number): number {
  return (process.memoryUsage().arrayBuffers - before) / (1 << 20);
}

const programs: Record<string, () => Promise<void> | void> = {
  /** A closed server does not hold the process. */
  closed() {
    openServer(options).server.endpoint.close();
    say('closed');
  },

  /** An open one does: nothing else of this program waits. */
  open() {
    const { server } = openServer({ ...options, driver: 'tick', tickIntervalUs: 2_000 });
    let ticks = 0;
    server.onTurn = () => {
      ticks += server.endpoint.ticksDue;
      if (ticks < 5 || server.endpoint.isClosed) return;
      say('ticked');
      server.endpoint.close();
    };
  },

  /** Unless it says otherwise. */
  unref() {
    const { server } = openServer({ ...options, driver: 'tick', tickIntervalUs: 1_000_000 });
    server.endpoint.unref();
    say('unreferenced');
  },

  async exit() {
    const { server, client, atClient } = await openPair(options);
    server.onTurn = () => {
      say('exiting');
      process.exit(3);
    };
    client.send(atClient, new Uint8Array([1]));
    client.endpoint.flush();
  },

  /** A handler that throws is an uncaught exception, and the endpoint lives on. */
  async throws() {
    const { server, client, atClient } = await openPair(options);
    let thrown = 0;
    server.echo = true;
    server.onTurn = () => {
      if (thrown === 3) return;
      thrown++;
      throw new Error(`number ${thrown}`);
    };
    // From the start: a turn that threw is tried again by itself, maybe before the next send.
    const caught = on(process, 'uncaughtException');
    for (let i = 1; i <= 3; i++) {
      client.send(atClient, new Uint8Array([i]));
      client.endpoint.flush();
      const [error] = (await caught.next()).value as [Error];
      say(`caught ${error.message}`);
    }
    // The echoes of the turns that threw leave with the next flush.
    client.send(atClient, new Uint8Array([4]));
    client.endpoint.flush();
    await client.until(() => client.payloads.length === 4);
    say('echoed');
    client.endpoint.close();
    server.endpoint.close();
  },

  /** Ticks go on after a handler that threw in one. */
  throwsInTick() {
    const { server } = openServer({ ...options, driver: 'tick', tickIntervalUs: 1_000 });
    let ticks = 0;
    process.on('uncaughtException', (error) => say(`caught ${error.message}`));
    server.onTurn = () => {
      if (++ticks < 3) throw new Error(`tick ${ticks}`);
      if (ticks > 5) server.endpoint.close();
    };
  },

  /** An endpoint that nobody can reach any more goes on, and ends with the program. */
  async forgotten() {
    const atClient = await forget();
    for (let round = 0; round < 5; round++) {
      global.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    client?.send(atClient, new Uint8Array([5]));
    client?.endpoint.flush();
    await client?.until(() => client?.payloads.length === 1);
    say('echoed');
    client?.endpoint.close();
  },

  /** A closed one is collected, its ring memory with it. */
  async collected() {
    const before = process.memoryUsage().arrayBuffers;
    const sizes = { rxArenaBytes: 1 << 22, txArenaBytes: 1 << 22 };
    for (let i = 0; i < 10; i++) openServer({ ...options, rings: sizes }).server.endpoint.close();
    say(held(before) > 20 ? 'held' : 'nothing held');
    for (let round = 0; round < 100 && held(before) > 2; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      global.gc?.();
    }
    say(held(before) > 2 ? 'leaked' : 'collected');
  },

  /** Node names what keeps a process alive; of a closed endpoint it names nothing. */
  async resources() {
    const before = process.getActiveResourcesInfo().length;
    const { server, client } = await openPair(options);
    client.endpoint.close();
    server.endpoint.close();
    for (let round = 0; round < 10; round++) await new Promise((resolve) => setImmediate(resolve));
    const after = process.getActiveResourcesInfo().length;
    say(after <= before ? 'nothing left' : process.getActiveResourcesInfo().join());
    say(`${readdirSync('/proc/self/task').length - tasks} threads more`);
  },

  uncaught() {
    const { server } = openServer({ ...options, driver: 'tick', tickIntervalUs: 1_000 });
    server.onTurn = () => {
      throw new Error('nobody listens');
    };
  },

  /** A promise chain continues between two wakes: microtasks run after each. */
  async microtasks() {
    const { server, client, atClient } = await openPair(options);
    server.onTurn = () => {
      queueMicrotask(() => say('microtask'));
      server.onTurn = () => {};
    };
    client.send(atClient, new Uint8Array([1]));
    client.endpoint.flush();
    await server.until(() => server.payloads.length > 0);
    client.endpoint.close();
    server.endpoint.close();
  },
};

await programs[process.argv[2]]();
