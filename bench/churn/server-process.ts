/** The measured server: a GameServer as a game would open it, which counts what it has. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { GameServer, type Logger, type Player } from '../../src/server/index.js';
import { endWithMain } from './answering.js';
import {
  type ChurnMessages,
  churnRegistry,
  type Plant,
  type ServerCommand,
  type ServerReady,
  type ServerSample,
  type ServerSetup,
} from './messages.js';
import { readCounts, readMemory } from './server-state.js';

/** A server that is late says so all the time here; the loop's delay is in the report. */
const LOGGER: Logger = {
  info() {},
  warn() {},
  error: (fields, message) => console.error(message, fields),
};
const TICK_HZ = 60;
const LOBBIES = 64;
const LOOP_RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;
const PLANTED_BYTES = 64;

class ServerProcess {
  readonly #server: GameServer<ChurnMessages>;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #leaked: unknown[] = [];
  #joins = 0;
  #resumes = 0;
  /** What samples took themselves. */
  #sampleCpuUs = 0;

  static async start(setup: ServerSetup): Promise<ServerProcess> {
    const { resumeWindowMs, maxPlayers } = setup;
    const server = await GameServer.listen<ChurnMessages>({
      dev: true,
      registry: churnRegistry(),
      tickHz: TICK_HZ,
      resumeWindowMs,
      maxPlayers,
      udp: { maxFlows: maxPlayers },
      metrics: true,
      logger: LOGGER,
    });
    const started = new ServerProcess(server, setup.plant);
    const ready: ServerReady = { kind: 'ready', origin: `http://127.0.0.1:${server.http.port}` };
    process.send?.(ready);
    return started;
  }

  private constructor(server: GameServer<ChurnMessages>, plant: Plant) {
    this.#server = server;
    server.onJoin((player) => {
      server.room(`lobby ${this.#joins++ % LOBBIES}`).join(player);
      player.send('welcome', { text: player.id });
      this.#plant(plant, player);
    });
    server.onResume(() => this.#resumes++);
    server.on('GameEvent', (player, value) => {
      player.send('GameEvent', value);
    });
    this.#loopDelay.enable();
  }

  sample(withObjects: boolean): ServerSample {
    const before = process.cpuUsage();
    const loopDelayMs = this.#takeLoopDelay();
    globalThis.gc?.();
    globalThis.gc?.();
    const sample: ServerSample = {
      kind: 'sample',
      joins: this.#joins,
      resumes: this.#resumes,
      cpuUs: before.user + before.system - this.#sampleCpuUs,
      atMs: performance.now(),
      memory: readMemory(),
      state: readCounts(this.#server, withObjects),
      loopDelayMs,
      drops: this.#server.stats().drops,
    };
    const took = process.cpuUsage(before);
    this.#sampleCpuUs += took.user + took.system;
    this.#loopDelay.reset();
    return sample;
  }

  async close(): Promise<void> {
    this.#loopDelay.disable();
    await this.#server.close();
    process.disconnect?.();
  }

  #takeLoopDelay(): ServerSample['loopDelayMs'] {
    const { max } = this.#loopDelay;
    const late = (ns: number) => Math.max(0, ns / NS_PER_MS - LOOP_RESOLUTION_MS);
    const at = (percent: number) => late(this.#loopDelay.percentile(percent));
    return { p50: at(50), p99: at(99), max: late(max) };
  }

  #plant(plant: Plant, player: Player<ChurnMessages>): void {
    if (plant === 'objects') {
      this.#leaked.push(player, setInterval(() => {}, 3_600_000).unref());
    }
    if (plant === 'bytes') this.#leaked.push(new Array(PLANTED_BYTES / 8).fill(this.#joins));
  }
}

async function main(): Promise<void> {
  endWithMain();
  const server = await ServerProcess.start(JSON.parse(process.argv[2]) as ServerSetup);
  process.on('message', (command: ServerCommand) => {
    if (command.kind === 'sample') process.send?.(server.sample(command.withObjects));
    else void server.close();
  });
}

await main();
