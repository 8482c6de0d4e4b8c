/** Lines that arrive on their own and are awaited by name. */

interface Waiter {
  readonly event: string;
  readonly resolve: (line: Line) => void;
  readonly reject: (error: Error) => void;
}

/** 64-bit values are text. */
export interface Line {
  readonly event: string;
  readonly [field: string]: string | number;
}

export class Mailbox {
  readonly #lines: Line[] = [];
  #waiter: Waiter | null = null;
  #failure: string | null = null;

  /**
   * The next line of this event; earlier lines of other events stay for their own waiters.
   * Rejects when the sender fails or ends first.
   */
  next(event: string): Promise<Line> {
    if (this.#waiter !== null) throw new Error('one waiter at a time');
    return new Promise((resolve, reject) => {
      this.#waiter = { event, resolve, reject };
      this.#match();
    });
  }

  /** True when a line of this event has arrived that nobody awaited. */
  has(event: string): boolean {
    return this.#lines.some((line) => line.event === event);
  }

  post(line: Line): void {
    this.#lines.push(line);
    this.#match();
  }

  /** Nothing more will come: whoever still waits is told why. */
  fail(reason: string): void {
    this.#failure ??= reason;
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
    } else if (this.#failure !== null) {
      this.#waiter = null;
      const seen = JSON.stringify(this.#lines);
      waiter.reject(new Error(`no "${waiter.event}": ${this.#failure}; unread: ${seen}`));
    }
  }
}
