// A server and its load: started once, then measured round after round, at rest in between.
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchProcess } from './process.mjs';

/** Share of the flows without which a run means nothing. */
const CONNECTED_MIN = 0.99;

export class Pair {
  #binary;
  #cpus;
  #server = null;
  #load = null;
  /** What the load said about connecting, and the server's memory before it. */
  memory = null;
  /** Of the server, once started. */
  address = null;

  /** `run`: an entry of the matrix. `cpus`: {server, load}, each null where nothing can be pinned. */
  constructor(binary, run, cpus) {
    this.#binary = binary;
    this.run = run;
    this.#cpus = cpus;
  }

  /** For profilers. */
  get pids() {
    return { server: this.#server?.pid, load: this.#load?.pid };
  }

  async start() {
    const { run } = this;
    const isFloor = run.driver === 'floor';
    const pin = (cpu) => (cpu === null ? [] : ['--cpu', `${cpu}`]);
    const serverArgs = isFloor
      ? ['floor', ...pin(this.#cpus.server), ...(run.serverArgs ?? [])]
      : ['server', '--driver', run.driver, ...pin(this.#cpus.server), ...(run.serverArgs ?? [])];
    this.#server = new BenchProcess(this.#binary, serverArgs);
    const { ready } = await this.#server.read();
    this.address = ready;
    const loadArgs = ['load', '--server', ready, '--wire', isFloor ? 'plain' : 'netcode'];
    loadArgs.push('--flows', `${run.flows}`, '--hz', `${run.pacedHz}`, ...pin(this.#cpus.load));
    if (this.#cpus.load === null) loadArgs.push('--sleep');
    loadArgs.push(...(run.loadArgs ?? []));
    this.#load = new BenchProcess(this.#binary, loadArgs);
    await this.#load.read();
    if (!isFloor) await this.#connect();
  }

  async #connect() {
    const before = await this.#server.ask('mark');
    this.#server.say('run');
    const connected = await this.#load.ask('connect');
    await this.#server.ask('pause');
    // A machine that is busy with other things may let a handshake run out of time.
    if (connected.connected < this.run.flows * CONNECTED_MIN) {
      throw new Error(`${this.run.name}: ${connected.connected} of ${this.run.flows} connected`);
    }
    this.memory = { before, connected };
  }

  /** One stretch: warm-up, then what happened between two marks; `meanwhile` runs between them. */
  async measure(warmMs, measureMs, meanwhile = null) {
    const [server, load] = [this.#server, this.#load];
    server.say('run');
    load.say('run');
    await sleep(warmMs);
    const begun = await load.ask('mark');
    const before = await server.ask('mark');
    await Promise.all([sleep(measureMs), meanwhile?.()]);
    const after = await server.ask('mark');
    const sent = await load.ask('pause');
    await server.ask('pause');
    const settled = await server.ask('mark');
    return { begun, before, after, settled, sent };
  }

  async stop() {
    this.#load?.say('stop');
    this.#server?.say('stop');
    await sleep(20);
    this.kill();
  }

  kill() {
    this.#load?.kill();
    this.#server?.kill();
  }
}
