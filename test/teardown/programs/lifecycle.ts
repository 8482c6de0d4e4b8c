/** Programs of lifecycle.test.ts, by name: each ends (or does not end) by itself. */
import { on } from 'node:events';
import { openPair, openServer } from '../peers.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

const programs: Record<string, () => Promise<void> | void> = {
  /** A closed server does not hold the process. */
  closed() {
    openServer().server.endpoint.close();
    say('closed');
  },

  /** An open one does: nothing else of this program waits. */
  open() {
    const { server } = openServer({ driver: 'tick', tickIntervalUs: 2_000 });
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
    const { server } = openServer({ driver: 'tick', tickIntervalUs: 1_000_000 });
    server.endpoint.unref();
    say('unreferenced');
  },

  async exit() {
    const { server, client, atClient } = await openPair();
    server.onTurn = () => {
      say('exiting');
      process.exit(3);
    };
    client.send(atClient, new Uint8Array([1]));
    client.endpoint.flush();
  },

  /** A handler that throws is an uncaught exception, and the endpoint lives on. */
  async throws() {
    const { server, client, atClient } = await openPair();
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
    const { server } = openServer({ driver: 'tick', tickIntervalUs: 1_000 });
    let ticks = 0;
    process.on('uncaughtException', (error) => say(`caught ${error.message}`));
    server.onTurn = () => {
      if (++ticks < 3) throw new Error(`tick ${ticks}`);
      if (ticks > 5) server.endpoint.close();
    };
  },

  uncaught() {
    const { server } = openServer({ driver: 'tick', tickIntervalUs: 1_000 });
    server.onTurn = () => {
      throw new Error('nobody listens');
    };
  },

  /** A promise chain continues between two wakes: microtasks run after each. */
  async microtasks() {
    const { server, client, atClient } = await openPair();
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
