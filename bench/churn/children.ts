/** The server and the loads as the main process sees them: processes that answer. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type {
  LoadAnswer,
  LoadFigures,
  LoadOrder,
  LoadSetup,
  ServerReady,
  ServerSample,
  ServerSetup,
} from './messages.js';

const END_MS = 5000;
/** Processes run what is compiled, also when a test runs this file as it is written. */
const PROGRAMS = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/bench/churn/' : './',
  import.meta.url,
);

abstract class Child {
  protected readonly process: ChildProcess;
  readonly #name: string;
  #isEnding = false;
  #reject: ((error: Error) => void) | null = null;

  constructor(name: string, file: string, argument: string, execArgv: string[]) {
    this.#name = name;
    const path = fileURLToPath(new URL(file, PROGRAMS));
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
    this.process = fork(path, [argument], { stdio: [...stdio], execArgv });
    this.process.on('exit', (code, signal) => {
      if (!this.#isEnding) this.#reject?.(new Error(`${name} ended with ${signal ?? code}`));
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

export class ServerChild extends Child {
  constructor(setup: ServerSetup) {
    super('server', 'server-process.js', JSON.stringify(setup), [
      '--expose-gc',
      '--disable-warning=ExperimentalWarning', // queryObjects
    ]);
  }

  ready(): Promise<ServerReady> {
    return this.next<ServerReady>('ready');
  }

  sample(withObjects: boolean): Promise<ServerSample> {
    const answer = this.next<ServerSample>('sample');
    this.tell({ kind: 'sample', withObjects });
    return answer;
  }
}

export class LoadChild extends Child {
  /** The newest figures. */
  figures: LoadFigures | null = null;

  constructor(name: string) {
    super(name, 'load-process.js', '', []);
    this.process.on('message', (answer: LoadAnswer) => {
      if (answer.kind !== 'ready') this.figures = answer.figures;
    });
  }

  async setUp(setup: LoadSetup): Promise<void> {
    const ready = this.next<LoadAnswer>('ready');
    this.tell({ kind: 'setup', setup });
    await ready;
  }

  start(order: LoadOrder): void {
    this.tell({ kind: 'start', order });
  }

  /** Resolves when the last visit is over. */
  async stop(): Promise<LoadFigures> {
    const done = this.next<LoadAnswer & { kind: 'done' }>('done');
    this.tell({ kind: 'stop' });
    return (await done).figures;
  }

  /** It has nothing to say goodbye to. */
  override async end(): Promise<void> {
    if (this.process.connected) this.process.disconnect();
    await super.end();
  }
}
