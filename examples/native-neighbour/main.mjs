// `npm run example:neighbour`: four bots play over UDP, and a native module beside the runtime watches.
//
// Every tick of the server all bots hear of it at once, so packets come and go in bursts. JavaScript sees
// averages; the module looks every two milliseconds, and sees what the socket really had to take.
import { createRequire } from 'node:module';
import { Client, WithHighPerformanceTransport } from '@ggscale/transport';
import { GameServer } from '@ggscale/transport/server';
import { builtFile } from './build.mjs';

const { Sampler } = createRequire(import.meta.url)(builtFile());

const BOTS = 4;
const SECONDS = 3;
const INTERVAL_US = 2000;
const SHOWN = ['socket-datagrams-in', 'socket-datagrams-out', 'send-calls'];

const silent = { info() {}, warn: console.warn, error: console.error };
const server = await GameServer.listen({ tickHz: 30, dev: true, logger: silent });
server.on('move', (player, x) => {
  player.data = x;
});
server.onTick(({ tick }) => {
  server.broadcast('places', {
    tick,
    places: [...server.players.values()].map(({ data }) => data),
  });
});

const sampler = new Sampler(server.nativeHandle(), INTERVAL_US);

const bots = await Promise.all(Array.from({ length: BOTS }, (_, id) => startBot(`bot-${id}`)));
for (let second = 1; second <= SECONDS; second++) {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { intervals, peaks, totals } = sampler.take();
  console.log(`second ${second}: ${intervals} intervals of ${INTERVAL_US / 1000} ms`);
  for (const name of SHOWN)
    console.log(`  ${name}: at most ${peaks[name]} in one, ${totals[name]} so far`);
}
for (const bot of bots) await bot.close();
await server.close();
sampler.stop();

/** Answers every tick with a move. */
async function startBot(name) {
  const options = { apiKey: 'dev', baseUrl: 'http://127.0.0.1:1' };
  const client = new Client(options, WithHighPerformanceTransport({ fallback: 'error' }));
  const address = `127.0.0.1:${server.http.port}`;
  const connection = await client.dialGame(address, { sessionToken: name });
  let x = 0;
  connection.on('places', () => connection.send('move', x++));
  return connection;
}
