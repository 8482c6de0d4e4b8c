/** One process of the benchmark: words go in, JSON lines come out (words.ts). */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that says nothing for this long is broken: connecting 100,000 flows takes less. */
const ANSWER_TIMEOUT_MS = 240_000;
/** From `stop` until it is killed. */
const STOP_MS = 3_000;

const alive = new Set<LineProcess>();

/** Kills whatever still runs; for the end of the program, whyever it comes. */
export function killAll(): void {
  for (const child of alive) child.kill();
}

export class LineProcess {
  private readonly child: ChildProcess;
  private readonly lines: object[] = [];
  private wake: (() => void) | null = null;
  private ended: string | null = null;
  private readonly exit: Promise<void>;

  /** `name` is what errors call it. What it writes on stderr goes to ours. */
  constructor(
    private readonly name: string,
    command: readonly string[],
    private readonly answerMs = ANSWER_TIMEOUT_MS,
  ) {
    const [file, ...args] = command;
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    alive.add(this);
    this.child.on('error', (error) => this.end(error.message));
    this.exit = new Promise((resolve) => {
      this.child.on('error', () => resolve());
      this.child.on('exit', (code, signal) => {
        this.end(signal ?? `exit code ${code}`);
        resolve();
      });
    });
    this.child.stdin?.on('error', () => {}); // the exit says why
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.take(line);
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  say(word: string): void {
    this.child.stdin?.write(`${word}\n`);
  }

  /** The next line. @throws Error when the process ends or stays silent */
  async read<T>(): Promise<T> {
    const untilMs = performance.now() + this.answerMs;
    while (this.lines.length === 0) {
      if (this.ended !== null) throw new Error(`${this.name}: ${this.ended}`);
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new Error(`${this.name}: no answer`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.wake = null;
    }
    return this.lines.shift() as T;
  }

  ask<T>(word: string): Promise<T> {
    this.say(word);
    return this.read<T>();
  }

  /** Asks it to end, then makes it. */
  async stop(): Promise<void> {
    if (this.ended !== null) return;
    this.say('stop');
    this.child.stdin?.end();
    const timer = setTimeout(() => this.kill(), STOP_MS);
    await this.exit;
    clearTimeout(timer);
  }

  kill(): void {
    if (this.ended === null) this.child.kill('SIGKILL');
  }

  private take(line: string): void {
    try {
      this.lines.push(JSON.parse(line) as object);
    } catch {
      this.child.kill('SIGKILL');
      this.end(`said ${JSON.stringify(line.slice(0, 100))}`);
    }
    this.wake?.();
  }

  private end(why: string): void {
    this.ended ??= why;
    alive.delete(this);
    this.wake?.();
  }
}
