import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Command } from './ipc.js';

/** Runs a program inside a network namespace: what `fork` needs to know of it. */
export interface Entry {
  readonly execPath: string;
  readonly execArgv: string[];
}

type AnswerOf<K extends Answer['kind']> = Extract<Answer, { kind: K }>;

/** A child that was told to end gets this long before it is killed. */
const END_MS = 3000;

/** One of our own processes and the questions it has still to answer. */
export class Child {
  private readonly process: ChildProcess;
  private readonly waiting = new Map<string, (answer: Answer) => void>();
  private readonly ended: Promise<void>;
  private isEnding = false;

  /**
   * @param module relative to this file, without extension
   * @param onSecond gets the figures of each second
   * @param onFailure is called when the child reports a failure or ends by itself
   */
  constructor(
    readonly name: string,
    module: string,
    entry: Entry | null,
    private readonly onSecond: (answer: AnswerOf<'second'>) => void,
    private readonly onFailure: (error: ChildFailure) => void,
  ) {
    const path = fileURLToPath(new URL(`./${module}.js`, import.meta.url));
    this.process = fork(path, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      ...(entry ?? {}),
    });
    this.process.on('message', (answer) => this.onAnswer(answer as Answer));
    this.process.on('error', (error) => this.fail(error.message, null));
    this.ended = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => {
        resolve();
        if (!this.isEnding) this.fail(`ended with ${signal ?? `exit code ${code}`}`, null);
      });
    });
  }

  tell(command: Command): void {
    if (this.process.connected) this.process.send(command, () => {});
  }

  /** One question of a kind at a time. A child that ends never answers: `onFailure` tells. */
  ask<K extends Answer['kind']>(command: Command, kind: K): Promise<AnswerOf<K>> {
    return new Promise((resolve) => {
      this.waiting.set(kind, resolve as (answer: Answer) => void);
      this.tell(command);
    });
  }

  /** Asks the child to end, then makes it. */
  async end(): Promise<void> {
    this.isEnding = true;
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.tell({ kind: 'close' });
    const timer = setTimeout(() => {
      // Said aloud: something in that process was not freed.
      process.stderr.write(`${this.name} did not end by itself within ${END_MS} ms; killed\n`);
      this.process.kill('SIGKILL');
    }, END_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private onAnswer(answer: Answer): void {
    if (answer.kind === 'second') {
      this.onSecond(answer);
    } else if (answer.kind === 'failed') {
      this.fail(answer.message, answer.code);
    } else {
      const resolve = this.waiting.get(answer.kind);
      this.waiting.delete(answer.kind);
      resolve?.(answer);
    }
  }

  private fail(message: string, code: string | null): void {
    if (!this.isEnding) this.onFailure(new ChildFailure(this.name, message, code));
  }
}

export class ChildFailure extends Error {
  constructor(
    name: string,
    message: string,
    readonly code: string | null,
  ) {
    super(`${name}: ${message}${code === null ? '' : ` (${code})`}`);
  }
}
