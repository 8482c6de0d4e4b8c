/** Players with this product's Client, opted into UDP. */
import { GameEvent, Input, Snapshot } from '../../../src/messages/generated/index.js';
import { Client, createRegistry, WithHighPerformanceTransport } from '../../../src/sdk/index.js';
import { Bulk, Echo } from '../generated/index.js';
import { type ClientArguments, type Ears, type Line, play } from './play.js';

/** Patient: the machine is busy. */
const udp = WithHighPerformanceTransport({ fallback: 'error', handshakeTimeoutMs: 15_000 });

async function dial(args: ClientArguments, index: number, ears: Ears): Promise<Line> {
  const address = `http://${args.tickets}`;
  const client = new Client({ apiKey: 'bench', baseUrl: address }, udp);
  const sessionToken = `sdk-${index}`;
  if (args.isGame) {
    const registry = createRegistry({ Input, Snapshot, GameEvent, Bulk });
    const connection = await client.dialGame(address, { registry, sessionToken });
    connection.on('Snapshot', (value) => ears.snapshot(value));
    connection.on('GameEvent', () => ears.event());
    return connection as unknown as Line;
  }
  const connection = await client.dialGame(address, {
    registry: createRegistry({ Echo }),
    sessionToken,
  });
  connection.on('Echo', () => ears.echo());
  return connection as unknown as Line;
}

play(dial);
