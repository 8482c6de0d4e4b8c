// Handles and samplers that are collected, before and after their server is closed; needs --expose-gc.
// Argument: the neighbour's file.
import { createRequire } from 'node:module';
import { GameServer } from '@ggscale/transport/server';

const { Sampler, read } = createRequire(import.meta.url)(process.argv[2]);
const logger = { info() {}, warn() {}, error: console.error };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Resolves when `count` of the objects that `make` made are collected. */
async function collected(count, make) {
  let left = count;
  const registry = new FinalizationRegistry(() => left--);
  for (let i = 0; i < count; i++) registry.register(make(i));
  while (left > 0) {
    globalThis.gc();
    await turn();
  }
}

let server = await GameServer.listen({ dev: true, logger });
const kept = server.nativeHandle();
await collected(500, () => server.nativeHandle());
await collected(50, () => new Sampler(server.nativeHandle(), 50));
console.log('open', read(kept).closed);
const sampler = new Sampler(server.nativeHandle(), 50);
await server.close();
server = null;
globalThis.gc();
await turn();
await collected(50, () => new Sampler(kept, 50));
while (!sampler.take().closed) await turn();
console.log('closed', read(kept).closed);
