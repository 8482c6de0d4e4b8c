/** The receiver in Rust (native/rl1) as a child process: lines in, answers out. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { searchPath } from '../interop/peer-build.js';

/** Of the package, seen from the source or from what was compiled into dist. */
const ROOT = import.meta.url.includes('/dist/') ? '../../../' : '../../';

/** Builds the program and answers its path; throws with cargo's words when it does not build. */
export async function buildDecoder(): Promise<string> {
  const args = ['build', '--quiet', '--locked', '-p', 'ggscale-rl1'];
  const cargo = promisify(execFile)(
    'cargo',
    [...args, '--message-format=json-render-diagnostics'],
    {
      cwd: fileURLToPath(new URL(`${ROOT}native/`, import.meta.url)),
      env: { ...process.env, PATH: searchPath() },
      maxBuffer: 1 << 28,
    },
  );
  const { stdout, stderr } = await cargo.catch((error) => {
    if (error.code === 'ENOENT') throw error; // no cargo
    return { stdout: '', stderr: `${error.stderr}` };
  });
  const program = /"executable":"([^"]*ggscale-rl1[^"]*)"/.exec(stdout)?.[1];
  if (program === undefined) throw new Error(`cargo build -p ggscale-rl1 failed:\n${stderr}`);
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
