/** The receiver in Rust (native/rl1) as a child process: lines in, answers out. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { searchPath } from '../interop/peer-build.js';

/** Of the package, seen from the source or from what was compiled into dist. */
const ROOT = import.meta.url.includes('/dist/') ? '../../../' : '../../';

/** Builds the program and answers its path; throws with cargo's words when it does not build. */
export async function buildDecoder(): Promise<string> {
  const args = ['build', '--quiet', '--locked', '-p', 'ggscale-rl1'];
  const child = spawn('cargo', [...args, '--message-format=json-render-diagnostics'], {
    cwd: fileURLToPath(new URL(`${ROOT}native/`, import.meta.url)),
    env: { ...process.env, PATH: searchPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const program = /"executable":"([^"]*ggscale-rl1[^"]*)"/.exec(output)?.[1];
  if (code !== 0 || program === undefined) {
    throw new Error(`cargo build -p ggscale-rl1 failed:\n${errors}`);
  }
  return program;
}

export class Decoder {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: Interface;
  private answers: string[] = [];
  private waiting: { resolve(answers: string[]): void; reject(error: Error): void } | null = null;

  constructor(program: string) {
    this.child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => {}); // told by 'close'
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => {
      if (line !== 'sync') {
        this.answers.push(line);
        return;
      }
      const { answers } = this;
      this.answers = [];
      this.waiting?.resolve(answers);
      this.waiting = null;
    });
    this.child.on('close', (code, signal) => {
      this.waiting?.reject(new Error(`ggscale-rl1 ended with ${code ?? signal}`));
    });
  }

  /** One answer for each line that asks something; one call at a time. */
  ask(lines: readonly string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.stdin.write([...lines, 'sync', ''].join('\n'));
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.stdin.end();
    await closed;
    this.lines.close();
  }
}
