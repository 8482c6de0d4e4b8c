/** A process of ours that answers questions: what both ends of Node's IPC need here. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const END_MS = 5000;
/** Processes run what is compiled, also when a test runs these files as they are written. */
const PROGRAMS = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/bench/' : '../',
  import.meta.url,
);

export abstract class Child {
  protected readonly process: ChildProcess;
  readonly #name: string;
  /** How it ended, when it did without being told. */
  ended: string | null = null;
  #isEnding = false;
  #reject: ((error: Error) => void) | null = null;

  /** @param program below `bench`, as it is compiled */
  constructor(name: string, program: string, argument: string, execArgv: string[]) {
    this.#name = name;
    const path = fileURLToPath(new URL(program, PROGRAMS));
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    this.process = fork(path, [argument], { stdio: [...stdio], execArgv });
    this.process.on('exit', (code, signal) => {
      if (this.#isEnding) return;
      this.ended = `${signal ?? code}`;
      this.#reject?.(new Error(`${name} ended with ${this.ended}`));
    });
  }

  /** The next answer of a kind. One question at a time. @throws Error the process ended */
  protected next<A extends { kind: string }>(kind: A['kind']): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      const look = (answer: A) => {
        if (answer.kind !== kind) return;
        this.process.off('message', look);
        resolve(answer);
      };
      this.process.on('message', look);
    });
  }

  protected tell(command: object): void {
    this.process.send(command, (error) => {
      if (error !== null) this.#reject?.(error); // it has ended
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    if (this.process.connected) this.process.send({ kind: 'close' }, () => {});
    const timer = setTimeout(() => {
      process.stderr.write(`${this.#name} did not end within ${END_MS} ms; killed\n`);
      this.process.kill('SIGKILL');
    }, END_MS);
    await ended;
    clearTimeout(timer);
  }
}
