/**
 * The RL1 core alone: two Protocol objects in one process, no sockets, no cipher.
 *
 *   npm run setup && node dist/bench/micro/protocol-core.js [--messages N] [--bytes N] [--batch N]
 *                                                        [--mode 0-3] [--echo] [--leak N]
 *
 * One way: the client sends `batch` messages per packet, the server polls them and acknowledges by
 * the rules (every 10 packets). `ns per message` is the whole of it: send, pollTransmit,
 * handlePacket, pollEvent, and the acknowledgement both ways, in CPU time. --echo answers every
 * message with one of the same size; the figure is then per message each way. --leak allocates an
 * object for every N-th message, so that the allocation test can be seen to fail.
 */
import {
  EVENT_MESSAGE,
  EVENT_NONE,
  MODE_RELIABLE_ORDERED,
  Protocol,
  ROLE_CLIENT,
  ROLE_SERVER,
  SEND_FULL,
} from '../../src/protocol/protocol.js';

export interface SteadyOptions {
  messages: number;
  bytes: number;
  batch: number;
  mode: number;
  echo: boolean;
  /** 0: nothing. */
  leak: number;
}

const STEP_US = 100;
/** One second before int32 microseconds wrap, so that the run crosses it. */
const START_US = 0x7fffffff - 1_000_000;
const PAYLOAD_BYTES = 1200;

/** Two connected ends and everything a steady run needs, allocated before it. */
export class SteadyRun {
  readonly client = newProtocol(1);
  readonly server = newProtocol(2);
  delivered = 0;
  private readonly wire = new Uint8Array(2048);
  private readonly data: Uint8Array;
  private nowUs = START_US;
  private leaked: unknown = null;

  constructor(private readonly options: SteadyOptions) {
    this.data = new Uint8Array(options.bytes).fill(0x5a);
    this.client.openFlow(0, ROLE_CLIENT, this.nowUs, PAYLOAD_BYTES);
    this.server.openFlow(0, ROLE_SERVER, this.nowUs, PAYLOAD_BYTES);
    this.pump(this.client, this.server);
    this.pump(this.server, this.client);
  }

  /** Sends `count` messages from the client; returns how many the server delivered. */
  run(count: number): number {
    const { batch, mode, echo, leak, bytes } = this.options;
    const before = this.delivered;
    for (let sent = 0; sent < count; sent += batch) {
      for (let index = 0; index < batch; index += 1) {
        const result = this.client.send(0, this.nowUs, 0, mode, this.data, 0, bytes, 0, 0, 0);
        if (result >= SEND_FULL) {
          throw new Error(`send answered ${result}`);
        }
        if (leak > 0 && (sent + index) % leak === 0) {
          this.leaked = { sent, before: this.leaked === null };
        }
      }
      this.pump(this.client, this.server);
      if (echo) {
        for (let index = 0; index < batch; index += 1) {
          this.server.send(0, this.nowUs, 0, mode, this.data, 0, bytes, 0, 0, 0);
        }
      }
      this.pump(this.server, this.client);
      this.nowUs = (this.nowUs + STEP_US) | 0;
      this.client.handleTimeout(this.nowUs);
      this.server.handleTimeout(this.nowUs);
    }
    return this.delivered - before;
  }

  private pump(from: Protocol, to: Protocol): void {
    const wire = this.wire;
    for (;;) {
      const length = from.pollTransmit(this.nowUs, wire, 0, wire.length);
      if (length === 0) {
        return;
      }
      const reason = to.handlePacket(0, this.nowUs, this.nowUs, wire, 0, length);
      if (reason !== 0) {
        throw new Error(`a packet was refused: ${reason}`);
      }
      for (let kind = to.pollEvent(); kind !== EVENT_NONE; kind = to.pollEvent()) {
        if (kind === EVENT_MESSAGE && to === this.server) {
          this.delivered += 1;
        }
      }
    }
  }
}

function newProtocol(seed: number): Protocol {
  return new Protocol({ maxFlows: 16, seed, registryHash: 1, maxAckDelayUs: 25_000 });
}

function numberOption(name: string, otherwise: number): number {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

function main(): void {
  const options: SteadyOptions = {
    messages: numberOption('--messages', 1_000_000),
    bytes: numberOption('--bytes', 100),
    batch: numberOption('--batch', 1),
    mode: numberOption('--mode', MODE_RELIABLE_ORDERED),
    echo: process.argv.includes('--echo'),
    leak: numberOption('--leak', 0),
  };
  const run = new SteadyRun(options);
  run.run(Math.min(options.messages, 200_000));
  // With --expose-gc the young generation is empty now; a mark in the output of --trace-gc: only
  // what follows is the steady state.
  globalThis.gc?.();
  console.log('steady');
  const rounds = numberOption('--rounds', 5);
  const figures: number[] = [];
  let delivered = 0;
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    delivered += run.run(options.messages);
    const ways = options.echo ? 2 : 1;
    const used = process.cpuUsage(before);
    figures.push(((used.user + used.system) * 1000) / options.messages / ways);
  }
  console.log('end');
  figures.sort((a, b) => a - b);
  const median = figures[figures.length >> 1] ?? 0;
  console.log(
    `${options.bytes} B, mode ${options.mode}, ${options.batch} per packet` +
      `${options.echo ? ', echo' : ''}: ${median.toFixed(0)} ns per message ` +
      `(median of ${rounds}, best ${(figures[0] ?? 0).toFixed(0)}), ${delivered} delivered`,
  );
}

main();
