import type { Client } from '../../src/index.js';
import { type Messages, registry, TYPES } from '../messages.js';
import type { Log } from '../transcript.js';

const RELIABLE = [1, 2, 3, 4, 5];

/** What became of messages: each receipt is told once, `acked` for what is reliable, at both ends. */
export async function receipts(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  const told = new Map<number, string[]>();
  const remove = game.onReceipt((receipt, what) => {
    told.set(receipt, [...(told.get(receipt) ?? []), what]);
  });
  for (const receipt of RELIABLE) {
    game.send('GameEvent', TYPES.GameEvent.normalize({ tick: receipt }, false), { receipt });
    game.send('echo', receipt, { receipt: receipt + 100 });
    await game.readMessage();
    await game.readMessage();
  }
  game.send('echo', 'x'.repeat(100_000), { receipt: 2 ** 31 - 1 });
  game.send('echo', 'nobody asks');
  await game.drained();
  log(
    'client',
    [...told].sort(([a], [b]) => a - b),
  );
  remove();
  await game.readMessage();
  await game.readMessage();
  const bursts = RELIABLE.map((receipt) => ({
    type: receipt % 2 === 0 ? 'echo' : 'Tree',
    values: [{ root: { value: receipt } }],
    options: { receipt },
  }));
  game.send('receipts', bursts);
  const order: unknown[] = [];
  for (let i = 0; i <= RELIABLE.length; i++) {
    const { type, value } = await game.readMessage();
    if (type === 'receipts') log('server', (value as unknown[]).sort());
    else order.push(type);
  }
  log('server', order.sort());
  await game.close();
}
