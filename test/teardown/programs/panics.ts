/**
 * Programs of panics.test.ts, by the point at which the addon panics (native/addon/src/plant.rs). Each
 * says what JavaScript saw, and then that the process still carries a fresh pair of endpoints.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Endpoint } from '../../../src/addon/endpoint.js';
import { loadBinding } from '../../../src/addon/load-binding.js';
import { generateKey } from '../../../src/addon/tokens.js';
import { openPair, openServer } from '../peers.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

function plant(point: string): void {
  const { plantPanic } = loadBinding() as unknown as { plantPanic(point: string): boolean };
  if (!plantPanic(point)) throw new Error(`there is no point ${point}`);
}

function sayThrown(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    say(`thrown ${(error as { code: string }).code}`);
  }
}

async function sayUncaught(): Promise<void> {
  const [error] = (await once(process, 'uncaughtException')) as [{ code: string }];
  say(`uncaught ${error.code}`);
}

/** A closed endpoint answers nothing, and says why where it must. */
function sayClosed(endpoint: Endpoint): void {
  if (endpoint.drain() !== 0 || endpoint.flush() !== 0) say('not closed');
  try {
    endpoint.connect(new Uint8Array(2048));
  } catch (error) {
    say((error as { code: string }).code);
  }
}

async function sayAlive(): Promise<void> {
  const { server, client, atClient } = await openPair();
  client.send(atClient, new Uint8Array([7]));
  client.endpoint.flush();
  await server.until(() => server.payloads.length > 0);
  client.endpoint.close();
  server.endpoint.close();
  say('alive');
}

/** Where the server's side takes up what came over the network. */
async function panicWithDatagram(where: string, settings = {}): Promise<void> {
  const { server, client, atClient } = await openPair(settings);
  plant(where);
  client.send(atClient, new Uint8Array([1]));
  client.endpoint.flush();
  await sayUncaught();
  sayClosed(server.endpoint);
  client.endpoint.close();
  await sayAlive();
}

const programs: Record<string, () => Promise<void> | void> = {
  async call() {
    const { server } = openServer();
    plant('call');
    sayThrown(() => server.endpoint.drain());
    sayClosed(server.endpoint);
    await sayAlive();
  },

  async function() {
    plant('function');
    sayThrown(() => generateKey());
    await sayAlive();
  },

  socket: () => panicWithDatagram('socket'),

  /** With the endpoint locked, which JavaScript's own calls do not wait for in vain. */
  thread: () => panicWithDatagram('thread', { threads: 2 }),

  async clock() {
    const { server } = openServer({ driver: 'tick', tickIntervalUs: 1_000 });
    plant('clock');
    await sayUncaught();
    sayClosed(server.endpoint);
    await sayAlive();
  },

  async closed() {
    const { server } = openServer();
    plant('closed');
    server.endpoint.close();
    await sayUncaught();
    await sayAlive();
  },

  async worker() {
    const worker = new Worker(new URL(import.meta.url), { workerData: 'cleanup' });
    await once(worker, 'message');
    await worker.terminate();
    say('terminated');
    await sayAlive();
  },

  /** Nothing is left to do: Node ends the environment (process.exit() would skip that). */
  end() {
    openServer().server.endpoint.unref();
    plant('cleanup');
    say('ends');
  },
};

if (isMainThread) await programs[process.argv[2]]();
else {
  openServer();
  plant(workerData);
  parentPort?.postMessage('planted');
}
