/** The ladder's rungs and what lies between them. Pure. */
import { median, rounded } from '../../suite/histogram.js';

/**
 * From the bottom. `floor`, `native`, `socket` and `server` are processes behind real sockets; `core`,
 * `ring` and `rl1` run in memory, without a kernel.
 */
export const RUNGS = ['floor', 'core', 'ring', 'native', 'rl1', 'socket', 'server'] as const;
export type Rung = (typeof RUNGS)[number];

export const WHAT: Readonly<Record<Rung, string>> = {
  floor: 'kernel alone: recvmmsg, sendmmsg, epoll',
  core: 'netcode: open and seal, replay window, flow lookup',
  ring: 'endpoint: rings, batches, flow events; script in Rust',
  native: 'its sockets beside the floor: wakes, timestamps, timers',
  rl1: 'RL1 and the turn, in TypeScript',
  socket: 'event loop, calls of the addon, caches shared with all that',
  server: 'session, FlatBuffers, dispatch, handler',
};

/** CPU ns per message of one round. `rl1` is its TypeScript alone. */
export type Reading = Record<Rung, number>;

export interface Step {
  rung: Rung;
  what: string;
  /** CPU ns per message of all up to here; of a rung in memory, without the kernel. */
  cpuNs: number;
  /** What this rung adds. All steps together are `cpuNs` of `server`. */
  stepNs: number;
  /** `cpuNs` of each round, to see how far they lie apart. */
  rounds: number[];
}

export interface Ladder {
  messagesPerPacket: number;
  messageBytes: number;
  flows: number;
  steps: Step[];
}

/** Medians of the rounds, then what each rung adds to those below it. */
export function climb(readings: readonly Reading[]): Step[] {
  const of = (pick: (reading: Reading) => number): number => median(readings.map(pick));
  const floor = of((it) => it.floor);
  const core = of((it) => it.core);
  const ring = of((it) => it.ring);
  const native = of((it) => it.native);
  const rl1 = of((it) => it.rl1);
  const socket = of((it) => it.socket);
  const server = of((it) => it.server);
  const added: Reading = {
    floor,
    core,
    ring: ring - core,
    native: native - floor - ring,
    rl1,
    socket: socket - native - rl1,
    server: server - socket,
  };
  const total: Reading = { floor, core, ring, native, rl1: ring + rl1, socket, server };
  return RUNGS.map((rung) => ({
    rung,
    what: WHAT[rung],
    cpuNs: rounded(total[rung], 1),
    stepNs: rounded(added[rung], 1),
    rounds: readings.map((it) => rounded(it[rung] + (rung === 'rl1' ? it.ring : 0), 1)),
  }));
}
