// One process of the bench: a word goes in, a JSON line comes out.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that says nothing for this long is broken: connecting 100,000 flows takes less. */
const ANSWER_TIMEOUT_MS = 240_000;

export class BenchProcess {
  #child;
  #lines = [];
  #waiting = null;
  #ended = null;
  #name;

  constructor(binary, args) {
    this.#name = args[0];
    this.#child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('exit', (code, signal) => this.#end(`exit ${code ?? signal}`));
    this.#child.stdin.on('error', () => {}); // the exit says why
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      this.#waiting?.();
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Sends a word; the answer is what `read` gives. */
  say(word) {
    this.#child.stdin.write(`${word}\n`);
  }

  /** The next line; rejects when the process ends or stays silent. */
  async read() {
    const until = Date.now() + ANSWER_TIMEOUT_MS;
    while (this.#lines.length === 0) {
      if (this.#ended !== null) throw new Error(`${this.#name}: ${this.#ended}`);
      const left = until - Date.now();
      if (left <= 0) throw new Error(`${this.#name}: no answer`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#waiting = null;
    }
    return this.#lines.shift();
  }

  async ask(word) {
    this.say(word);
    return this.read();
  }

  /** Ends the process whatever it does. */
  kill() {
    if (this.#ended === null) this.#child.kill('SIGKILL');
  }

  #end(why) {
    this.#ended ??= why;
    this.#waiting?.();
  }
}
