/** A server and its load: started once, then measured round after round, at rest in between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LineProcess } from '../suite/line-process.js';
import type { Ready } from '../suite/words.js';
import type { Memory, NativeConnected, NativeLoadMark, NativeServerMark, Sample } from './marks.js';
import type { Run } from './matrix.js';

/** Share of the flows without which a run means nothing. */
const CONNECTED_MIN = 0.99;

/** Processors by number; null where nothing can be pinned. */
export interface Pins {
  readonly server: number | null;
  readonly load: number | null;
}

export function pinArgs(cpu: number | null): string[] {
  return cpu === null ? [] : ['--cpu', `${cpu}`];
}

export class Pair {
  /** Null at a floor. */
  memory: Memory | null = null;
  /** Of the server, `ip:port`. */
  readonly address: string;
  readonly run: Run;
  readonly #server: LineProcess;
  readonly #load: LineProcess;

  private constructor(run: Run, server: LineProcess, load: LineProcess, address: string) {
    this.run = run;
    this.#server = server;
    this.#load = load;
    this.address = address;
  }

  /** Starts both and connects every flow. @throws Error too few of them connected */
  static async start(binary: string, run: Run, pins: Pins): Promise<Pair> {
    const isFloor = run.driver === 'floor';
    const kind = isFloor ? ['floor'] : ['server', '--driver', run.driver];
    const serverArgs = [...kind, ...pinArgs(pins.server), ...run.serverArgs];
    const server = new LineProcess(`server of ${run.name}`, [binary, ...serverArgs]);
    const { ready } = await server.read<Ready>();
    const loadArgs = ['load', '--server', ready, '--wire', isFloor ? 'plain' : 'netcode'];
    loadArgs.push('--flows', `${run.flows}`, '--hz', `${run.pacedHz}`, ...pinArgs(pins.load));
    if (pins.load === null) loadArgs.push('--sleep');
    loadArgs.push(...run.loadArgs);
    const load = new LineProcess(`load of ${run.name}`, [binary, ...loadArgs]);
    await load.read();
    const pair = new Pair(run, server, load, ready);
    if (!isFloor) await pair.#connect();
    return pair;
  }

  async #connect(): Promise<void> {
    const before = await this.#server.ask<NativeServerMark>('mark');
    this.#server.say('run');
    const connected = await this.#load.ask<NativeConnected>('connect');
    await this.#server.ask('pause');
    // A machine that is busy with other things may let a handshake run out of time.
    if (connected.connected < this.run.flows * CONNECTED_MIN) {
      throw new Error(`${this.run.name}: ${connected.connected} of ${this.run.flows} connected`);
    }
    this.memory = { before, connected };
  }

  /** One stretch: warm-up, then what happened between two marks; `meanwhile` runs between them. */
  async measure(
    warmMs: number,
    measureMs: number,
    meanwhile?: () => Promise<void>,
  ): Promise<Sample> {
    const server = this.#server;
    const load = this.#load;
    server.say('run');
    load.say('run');
    await sleep(warmMs);
    const begun = await load.ask<NativeLoadMark>('mark');
    const before = await server.ask<NativeServerMark>('mark');
    await Promise.all([sleep(measureMs), meanwhile?.()]);
    const after = await server.ask<NativeServerMark>('mark');
    const sent = await load.ask<NativeLoadMark>('pause');
    await server.ask('pause');
    const settled = await server.ask<NativeServerMark>('mark');
    return { begun, before, after, settled, sent };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#load.stop(), this.#server.stop()]);
  }
}
