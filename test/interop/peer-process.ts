/** One running foreign peer: its JSON lines as awaited events, its commands on standard input. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ForeignPeer } from './peer-build.js';

/** A line of peers/common/src/json.rs. 64-bit values are text. */
export interface PeerLine {
  readonly event: string;
  readonly [field: string]: string | number;
}

interface Waiter {
  readonly event: string;
  readonly resolve: (line: PeerLine) => void;
  readonly reject: (error: Error) => void;
}

export class PeerProcess {
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: PeerLine[] = [];
  #waiter: Waiter | null = null;
  #isOver = false;
  #errors = '';

  constructor(peer: ForeignPeer, mode: string, options: Readonly<Record<string, string>>) {
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#child = spawn(peer.program, [mode, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    // A peer that ended closes its input: a late command is then not an error of the test.
    this.#child.stdin.on('error', () => {});
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', (text) => this.#handleLine(JSON.parse(text) as PeerLine));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#isOver = true;
        this.#match();
        resolve(code);
      });
    });
  }

  /**
   * The next line with this event; earlier lines of other events stay for their own waiters.
   * Rejects when the peer reports an error or a mismatch, or ends first.
   */
  next(event: string): Promise<PeerLine> {
    if (this.#waiter !== null) throw new Error('one waiter at a time');
    return new Promise((resolve, reject) => {
      this.#waiter = { event, resolve, reject };
      this.#match();
    });
  }

  /** True when a line with this event has arrived and was not awaited. */
  has(event: string): boolean {
    return this.#lines.some((line) => line.event === event);
  }

  command(text: string): void {
    this.#child.stdin.write(`${text}\n`);
  }

  /** The end of a crashed process: nothing is said to the other side. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #handleLine(line: PeerLine): void {
    this.#lines.push(line);
    this.#match();
  }

  #match(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const index = this.#lines.findIndex((line) => line.event === waiter.event);
    const line = this.#lines[index];
    if (line !== undefined) {
      this.#lines.splice(index, 1);
      this.#waiter = null;
      waiter.resolve(line);
      return;
    }
    const failure = this.#lines.find(({ event }) => event === 'error' || event === 'mismatch');
    if (failure === undefined && !this.#isOver) return;
    this.#waiter = null;
    const seen = JSON.stringify(this.#lines);
    waiter.reject(new Error(`no "${waiter.event}" from the peer: ${seen} ${this.#errors}`));
  }
}

/** Runs a mode that prints one line and ends, such as `token`. */
export async function askPeer(
  peer: ForeignPeer,
  mode: string,
  event: string,
  options: Readonly<Record<string, string>>,
): Promise<PeerLine> {
  const child = new PeerProcess(peer, mode, options);
  const line = await child.next(event);
  await child.ended;
  return line;
}

export async function collectText(stream: Readable): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk;
  return text;
}
