import type { Client, GameConnection } from '../../src/index.js';
import type { Messages } from '../messages.js';
import type { Log } from '../transcript.js';

/** Three players, two rooms: a broadcast reaches its members, all of them, and nobody else. */
export async function rooms(client: Client, address: string, log: Log): Promise<void> {
  const players: GameConnection<Messages>[] = [];
  for (const sessionToken of ['anna', 'berta', 'carl']) {
    players.push(await client.dialGame<Messages>(address, { sessionToken }));
  }
  const [anna, berta, carl] = players;
  const say = async (who: GameConnection<Messages>, type: string, value: unknown) => {
    const answers = type === 'shout' ? ['heard by'] : [`${type}ed`];
    who.send(type, value);
    for (let message = await who.readMessage(); ; message = await who.readMessage()) {
      log(who.playerId, message);
      if (answers.includes(message.type)) return;
    }
  };
  await say(anna, 'enter', 'red');
  await say(berta, 'enter', 'red');
  await say(berta, 'enter', 'blue');
  await say(anna, 'enter', 'red'); // twice is once
  await say(anna, 'shout', { room: 'red', text: 'to red' });
  await say(carl, 'shout', { room: 'blue', text: 'to blue, from outside' });
  await say(carl, 'shout', { room: 'nobody', text: 'to nobody' });
  await say(berta, 'exit', 'red');
  await say(anna, 'shout', { room: 'red', text: 'to what is left of red' });
  await say(carl, 'shout', { text: 'to all' });
  await say(berta, 'exit', 'blue');
  await say(anna, 'exit', 'red');
  await say(carl, 'exit', 'never entered');
  await say(anna, 'shout', { room: 'red', text: 'into the empty room' });
  for (const player of players) await player.close();
}
