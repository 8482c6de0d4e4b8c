/** A bot at its own connection: a Node client with the high-performance option, 60 frames a second. */
import {
  Client,
  type ClientLogger,
  type GameConnection,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import { Bot } from './game/bot.js';
import type { SnapshotValue } from './game/messages.js';
import { brawlerRegistry, type Messages } from './messages.js';

const FRAME_MS = 1000 / 60;

export class BotPlayer {
  readonly connection: GameConnection<Messages>;
  readonly #timer: NodeJS.Timeout;

  private constructor(connection: GameConnection<Messages>, seed: number) {
    this.connection = connection;
    let snapshot: SnapshotValue | null = null;
    let netId = 0;
    let bot = new Bot(seed);
    connection.on('welcome', (welcome) => {
      netId = welcome.netId;
      bot = new Bot(seed); // a new seat counts inputs from 1
    });
    connection.on('Snapshot', (newest) => {
      snapshot = newest;
    });
    connection.on('GameEvent', () => {});
    connection.on('roster', () => {});
    this.#timer = setInterval(() => {
      if (netId === 0 || connection.state !== 'open') return;
      const input = bot.frame(performance.now(), snapshot, netId);
      if (input !== null) connection.send('Input', input);
    }, FRAME_MS);
  }

  static async join(address: string, name: string, seed: number, logger: ClientLogger) {
    const client = new Client(
      { apiKey: 'example', baseUrl: address, logger },
      WithHighPerformanceTransport(),
    );
    const options = { registry: brawlerRegistry(), sessionToken: `bot:${name}` };
    return new BotPlayer(await client.dialGame<Messages>(address, options), seed);
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.connection.close();
  }
}
