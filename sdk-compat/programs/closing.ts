import type { Client, GameConnection } from '../../src/index.js';
import type { Messages } from '../messages.js';
import { type Log, outcome } from '../transcript.js';

const CLIENT_CLOSES: [number?, string?][] = [
  [],
  [1000, 'done'],
  [3000, ''],
  [4999, 'äöü'],
  [4100, '€'.repeat(100)],
];
const SERVER_CLOSES = [{}, { code: 4200, reason: 'you are out' }, { code: 1000, reason: 'over' }];

/** Each end closes with codes and reasons; both learn them, and what was sent before arrives. */
export async function closing(client: Client, address: string, log: Log): Promise<void> {
  const witness = await client.dialGame<Messages>(address, { sessionToken: 'witness' });
  const dial = () => client.dialGame<Messages>(address, { sessionToken: 'anna' });
  for (const how of CLIENT_CLOSES) {
    const game = await dial();
    for (let i = 0; i < 20; i++) game.send('note', i);
    await game.close(...how);
    await game.close(4000, 'a second close changes nothing');
    log('client', how, game.state, await game.closed);
    log('client', await diaryOf('anna', witness));
  }
  for (const how of SERVER_CLOSES) {
    const game = await dial();
    game.send('echo', 'first');
    game.send('close me', how); // the echo is on its way when the server closes
    for await (const message of game) log('server', 'before the end', message);
    log('server', how, game.state, await game.closed);
    log('server', await outcome(() => game.send('echo', 1)));
    log('server', await outcome(() => game.readMessage()));
    log('server', await diaryOf('anna', witness));
  }
  const game = await dial();
  for (const code of [1001, 1006, 999, 5000, 1000.5, Number.NaN]) {
    log('refused', code, await outcome(() => game.close(code)), game.state);
  }
  await game.close();
  await witness.close();
}

async function diaryOf(id: string, witness: GameConnection<Messages>): Promise<unknown> {
  witness.send('diary of', id);
  return (await witness.readMessage()).value;
}
