/** The layer-3 forwarder (native/forwarder) as a child: real packets of both wires get lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../command-line.js';
import type { Entry } from './child.js';

/** Found beside the compiled job (dist/bench/match) as beside its sources. */
const BINARIES = ['../../..', '../..'].map((up) =>
  fileURLToPath(new URL(`${up}/native/forwarder/ggscale-forwarder`, import.meta.url)),
);

export interface ForwarderSide {
  readonly address: string;
  readonly entry: Entry;
}

/** Packets of one direction. */
export interface DirectionCounters {
  packets: number;
  bytes: number;
  dropped: number;
  reordered: number;
  overflowed: number;
  forwarded: number;
  undeliverable: number;
}

export interface ForwarderCounters {
  serverToPlayers: DirectionCounters;
  playersToServer: DirectionCounters;
}

export interface Impairment {
  lossRatio: number;
  delayMs: number;
  seed: number;
}

export class Forwarder {
  private isEnding = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
    readonly server: ForwarderSide,
    readonly players: ForwarderSide,
  ) {}

  /**
   * @param onEnd is called when the forwarder ends by itself
   * @throws UsageError when the privilege or the binary is missing
   */
  static async start(impairment: Impairment, onEnd: (why: string) => void): Promise<Forwarder> {
    const binary = BINARIES.find((path) => existsSync(path));
    if (binary === undefined) {
      throw new UsageError('--loss and --delay need the forwarder, which is built on Linux only');
    }
    const args = [
      'run',
      '--loss',
      `${impairment.lossRatio}`,
      '--delay-ms',
      `${impairment.delayMs}`,
    ];
    const child = spawn(binary, [...args, '--seed', `${impairment.seed}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const lines = createInterface(child.stdout);
    const ready = await readyLine(child, lines);
    const side = (from: { netns: string; address: string }): ForwarderSide => ({
      address: from.address,
      entry: { execPath: binary, execArgv: ['enter', from.netns, '--', process.execPath] },
    });
    const forwarder = new Forwarder(child, lines, side(ready.a), side(ready.b));
    child.on('exit', (code, signal) => {
      if (!forwarder.isEnding) onEnd(`forwarder: ended with ${signal ?? `exit code ${code}`}`);
    });
    return forwarder;
  }

  /** Takes the link down. Null when it was gone already. */
  async end(): Promise<ForwarderCounters | null> {
    this.isEnding = true;
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return null;
    const counters = new Promise<ForwarderCounters | null>((resolve) => {
      this.lines.once('line', (line) => {
        const { a_to_b, b_to_a } = JSON.parse(line);
        resolve({ serverToPlayers: a_to_b, playersToServer: b_to_a });
      });
      child.once('exit', () => setImmediate(resolve, null));
    });
    child.stdin?.end();
    return counters;
  }
}

interface ReadyLine {
  a: { netns: string; address: string };
  b: { netns: string; address: string };
}

function readyLine(child: ChildProcess, lines: Interface): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    child.stderr?.on('data', (chunk) => {
      complaint += String(chunk);
    });
    lines.once('line', (line) => resolve(JSON.parse(line)));
    child.once('error', (error) => reject(new UsageError(`forwarder: ${error.message}`)));
    child.once('close', () => {
      const [reason] = complaint.trim().split('\n');
      reject(new UsageError(`--loss and --delay: ${reason || 'the forwarder does not start'}`));
    });
  });
}
