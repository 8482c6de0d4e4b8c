/** Everything on one machine: game server on both wires, bots over UDP, a page for people. */
import { GameServer, type Logger } from '../../src/server/index.js';
import { Arena, TICK_HZ } from './arena.js';
import { BotPlayer } from './bot-player.js';
import { Front } from './front.js';
import { brawlerRegistry, type Messages } from './messages.js';
import { pageFiles } from './page-files.js';

const BOT_NAMES = ['Rook', 'Moss', 'Ember', 'Pike'];

export interface BrawlerOptions {
  /** Of the page; 0: any free one. */
  port: number;
  /** 0 to 4; people take their seats. */
  bots: number;
  seed?: number;
  /** Of server and bots. */
  logger: Logger;
}

export class Brawler {
  private constructor(
    readonly server: GameServer<Messages>,
    readonly arena: Arena,
    readonly bots: readonly BotPlayer[],
    readonly front: Front,
  ) {}

  /** @throws TransportError of the server; Error with `code` when the port is taken */
  static async start({ port, bots, seed = 7, logger }: BrawlerOptions): Promise<Brawler> {
    const files = await pageFiles();
    const server = await GameServer.listen<Messages>({
      registry: brawlerRegistry(),
      tickHz: TICK_HZ,
      dev: true, // loopback only, whoever asks gets in; in production: tls and verifySession
      logger,
    });
    let front: Front | null = null;
    try {
      front = await Front.open(files, server.http.port, port);
      const arena = new Arena(server, seed);
      const address = `http://127.0.0.1:${server.http.port}`;
      const joining = BOT_NAMES.slice(0, bots).map((name, index) => {
        return BotPlayer.join(address, name, seed * 16 + index, logger);
      });
      return new Brawler(server, arena, await Promise.all(joining), front);
    } catch (error) {
      await server.close();
      await front?.close();
      throw error;
    }
  }

  get url(): string {
    return this.front.origin;
  }

  /** The bots leave; people may play on for `drainMs`. A second call only makes that shorter. */
  async close(drainMs = 0): Promise<void> {
    const drained =
      this.server.state === 'closed' ? null : this.server.drain({ deadlineMs: drainMs });
    await Promise.all(this.bots.map((bot) => bot.leave()));
    await drained;
    await this.front.close();
  }
}
