/** Measures all rungs of one workload, round after round, in turn. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Commands, loadCommand, type Place, serverCommand } from '../../suite/commands.js';
import { cpuNsPerMessage } from '../../suite/figures.js';
import { LineProcess } from '../../suite/line-process.js';
import { pinned } from '../../suite/machine.js';
import type { RunPlan } from '../../suite/plan.js';
import type { Wire } from '../../suite/results.js';
import { ROOT } from '../../suite/root.js';
import { Session } from '../../suite/session.js';
import type { Rl1Answer } from './rl1-process.js';
import { climb, type Ladder, type Reading } from './rungs.js';

export interface LadderSize {
  rounds: number;
  warmMs: number;
  measureMs: number;
  settleMs: number;
  /** Of the rungs in memory, per round. */
  turns: number;
  warmTurns: number;
}

/** What `ggscale-bench inner` prints, ns per packet. */
interface InnerAnswer {
  coreNs: number;
  nsPerPacket: number;
}

type SocketRung = 'floor' | 'native' | 'socket' | 'server';

/** Body of the suite's Echo. */
export const MESSAGE_BYTES = 100;
const FLOWS = 100;
/** Packets of a turn in memory, as many as the kernel gives at once. */
const TURN_PACKETS = 64;
const CONNECT_RATE = 1_900;
const PROGRAMS = join(ROOT, 'dist/bench/micro/ladder');
const run = promisify(execFile);

/** @throws Error when a process fails */
export async function climbLadder(
  messagesPerPacket: number,
  size: LadderSize,
  place: Place,
  progress: (doing: string) => void,
): Promise<Ladder> {
  const climber = new Climber(messagesPerPacket, size, place);
  try {
    await climber.start(progress);
    const readings: Reading[] = [];
    for (let round = 1; round <= size.rounds; round += 1) {
      readings.push(
        await climber.round(round % 2 === 0, (rung) => {
          progress(`${messagesPerPacket} per packet, round ${round} of ${size.rounds}: ${rung}`);
        }),
      );
    }
    await climber.stop();
    const steps = climb(readings);
    return { messagesPerPacket, messageBytes: MESSAGE_BYTES, flows: FLOWS, steps };
  } finally {
    climber.kill();
  }
}

class Climber {
  private readonly sessions: Record<SocketRung, Session>;
  private readonly rl1: LineProcess;

  constructor(
    private readonly messagesPerPacket: number,
    private readonly size: LadderSize,
    private readonly place: Place,
  ) {
    const plan = planOf(messagesPerPacket, size);
    const session = (wire: Wire, commands: Commands): Session =>
      new Session(plan, wire, place, commands);
    const udpLoad = (ready: Parameters<Commands['load']>[0]) =>
      loadCommand(plan, 'udp', ready, place);
    const { binary } = place;
    const pin = pinned(place.pins?.server);
    const datagrams = (wire: string): Commands['load'] => {
      return ({ ready }) => this.datagramLoad(wire, ready);
    };
    const native = ['server', '--driver', 'auto', '--fast-flows', '--max-flows', '4096'];
    const script = join(PROGRAMS, 'runtime-server.js');
    this.sessions = {
      floor: session('floor', {
        server: () => [...pin, binary, 'floor'],
        load: datagrams('plain'),
      }),
      native: session('udp', {
        server: () => [...pin, binary, ...native],
        load: datagrams('netcode'),
      }),
      socket: session('udp', {
        server: () => [...pin, process.execPath, script, '--flows', `${FLOWS}`],
        load: udpLoad,
      }),
      server: session('udp', { server: () => serverCommand(plan, 'udp', place), load: udpLoad }),
    };
    this.rl1 = new LineProcess('rl1', [...pin, process.execPath, ...this.rl1Command()]);
  }

  async start(progress: (doing: string) => void): Promise<void> {
    const { settleMs } = this.size;
    for (const [name, session] of Object.entries(this.sessions)) {
      progress(`${this.messagesPerPacket} per packet: ${name} settles`);
      await session.start();
      if (name !== 'floor' && name !== 'native') await session.settle(settleMs);
    }
    progress(`${this.messagesPerPacket} per packet: rl1 settles`);
    await this.rl1.read();
  }

  /** One reading of every rung, from the bottom or from the top. */
  async round(isBackwards: boolean, progress: (rung: string) => void): Promise<Reading> {
    const reading: Reading = {
      floor: 0,
      core: 0,
      ring: 0,
      native: 0,
      rl1: 0,
      socket: 0,
      server: 0,
    };
    const stops = ['floor', 'memory', 'native', 'rl1', 'socket', 'server'] as const;
    for (const stop of isBackwards ? [...stops].reverse() : stops) {
      progress(stop);
      if (stop === 'memory') Object.assign(reading, await this.readMemory());
      else if (stop === 'rl1') reading.rl1 = (await this.rl1.ask<Rl1Answer>('run')).tsNs;
      else reading[stop] = await this.readSession(stop);
    }
    return reading;
  }

  async stop(): Promise<void> {
    for (const session of Object.values(this.sessions)) await session.stop();
    await this.rl1.stop();
  }

  kill(): void {
    for (const session of Object.values(this.sessions)) session.kill();
    this.rl1.kill();
  }

  private async readSession(rung: SocketRung): Promise<number> {
    const { warmMs, measureMs } = this.size;
    const ns = cpuNsPerMessage(await this.sessions[rung].measure(warmMs, measureMs));
    // Those two count datagrams.
    return rung === 'floor' || rung === 'native' ? ns / this.messagesPerPacket : ns;
  }

  private async readMemory(): Promise<Pick<Reading, 'core' | 'ring'>> {
    const [file, ...args] = [...pinned(this.place.pins?.server), this.place.binary, 'inner'];
    args.push('--flows', `${FLOWS}`, '--turn', `${TURN_PACKETS}`, '--rounds', `${this.size.turns}`);
    args.push('--payload-bytes', `${this.packetBytes()}`);
    const { stdout } = await run(file, args);
    const { coreNs, nsPerPacket } = JSON.parse(stdout) as InnerAnswer;
    return { core: coreNs / this.messagesPerPacket, ring: nsPerPacket / this.messagesPerPacket };
  }

  private rl1Command(): string[] {
    const { turns, warmTurns } = this.size;
    const numbers = [TURN_PACKETS, this.messagesPerPacket, MESSAGE_BYTES, turns, warmTurns];
    const script = join(PROGRAMS, 'rl1-process.js');
    return [script, ...numbers.map(String)];
  }

  private datagramLoad(wire: string, server: string): string[] {
    const { binary, pins } = this.place;
    const command = [...pinned(pins?.load), binary, 'load', '--wire', wire, '--server', server];
    command.push('--flows', `${FLOWS}`, '--payload-bytes', `${this.packetBytes()}`);
    command.push('--connect-rate', `${CONNECT_RATE}`);
    if (pins === null) command.push('--sleep');
    return command;
  }

  private packetBytes(): number {
    return this.messagesPerPacket * MESSAGE_BYTES;
  }
}

function planOf(messagesPerPacket: number, size: LadderSize): RunPlan {
  const { rounds, warmMs, measureMs, settleMs } = size;
  return {
    name: 'ladder',
    kind: 'stretch',
    wires: [],
    workload: 'echo',
    flows: FLOWS,
    hz: 0,
    window: messagesPerPacket,
    tickHz: 0,
    rounds,
    settleMs,
    warmMs,
    measureMs,
    isFast: true,
    connectRate: CONNECT_RATE,
  };
}
