import type { Client } from '../../src/index.js';
import { type Messages, registry } from '../messages.js';
import type { Log } from '../transcript.js';

/** A reader that stalls: afterwards snapshots are newer, none comes twice, and none is old. */
export async function newestState(client: Client, address: string, log: Log): Promise<void> {
  const game = await client.dialGame<Messages>(address, { registry, sessionToken: 'anna' });
  let newest = 0;
  let resolve = () => {};
  let goal = 1;
  game.on('Snapshot', ({ tick, boomerangs }) => {
    log('snapshots', tick, boomerangs.length);
    newest = tick;
    if (tick >= goal) resolve();
  });
  const until = (tick: number) =>
    new Promise<void>((done) => {
      goal = tick;
      resolve = done;
    });
  game.send('snapshots', 40);
  await until(10);
  const start = performance.now();
  while (performance.now() - start < 150); // a game that loads a level, and reads nothing
  await until(newest + 40);
  // What is reliable keeps its order beside them.
  const ticks = [];
  for (let i = 0; i < 3; i++) ticks.push((await game.readMessage()).value as number);
  log('reliable', ticks, ticks[2] <= newest + 20);
  game.send('snapshots', 0);
  await game.close();
}
