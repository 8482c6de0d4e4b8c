/**
 * One game server in a process of its own, listening on one wire, so that the CPU and the garbage
 * collections of this process are that wire's.
 */

import { type GameMessages, gameRegistry } from '../../examples/brawler/game/messages.js';
import { GameServer } from '../../src/server/index.js';
import { addPauses, type GcPauses, GcWatch, NO_PAUSES } from './gc-watch.js';
import {
  answer,
  answerFailure,
  NO_SERVER_FIGURES,
  type ServerConfig,
  type ServerFigures,
  serveCommands,
  since,
} from './ipc.js';
import { Matches } from './matches.js';
import { tcpRetransmits } from './tcp-retransmits.js';

/** Reliable events still on their way when the match ends get this long. */
const DRAIN_MS = 5000;
const SECOND_MS = 1000;

class ServerProcess {
  private readonly gc = new GcWatch();
  private measuredPauses = NO_PAUSES;
  private measuredFrom = NO_SERVER_FIGURES;
  private secondFrom = NO_SERVER_FIGURES;
  private ticker: NodeJS.Timeout | null = null;

  private constructor(
    private readonly config: ServerConfig,
    private readonly server: GameServer<GameMessages>,
    private readonly matches: Matches,
  ) {
    server.onError((error) => answerFailure(error));
  }

  static async start(config: ServerConfig): Promise<ServerProcess> {
    const server = await GameServer.listen<GameMessages>({
      host: config.host,
      registry: gameRegistry(),
      tickHz: config.rateHz,
      maxPlayers: config.playersMax,
      // All players come from one address.
      ticketsPerSecondPerAddress: 10_000,
      ...(config.wire === 'udp' ? { ws: false as const } : { udp: false as const }),
      // A private namespace is as closed as loopback; the server cannot know that.
      ...(config.isLoopback
        ? { dev: true }
        : { trustProxy: true, verifySession: (token: string) => ({ playerId: token }) }),
    });
    const { host, port } = server.http;
    const started = new ServerProcess(
      config,
      server,
      new Matches(server, config.seed, config.rateHz),
    );
    answer({ kind: 'ready', address: `http://${host}:${port}` });
    return started;
  }

  play(): void {
    this.matches.play();
    this.secondFrom = this.figures();
    this.ticker = setInterval(() => this.reportSecond(), SECOND_MS);
  }

  measure(): void {
    this.takePauses();
    this.measuredPauses = NO_PAUSES;
    this.measuredFrom = this.figures();
  }

  stop(): void {
    this.takePauses();
    const server = since(this.measuredFrom, this.figures());
    answer({ kind: 'measured', server: { ...server, gcPauseMs: this.measuredPauses } });
  }

  async finish(): Promise<void> {
    if (this.ticker !== null) clearInterval(this.ticker);
    this.matches.end();
    const drained = await this.drained();
    const { eventsRefused: refused } = this.matches;
    answer({ kind: 'finished', server: { digests: this.matches.digests(), refused, drained } });
  }

  async close(): Promise<void> {
    await this.server.close();
    process.disconnect();
  }

  private async drained(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), DRAIN_MS);
    });
    const players = [...this.server.players.values()];
    const all = Promise.all(players.map((player) => player.drained())).then(() => true);
    const drained = await Promise.race([all, late]);
    clearTimeout(timer);
    return drained;
  }

  private reportSecond(): void {
    const gcPauseMs = this.takePauses();
    const now = this.figures();
    answer({ kind: 'second', server: { ...since(this.secondFrom, now), gcPauseMs } });
    this.secondFrom = now;
  }

  private takePauses(): GcPauses {
    const pauses = this.gc.take();
    this.measuredPauses = addPauses(this.measuredPauses, pauses);
    return pauses;
  }

  /** Totals since the process began. */
  private figures(): ServerFigures {
    const { wire } = this.config;
    const stats = this.server.stats();
    const totals = stats[wire];
    const cpu = process.cpuUsage();
    return {
      players: stats.players[wire],
      messagesIn: this.matches.messagesIn,
      messagesOut: this.matches.messagesOut,
      bytesIn: totals.bytesIn,
      bytesOut: totals.bytesOut,
      packetsIn: totals.packetsIn,
      packetsOut: totals.packetsOut,
      packetsLostIn: totals.packetsLostIn,
      resends: totals.resends,
      tcpRetransmits: tcpRetransmits(),
      cpuUs: cpu.user + cpu.system,
      elapsedUs: performance.now() * 1000,
      gcPauseMs: NO_PAUSES,
      heapUsedBytes: process.memoryUsage().heapUsed,
      ticksSkipped: this.matches.ticksSkipped,
    };
  }
}

let server: ServerProcess | null = null;

serveCommands(async (command) => {
  switch (command.kind) {
    case 'serve':
      server = await ServerProcess.start(command.config);
      return;
    case 'play':
      return server?.play();
    case 'measure':
      return server?.measure();
    case 'stop':
      return server?.stop();
    case 'finish':
      return server?.finish();
    case 'close':
      return server?.close();
    default:
  }
});
