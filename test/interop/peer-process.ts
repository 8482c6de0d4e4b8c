/** One running foreign peer: its JSON lines as awaited events, its commands on standard input. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type Line, Mailbox } from './mailbox.js';
import type { ForeignPeer } from './peer-build.js';

export type PeerOptions = Readonly<Record<string, string>>;

export class PeerProcess {
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #mailbox = new Mailbox();

  constructor(peer: ForeignPeer, mode: string, options: PeerOptions) {
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#child = spawn(peer.program, [mode, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    let errors = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    // A peer that ended closes its input: a late command is then not an error of the test.
    this.#child.stdin.on('error', () => {});
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', (text) => this.#handleLine(JSON.parse(text) as Line));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#mailbox.fail(`${peer.name} ${mode} ended with ${code} ${errors}`);
        resolve(code);
      });
    });
  }

  next(event: string): Promise<Line> {
    return this.#mailbox.next(event);
  }

  has(event: string): boolean {
    return this.#mailbox.has(event);
  }

  command(text: string): void {
    this.#child.stdin.write(`${text}\n`);
  }

  /** The end of a crashed process: nothing is said to the other side. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #handleLine(line: Line): void {
    if (line.event === 'error' || line.event === 'mismatch') {
      this.#mailbox.fail(JSON.stringify(line));
    } else {
      this.#mailbox.post(line);
    }
  }
}

/** Runs a mode that prints one line and ends, such as `token`. */
export async function askPeer(
  peer: ForeignPeer,
  mode: string,
  event: string,
  options: PeerOptions,
): Promise<Line> {
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
