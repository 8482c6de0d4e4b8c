/** The server under test: a GameServer with matches, which answers the tally and counts what it has. */
import type { GameMessages } from '../../examples/brawler/game/messages.js';
import { GameServer, type Logger, type Player } from '../../src/server/index.js';
import { endWithMain } from '../churn/answering.js';
import { type Counts, count } from '../churn/counts.js';
import type { ServerCommand } from '../churn/messages.js';
import { readCounts, readMemory } from '../churn/server-state.js';
import { Matches } from '../match/matches.js';
import { PRIVATE_KEY } from '../suite/servers/udp-key.js';
import { readInside, watchRuntime } from './inside.js';
import {
  type Plant,
  padLength,
  SEAT_PREFIX,
  type ServerReady,
  type ServerSample,
  type ServerSetup,
  type SoakMessages,
  soakRegistry,
} from './messages.js';

const TICK_HZ = 30;
const MAX_PLAYERS = 4096;
/** Of each player, with the plant `lost`. */
const LOST_TALLY = 20;
const PLANTED_BYTES = 16_384;

/** What the server and a player have said to each other. */
interface Account {
  heard: number;
  n: number;
  /** A tally that could not be sent. */
  isOwed: boolean;
}

class ServerProcess {
  readonly #server: GameServer<SoakMessages>;
  readonly #setup: ServerSetup;
  readonly #matches: Matches;
  readonly #accounts = new Map<Player<SoakMessages>, Account>();
  readonly #leaked: unknown[] = [];
  readonly #events = { heard: 0, astray: 0 };
  #joins = 0;
  #resumes = 0;

  static async start(setup: ServerSetup, logger: Logger): Promise<ServerProcess> {
    watchRuntime();
    const server = await GameServer.listen<SoakMessages>({
      dev: true,
      registry: soakRegistry(),
      tickHz: TICK_HZ,
      resumeWindowMs: setup.resumeWindowMs,
      maxPlayers: MAX_PLAYERS,
      udp: { maxFlows: MAX_PLAYERS, privateKey: PRIVATE_KEY, advertise: [setup.advertise] },
      metrics: true,
      logger,
    });
    return new ServerProcess(server, setup, logger);
  }

  private constructor(server: GameServer<SoakMessages>, setup: ServerSetup, logger: Logger) {
    this.#server = server;
    this.#setup = setup;
    const game = server as unknown as GameServer<GameMessages>;
    this.#matches = new Matches(game, setup.seed, TICK_HZ, ({ id }) => id.startsWith(SEAT_PREFIX));
    this.#matches.play();
    server.onJoin((player) => this.#handleJoin(player));
    server.onLeave((player) => this.#handleLeave(player));
    server.onResume(() => this.#resumes++);
    server.onTick(() => this.#payDebts());
    server.on('GameEvent', (player, value) => {
      const account = this.#accounts.get(player);
      if (account !== undefined) this.#handleEvent(player, account, value.tick);
      else player.send('GameEvent', value);
    });
    server.onError((error, where) => logger.error({ where }, `handler: ${error}`));
  }

  get ready(): ServerReady {
    const { http, udp } = this.#server;
    return { kind: 'ready', httpPort: http.port, udpPort: udp?.port ?? 0 };
  }

  sample(withObjects: boolean, log: Log): ServerSample {
    globalThis.gc?.();
    globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    return {
      kind: 'sample',
      atMs: performance.now(),
      joins: this.#joins,
      resumes: this.#resumes,
      cpuUs: user + system,
      ticksSkipped: this.#matches.ticksSkipped,
      memory: readMemory(),
      state: readCounts(this.#server, withObjects),
      ...readInside(),
      drops: this.#server.drops(),
      events: { ...this.#events },
      warnings: { ...log.warnings },
      errors: { ...log.errors },
    };
  }

  async close(): Promise<void> {
    await this.#server.close();
    process.disconnect?.();
  }

  #handleJoin(player: Player<SoakMessages>): void {
    this.#joins++;
    player.send('welcome', { text: player.id });
    if (!player.id.startsWith(SEAT_PREFIX)) return;
    this.#accounts.set(player, { heard: 0, n: 0, isOwed: false });
  }

  #handleLeave(player: Player<SoakMessages>): void {
    this.#accounts.delete(player);
    if (!this.#isPlanted('leak')) return;
    const timer = setInterval(() => {}, 3_600_000).unref();
    this.#leaked.push(player, timer, new Array(PLANTED_BYTES / 8).fill(this.#joins));
  }

  #handleEvent(player: Player<SoakMessages>, account: Account, number: number): void {
    this.#events.heard++;
    if (number !== account.heard + 1) this.#events.astray++;
    account.heard = number;
    this.#answer(player, account);
  }

  #answer(player: Player<SoakMessages>, account: Account): void {
    const n = account.n + 1;
    const isLost = this.#isPlanted('lost') && n === LOST_TALLY;
    const tally = { n, heard: account.heard, pad: '#'.repeat(padLength(n)) };
    account.isOwed = !isLost && player.send('tally', tally) === 'full';
    if (!account.isOwed) account.n = n;
  }

  #isPlanted(plant: Plant): boolean {
    return this.#setup.plant === plant || this.#setup.plant === 'both';
  }

  #payDebts(): void {
    for (const [player, account] of this.#accounts) {
      if (account.isOwed) this.#answer(player, account);
    }
  }
}

/** Counts lines by their text. */
class Log implements Logger {
  readonly warnings: Counts = {};
  readonly errors: Counts = {};

  info(): void {}

  warn(_fields: object, message: string): void {
    count(this.warnings, message);
  }

  error(_fields: object, message: string): void {
    count(this.errors, message);
  }
}

async function main(): Promise<void> {
  endWithMain();
  const log = new Log();
  process.on('uncaughtException', (error) => log.error({}, `uncaught: ${error.stack}`));
  const server = await ServerProcess.start(JSON.parse(process.argv[2]) as ServerSetup, log);
  process.send?.(server.ready);
  process.on('message', (command: ServerCommand) => {
    if (command.kind === 'sample') process.send?.(server.sample(command.withObjects, log));
    else void server.close();
  });
}

await main();
