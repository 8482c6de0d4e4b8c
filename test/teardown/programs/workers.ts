/**
 * Programs of workers.test.ts. The main thread starts this file again as worker threads; each holds
 * a server and a client that echo each other without a pause. The second argument is the server's
 * options.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Endpoint } from '../../../src/addon/endpoint.js';
import { generateKey } from '../../../src/addon/tokens.js';
import { openPair, PROTOCOL_ID } from '../peers.js';

const ECHOES_BEFORE_READY = 500;
const say = (line: string) => process.stdout.write(`${line}\n`);

interface Task {
  options: object;
  /** How the worker ends; without one it goes on until it is terminated. */
  ends?: 'unref' | 'exit' | 'throw';
}

const options = JSON.parse(process.argv[3] ?? '{}');

async function echoForEver(task: Task): Promise<void> {
  const { server, client, atClient } = await openPair(task.options);
  server.echo = true;
  let echoes = 0;
  client.onTurn = () => {
    echoes += client.payloads.length;
    client.payloads.length = 0;
    for (let i = 0; i < 32; i++) client.send(atClient, new Uint8Array(100));
    if (echoes < ECHOES_BEFORE_READY || client.isReady) return;
    client.isReady = true;
    parentPort?.postMessage(server.endpoint.address().port);
    if (task.ends === 'exit') process.exit();
    if (task.ends === 'throw') throw new Error('in the middle of a batch');
    if (task.ends !== 'unref') return;
    client.onTurn = () => {};
    server.endpoint.unref();
    client.endpoint.unref();
  };
  for (let i = 0; i < 8; i++) client.send(atClient, new Uint8Array(100));
  client.endpoint.flush();
}

function open(ends?: Task['ends']): Worker {
  return new Worker(new URL(import.meta.url), { workerData: { options, ends } });
}

/** One that goes on. One that ends may be gone before its message arrives. */
async function start(): Promise<{ worker: Worker; port: number }> {
  const worker = open();
  const [port] = await once(worker, 'message');
  return { worker, port };
}

/** The port is free: what the worker held is closed. */
function bindAgain(port: number): void {
  const options = { protocolId: PROTOCOL_ID, privateKey: generateKey(), host: '127.0.0.1', port };
  Endpoint.openServer(options, () => {}).close();
}

const programs: Record<string, () => Promise<void>> = {
  async terminate() {
    for (let round = 0; round < 5; round++) {
      const { worker, port } = await start();
      await worker.terminate();
      bindAgain(port);
    }
    say('terminated');
  },

  /** Nothing is closed by the worker itself. */
  async ends() {
    for (const ends of ['unref', 'exit', 'throw'] as const) {
      // Node promises no order between the message and the error: both are listened for at once.
      const worker = open(ends);
      let port = 0;
      worker.on('message', (message) => {
        port = message;
      });
      worker.on('error', (error) => say(error.message));
      const code = await new Promise((resolve) => worker.on('exit', resolve));
      if (port === 0) throw new Error('the worker told no port');
      bindAgain(port);
      say(`${ends} ${code}`);
    }
  },

  async two() {
    const both = await Promise.all([start(), start()]);
    const here = await openPair(options);
    await both[0].worker.terminate();
    // The other one and the main thread go on.
    here.server.echo = true;
    here.client.send(here.atClient, new Uint8Array([9]));
    here.client.endpoint.flush();
    await here.client.until(() => here.client.payloads.length === 1);
    await both[1].worker.terminate();
    bindAgain(both[0].port);
    bindAgain(both[1].port);
    here.client.endpoint.close();
    here.server.endpoint.close();
    say('both');
  },

  /** The process ends while workers are busy. */
  async exit() {
    await Promise.all([start(), start()]);
    say('exiting');
    process.exit(0);
  },
};

if (isMainThread) await programs[process.argv[2]]();
else await echoForEver(workerData);
