/** Echo on this runtime: GameServer, UDP only, everything on (encryption, reliability, FlatBuffers). */
import { createRegistry } from '../../../src/sdk/index.js';
import { GameServer } from '../../../src/server/index.js';
import { Echo } from '../generated/index.js';
import { readArguments } from './arguments.js';
import { type BenchServer, serve } from './serve.js';
import { udpGauges, udpReady } from './udp-gauges.js';
import { udpServerOptions } from './udp-options.js';

async function open(): Promise<BenchServer> {
  const registry = createRegistry({ Echo });
  const server = await GameServer.listen(udpServerOptions(readArguments(), registry));
  let echoed = 0;
  // A view and a value that is used again: nothing comes into being for a message.
  const values: number[] = [];
  const answer = { seq: 0, sentUs: 0, values };
  server.onView('Echo', (player, view) => {
    answer.seq = view.seq;
    answer.sentUs = view.sentUs;
    const count = view.valuesLength;
    if (values.length !== count) values.length = count; // a call into the runtime
    for (let i = 0; i < count; i++) values[i] = view.values(i);
    if (player.send('Echo', answer) !== 'full') echoed += 1;
  });
  return {
    ready: udpReady(server, registry),
    mark: () => ({ echoed, ...udpGauges(server) }),
  };
}

void serve(open);
