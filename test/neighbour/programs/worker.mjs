// A server, a player and a native neighbour in a worker thread that ends while the neighbour samples.
// Arguments: the neighbour's file, and how the worker ends (`exit`, `throw`, `terminate`, `close`).
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Client, WithHighPerformanceTransport } from '@ggscale/transport';
import { GameServer } from '@ggscale/transport/server';

const say = (line) => process.stdout.write(`${line}\n`);

async function main([file, end]) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { file, end } });
  worker.on('error', (error) => say(error.message));
  // once() would reject with the error.
  const exited = new Promise((resolve) => worker.on('exit', resolve));
  const [message] = await once(worker, 'message');
  say(message);
  if (end === 'terminate') await worker.terminate();
  say(`exit ${await exited}`);
}

async function play({ file, end }) {
  const { Sampler } = createRequire(import.meta.url)(file);
  const logger = { info() {}, warn() {}, error: console.error };
  const server = await GameServer.listen({ dev: true, logger, udp: { threads: 1 } });
  server.on('echo', (player, value) => player.send('echo', value));
  const sampler = new Sampler(server.nativeHandle(), 100);
  const options = { apiKey: 'test', baseUrl: 'http://127.0.0.1:1' };
  const client = new Client(options, WithHighPerformanceTransport({ fallback: 'error' }));
  const address = `127.0.0.1:${server.http.port}`;
  const connection = await client.dialGame(address, { sessionToken: 'anna' });
  let isTold = false;
  connection.on('echo', (value) => {
    connection.send('echo', value + 1);
    if (isTold || value < 100 || sampler.take().totals['payloads-in'] < 100) return;
    isTold = true;
    parentPort.postMessage('sampled in a worker');
    // Behind the message; the handler's own errors are the SDK's to tell.
    setImmediate(() => {
      if (end === 'exit') process.exit();
      if (end === 'throw') throw new Error('in the middle of a game');
      if (end === 'close') connection.close().then(() => server.close());
    });
  });
  connection.send('echo', 0);
}

await (isMainThread ? main(process.argv.slice(2)) : play(workerData));
