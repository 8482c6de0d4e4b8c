/**
 * Where programs run: a server process and a client process, on plain loopback or with the layer-3
 * forwarder between them, which loses and delays real packets of both wires; or the clients in pages.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Forwarder, type ForwarderCounters } from '../bench/match/forwarder.js';
import type { GameServerOptions } from '../src/server/index.js';
import type { Run, RunOfClient } from './compare.js';
import type { Messages } from './messages.js';
import type { Players, RunRequest } from './players.js';
import type { Served } from './playground.js';
import { PROGRAMS } from './programs/index.js';
import type { LaunchFace, Option } from './runner.js';

/** What a process of a network is asked; it answers with the same `id`. */
export type Request =
  | ({ kind: 'open' } & OpenRequest)
  | { kind: 'close'; server: number }
  | ({ kind: 'run' } & RunRequest);

export interface OpenRequest {
  /** An address to bind; null: loopback. */
  where: string | null;
  options: GameServerOptions<Messages>;
  /** With a launch server whose fleet it is. */
  hasLaunch: boolean;
}

export interface Opened {
  server: number;
  address: string;
  udpPort: number;
  launch: LaunchFace | null;
}

export interface Impairment {
  lossRatio: number;
  delayMs: number;
}

/** The networks of the tests and of the table, beside plain loopback. */
export const IMPAIRMENTS: readonly Impairment[] = [
  { lossRatio: 0.02, delayMs: 25 },
  { lossRatio: 0.1, delayMs: 25 },
];

const SEED = 5;

interface Place {
  execPath: string;
  execArgv: string[];
}

const PLAIN: Place = { execPath: process.execPath, execArgv: [] };

/** A process of ours. It ends when it is let go. */
class Host implements Players {
  readonly origin = null;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(v: never): void; reject(e: Error): void }>();
  #nextId = 0;

  constructor(place: Place) {
    const self = fileURLToPath(import.meta.url);
    const module = self.replace(/network(\.[jt]s)$/, 'host$1');
    this.#process = fork(module, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Under a test runner: the same loader as this process.
      execPath: place.execPath,
      execArgv: [...place.execArgv, ...process.execArgv],
    });
    this.#process.on('message', (answer: { id: number; error?: string; value: never }) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(answer.error));
    });
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the process ended with ${signal ?? code}`));
      }
    });
  }

  ask<T>(request: Request): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, request });
    });
  }

  run(request: RunRequest): Promise<RunOfClient> {
    return this.ask({ kind: 'run', ...request });
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.disconnect();
    await ended;
  }
}

/** What stands between a server and its clients on the UDP path. */
export interface Relay {
  /** `host:port` that clients get to know. */
  readonly address: string;
  serverPort: number;
}

export class Network {
  readonly #where: string | null;
  readonly #server: Host;
  readonly #players: Players;
  readonly #forwarder: Forwarder | null;

  private constructor(server: Host, players: Players, forwarder: Forwarder | null) {
    this.#server = server;
    this.#players = players;
    this.#forwarder = forwarder;
    this.#where = forwarder?.server.address ?? null;
  }

  static loopback(): Network {
    return new Network(new Host(PLAIN), new Host(PLAIN), null);
  }

  /** On loopback, the clients where the caller has them. */
  static with(players: Players): Network {
    return new Network(new Host(PLAIN), players, null);
  }

  /** @throws Error saying what the machine lacks */
  static async impaired(impairment: Impairment): Promise<Network> {
    const forwarder = await Forwarder.start({ ...impairment, seed: SEED }, () => {});
    const { server, players } = forwarder;
    return new Network(new Host(server.entry), new Host(players.entry), forwarder);
  }

  /** Plays a program against a server of its own. */
  async run(program: string, option: Option, relay: Relay | null = null): Promise<Run> {
    const { origin } = this.#players;
    const options: GameServerOptions<Messages> = {
      udp: relay === null ? {} : { advertise: [relay.address] },
      ws: origin === null ? {} : { allowedOrigins: [origin] },
    };
    const hasLaunch = PROGRAMS[program].hasLaunch === true;
    const opened = await this.#server.ask<Opened>({
      kind: 'open',
      where: this.#where,
      options,
      hasLaunch,
    });
    const { server, address, udpPort, launch } = opened;
    if (relay !== null) relay.serverPort = udpPort;
    const ended = await this.#players.run({ program, option, address, launch });
    const served = await this.#server.ask<Served>({ kind: 'close', server });
    const wires = Object.entries(served.messagesIn).filter(([, count]) => count > 0);
    // What its handlers reported: a program may cause errors at the server, too.
    ended.lanes['server errors'] = served.errors;
    return { ...ended, wires: wires.map(([wire]) => wire).sort(), joins: served.joins };
  }

  /** What the forwarder did to the packets; null without one. */
  async end(): Promise<ForwarderCounters | null> {
    await Promise.all([this.#players.end(), this.#server.end()]);
    return (await this.#forwarder?.end()) ?? null;
  }
}
